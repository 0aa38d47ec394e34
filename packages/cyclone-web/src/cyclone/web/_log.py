"""The loggers, and the access log: one event for each request."""

from __future__ import annotations

import functools
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any

from cyclone.httpserver import EventLogger
from cyclone.httputil import current_request

if TYPE_CHECKING:
    from cyclone.httpserver import HTTPRequest

    from ._base import HandlerBase
    from ._handler import RequestHandler

access_log = EventLogger("cyclone.access")
application_log = EventLogger("cyclone.application")
general_log = EventLogger("cyclone.general")

_LOGS = {
    logging.INFO: access_log.info,
    logging.WARNING: access_log.warning,
    logging.ERROR: access_log.error,
}
_TEXT = "{status} {method} {uri} ({remote_ip}) {milliseconds:.2f}ms"
# Of a handler that overrides `_request_summary`, for instance to hide what is in its URLs
_SUMMARY_TEXT = "{status} {summary} {milliseconds:.2f}ms"


def log_request(handler: RequestHandler) -> None:
    """Log the request of *handler*, by default on ``cyclone.access``.

    The level follows the status: info below 400, warning below 500, error above. The setting
    ``log_function`` replaces all of it; ``access_log_format`` is ``"text"`` (Tornado's line, the
    default) or ``"json"`` (one object with the fields of :func:`access_fields`).
    """
    settings = handler.application.settings
    if "log_function" in settings and settings["log_function"] is not None:
        settings["log_function"](handler)
        return
    status = handler._status_code
    level = logging.INFO if status < 400 else _level(status)
    if not access_log.is_enabled(level):
        return
    log = _LOGS[level]
    fields = access_fields(handler)
    if settings.get("access_log_format") == "json":
        log("{json}", json=json.dumps(fields), **fields)
    elif type(handler)._request_summary is _plain_summary():
        log(_TEXT, **fields)
    else:
        log(_SUMMARY_TEXT, summary=handler._request_summary(), **fields)


@functools.cache
def _plain_summary() -> Callable[..., str]:
    from ._handler import RequestHandler

    return RequestHandler._request_summary


def _level(status: int) -> int:
    return logging.INFO if status < 400 else logging.WARNING if status < 500 else logging.ERROR


def access_logger(status: int) -> Callable[..., None]:
    """The method of the access log that fits *status*."""
    return _LOGS[_level(status)]


def log_foreign(request: HTTPRequest, status: int) -> None:
    """Log a request that something else than a handler answered: WSGI, ASGI, a resource."""
    access_logger(status)(
        _TEXT,
        status=status,
        method=request.method,
        uri=request.uri,
        remote_ip=request.remote_ip,
        milliseconds=1000.0 * request.request_time(),
    )


def hook_returned(handler: HandlerBase, hook: str, result: object) -> None:
    """A hook that nothing waits for returned *result*: an error, if that can be awaited."""
    if not isinstance(result, Awaitable):
        return
    if isinstance(result, Coroutine):
        result.close()
    application_log.error(
        "{handler}.{hook}() is async, but nothing waits for it: make it a plain method",
        handler=f"{type(handler).__module__}.{type(handler).__qualname__}",
        hook=hook,
    )


def access_fields(handler: RequestHandler) -> dict[str, Any]:
    """What an access log event says of a request.

    ``time`` is the wall clock (seconds since the epoch), ``milliseconds`` how long the request
    took, ``bytes`` the size of the body sent, ``route`` the pattern that matched. With the setting
    ``trace_context`` there are ``trace_id`` and ``span_id`` too.
    """
    request, context = handler.request, current_request.get()
    return {
        **({} if context is None else context.log_fields()),
        "time": time.time(),
        "method": request.method,
        "uri": request.uri,
        "route": route_of(handler),
        "handler": type(handler).__qualname__,
        "status": handler._status_code,
        "bytes": handler._body_bytes_written,
        "milliseconds": 1000.0 * request.request_time(),
        "remote_ip": request.remote_ip,
        "request_id": getattr(request, "request_id", None),
    }


def route_of(handler: RequestHandler) -> str | None:
    """The pattern of the route, or what else there is to tell it by."""
    rule = handler._matched_rule
    if rule is None:
        return None
    regex = getattr(rule.matcher, "regex", None)
    return repr(rule.matcher) if regex is None else regex.pattern
