"""OpenTelemetry: a span for each request, with the extra ``otel``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._metrics import METHODS
from ._tracecontext import TraceContext, continue_trace, new_trace

if TYPE_CHECKING:
    from opentelemetry.trace import Span, TracerProvider

    from cyclone.httpserver import HTTPRequest

    from ._observation import Observation

MISSING = (
    "opentelemetry-api is not installed, which the setting 'opentelemetry' needs: "
    "pip install 'cyclone-web[otel]'"
)

_MAX_TEXT = 1024


class Spans:
    """Makes the spans of one application.

    :arg setting: a ``TracerProvider``, or True for the global one.
    :raises ImportError: without ``opentelemetry-api``.
    """

    def __init__(self, setting: TracerProvider | bool) -> None:
        try:
            from opentelemetry import context, trace
        except ImportError as error:
            raise ImportError(MISSING) from error
        self._api: Any = trace
        self._context: Any = context
        provider: Any = trace.get_tracer_provider() if setting is True else setting
        self._tracer = provider.get_tracer("cyclone.web")

    def start(self, request: HTTPRequest) -> tuple[Span, TraceContext]:
        """A span for *request*, below that of its ``traceparent``, and its place in the trace."""
        api, headers = self._api, request.headers
        came = continue_trace(headers.get_list("traceparent"), headers.get_list("tracestate"))
        parent = None
        if came.parent_id is not None:
            parent = api.set_span_in_context(
                api.NonRecordingSpan(_span_context(api, came)), self._context.Context()
            )
        method = request.method if request.method in METHODS else "_OTHER"
        attributes = {
            "http.request.method": method,
            "url.scheme": request.protocol,
            "url.path": request.path[:_MAX_TEXT],
            "server.address": request.host_name,
            "client.address": request.remote_ip,
            "network.protocol.version": request.version.removeprefix("HTTP/"),
        }
        if "User-Agent" in headers:
            attributes["user_agent.original"] = headers["User-Agent"][:_MAX_TEXT]
        span: Span = self._tracer.start_span(
            _span_name(method, None),
            context=parent or self._context.Context(),
            kind=api.SpanKind.SERVER,
            attributes=attributes,
        )
        return span, _place(span, came)

    def attach(self, span: Span) -> None:
        """Make *span* the current one of the current context, which is the request's alone."""
        self._context.attach(self._api.set_span_in_context(span))

    def record(self, span: Span, error: BaseException) -> None:
        """Note an exception that led to an error of the server."""
        span.record_exception(error)
        span.set_attribute("error.type", type(error).__qualname__)

    def end(self, span: Span, observation: Observation) -> None:
        """Name the span by its route, note the status, and end it."""
        request = observation.request
        method = request.method if request.method in METHODS else "_OTHER"
        route = observation.route
        if route is not None:
            span.update_name(_span_name(method, route))
            span.set_attribute("http.route", route)
        status = observation.status
        if status is not None:
            span.set_attribute("http.response.status_code", status)
            if status >= 500:
                span.set_status(self._api.Status(self._api.StatusCode.ERROR))
        span.end()


def _span_name(method: str, route: str | None) -> str:
    name = "HTTP" if method == "_OTHER" else method
    return name if route is None else f"{name} {route}"


def _span_context(api: Any, came: TraceContext) -> Any:
    """The caller's span, as OpenTelemetry has it."""
    return api.SpanContext(
        int(came.trace_id, 16),
        int(came.parent_id or "0", 16),
        is_remote=True,
        trace_flags=api.TraceFlags(int(came.sampled)),
        trace_state=api.TraceState.from_header([came.state] if came.state else []),
    )


def _place(span: Span, came: TraceContext) -> TraceContext:
    """The place of *span*; one of our own where nothing is recorded."""
    context = span.get_span_context()
    span_id = f"{context.span_id:016x}"
    if not context.is_valid or span_id == came.parent_id:
        # Without an SDK there are no spans: ids go on all the same.
        return came if came.parent_id is not None else new_trace()
    return TraceContext(
        f"{context.trace_id:032x}",
        span_id,
        came.parent_id,
        bool(context.trace_flags & 1),
        context.trace_state.to_header(),
    )
