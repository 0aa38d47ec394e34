"""Whose request is this? Its id and its W3C trace context, in the log and on to other services."""

from __future__ import annotations

import contextvars
import dataclasses
import logging
import re
import secrets

from cyclone.httpserver import HTTPRequest, HTTPServer

from ._around import at_begin

_REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,99}\Z")
# https://www.w3.org/TR/trace-context/#traceparent-header
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?\Z")
_TRACESTATE = re.compile(r"[\x20-\x7e]{1,512}\Z")
_current: contextvars.ContextVar[Trace | None] = contextvars.ContextVar(
    "cyclone_trace", default=None
)


@dataclasses.dataclass(frozen=True)
class Trace:
    """What a request is known by: ``span_id`` is ours, ``parent_id`` that of who asked (or "")."""

    request_id: str
    trace_id: str
    span_id: str
    parent_id: str = ""
    sampled: bool = False
    tracestate: str = ""

    @property
    def traceparent(self) -> str:
        """The header for requests that are made on behalf of this one."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


def parse_traceparent(value: str) -> tuple[str, str, bool] | None:
    """(trace id, parent id, sampled) of a ``traceparent`` header; None if it is not valid."""
    match = _TRACEPARENT.match(value) if len(value) <= 512 else None
    if match is None:
        return None
    version, trace_id, parent_id, flags, rest = match.groups()
    if version == "ff" or (version == "00" and rest is not None):
        return None
    if set(trace_id) == {"0"} or set(parent_id) == {"0"}:
        return None
    return trace_id, parent_id, bool(int(flags, 16) & 1)


def trace_of(request: HTTPRequest, *, trusted: bool = True) -> Trace:
    """The trace of a request: what its headers say if they are *trusted* and valid, else new."""
    headers = request.headers
    parent = parse_traceparent(headers.get("traceparent", "")) if trusted else None
    request_id = headers.get("X-Request-ID", "") if trusted else ""
    if not _REQUEST_ID.match(request_id):
        request_id = secrets.token_hex(16)
    span_id = secrets.token_hex(8)
    if parent is None:
        return Trace(request_id, secrets.token_hex(16), span_id)
    state = headers.get("tracestate", "")
    return Trace(request_id, *_ours(parent, span_id), state if _TRACESTATE.match(state) else "")


def _ours(parent: tuple[str, str, bool], span_id: str) -> tuple[str, str, str, bool]:
    trace_id, parent_id, sampled = parent
    return trace_id, span_id, parent_id, sampled


def trace(server: HTTPServer, *, trusted: bool = True) -> None:
    """Give each request of *server* an id and a trace, before it listens.

    ``request.request_id`` is the id, from ``X-Request-ID`` or new; `current_trace` knows both
    wherever code runs for the request, and so does each log line (see `TraceFilter`).
    ``trusted``: believe what the headers say; say False where anybody can send them.
    """

    def begin(request: HTTPRequest) -> None:
        found = trace_of(request, trusted=trusted)
        request.request_id = found.request_id
        _current.set(found)

    at_begin(server, begin)
    for handler in logging.getLogger().handlers:
        add_filter(handler)


def current_trace() -> Trace | None:
    """The trace of the request this code runs for; None outside of any."""
    return _current.get()


def trace_headers() -> dict[str, str]:
    """Headers that pass the trace on: ``fetch(url, headers=trace_headers())``."""
    found = _current.get()
    if found is None:
        return {}
    headers = {"traceparent": found.traceparent, "X-Request-ID": found.request_id}
    if found.tracestate:
        headers["tracestate"] = found.tracestate
    return headers


class TraceFilter(logging.Filter):
    """Puts ``request_id`` and ``trace_id`` on each record, and the id in front of its message.

    Outside of a request they are "" and the message is as it was.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Change the record; it always passes."""
        if hasattr(record, "trace_id"):
            return True  # it came by another handler first
        found = _current.get()
        record.request_id = "" if found is None else found.request_id
        record.trace_id = "" if found is None else found.trace_id
        if found is not None and not hasattr(record, "whole"):
            record.msg = f"[{found.request_id}] {record.getMessage()}"
            record.args = None
        return True


def add_filter(handler: logging.Handler) -> None:
    """Add a `TraceFilter`, once."""
    if not any(isinstance(one, TraceFilter) for one in handler.filters):
        handler.addFilter(TraceFilter())
