"""The ids of a request, for its handler and for what is logged meanwhile."""

from __future__ import annotations

import functools
import logging

from cyclone.httputil import RequestContext, current_request

from ._base import HandlerBase
from ._observation import observation_of, trace_of
from ._tracecontext import TraceContext


class TracingMixin(HandlerBase):
    """The ids of a handler's request."""

    # Not properties with a setter: a handler may have attributes of its own of these names.

    @functools.cached_property
    def request_id(self) -> str:
        """The name of the request: a random one, or its own (see ``request_id_header``)."""
        return self.request.request_id

    @functools.cached_property
    def trace_context(self) -> TraceContext:
        """The request's place in the trace that its ``traceparent`` names, or in a new one."""
        observation = observation_of(self)
        return trace_of(self.request) if observation is None else observation.trace


class RequestContextFilter(logging.Filter):
    """Gives each log record ``request_id``, ``trace_id`` and ``span_id``, for formatters to print.

    Add it to a *handler* of the standard library's logging. What is logged outside of a request, or
    in one whose application gives no ids (see the setting ``trace_context``), has ``"-"``. It never
    drops a record.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Fill in the ids."""
        context: RequestContext | None = current_request.get()
        fields = context.log_fields() if context is not None else {}
        event = getattr(record, "event", None)
        if isinstance(event, dict):
            fields = {**fields, **event}
        for name in ("request_id", "trace_id", "span_id"):
            if not hasattr(record, name):
                setattr(record, name, fields.get(name) or "-")
        return True
