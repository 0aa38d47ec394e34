"""Doing something around each request of an application, whatever serves it."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from typing import Any

from cyclone.httpserver import HTTPRequest, HTTPServer
from cyclone.web import Application, RequestHandler


def at_begin(server: HTTPServer, begin: Callable[[HTTPRequest], object]) -> None:
    """Call ``begin(request)`` before *server* hands a request on, in the request's context."""
    server.request_callback = _preceded(begin, server.request_callback)
    if server.headers_received is not None:
        server.headers_received = _preceded(begin, server.headers_received)


def _preceded(
    begin: Callable[[HTTPRequest], object], callback: Callable[[HTTPRequest], Any]
) -> Callable[[HTTPRequest], Any]:
    def both(request: HTTPRequest) -> Any:
        begin(request)
        return callback(request)

    return lambda request: contextvars.copy_context().run(both, request)


def at_end(application: Application, end: Callable[[RequestHandler], object]) -> None:
    """Call ``end(handler)`` after each request was answered and logged."""
    log_request = application.log_request

    def logged(handler: RequestHandler) -> None:
        try:
            log_request(handler)
        finally:
            end(handler)

    application.log_request = logged  # type: ignore[method-assign]
