"""Between the server's callback and the message delegates that routers hand out.

The server calls back with a whole request, or, as soon as its head is in, asks who receives its
body. A router answers with a *delegate*. Two kinds exist:

- one with a method ``serve(request)`` takes the whole request at once (handlers, callables). It may
  have ``serve_headers(request)`` as well, which answers as the server's ``headers_received`` does;
- any other is driven message by message, as ``cyclone.httputil.HTTPMessageDelegate`` describes:
  ``headers_received``, ``data_received`` for each piece of the body, then ``finish``; or
  ``on_connection_close`` if the client goes away before the end.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from cyclone.httputil import HTTPHeaders, RequestStartLine, ResponseStartLine

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from cyclone.httpserver import EventLogger, HTTPRequest


class CallableDelegate:
    """Hands the whole request to a callable, as ``target(request, **parameters)``."""

    def __init__(self, target: Callable[..., object], parameters: dict[str, Any]) -> None:
        self._target = target
        self._parameters = parameters

    def serve_headers(self, request: HTTPRequest) -> None:
        """Note whether the target wants the bytes of a form; the body is collected either way."""
        if not getattr(self._target, "parses_forms", True):
            request.parses_forms = False

    def serve(self, request: HTTPRequest) -> None:
        """Call the target with *request*; what it returns, if awaitable, is waited for."""
        result = self._target(request, **self._parameters)
        if isinstance(result, Awaitable):
            run_for_request(result, request)


class MessageReceiver:
    """Feeds the body of a request to a message delegate, as the server's receiver."""

    def __init__(self, delegate: Any) -> None:
        self._delegate = delegate

    def data_received(self, chunk: bytes) -> Deferred[None] | None:
        """Pass *chunk* on; nothing more is read while the result is pending."""
        return as_deferred(self._delegate.data_received(chunk))

    def finish(self) -> None:
        """Pass on that the body is complete."""
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """Pass on that the client went away before the end of the body."""
        self._delegate.on_connection_close()


class NotFoundDelegate:
    """Answers 404 with an empty body: no rule of a bare router took the request."""

    def serve(self, request: HTTPRequest) -> None:
        """Send the response."""
        connection = request.connection
        connection.write_headers(
            ResponseStartLine("HTTP/1.1", 404, "Not Found"), HTTPHeaders({"Content-Length": "0"})
        )
        connection.finish()


def serve_delegate(delegate: Any, request: HTTPRequest) -> None:
    """Give a complete *request* to *delegate*, whichever kind it is."""
    serve = getattr(delegate, "serve", None)
    if serve is not None:
        serve(request)
    else:
        run_for_request(_play(delegate, request), request)


def serve_delegate_headers(delegate: Any, request: HTTPRequest) -> Any:
    """Tell *delegate* that the head of *request* is in.

    Returns None when the delegate wants the complete request, else the receiver of the body, or a
    Deferred of it.
    """
    if hasattr(delegate, "serve"):
        headers = getattr(delegate, "serve_headers", None)
        return headers(request) if headers is not None else None
    waiting = as_deferred(delegate.headers_received(_start_line(request), request.headers))
    receiver = MessageReceiver(delegate)
    return receiver if waiting is None else waiting.addCallback(lambda _: receiver)


def as_deferred(result: object) -> Deferred[Any] | None:
    """Return the Deferred of an awaitable *result*; None for anything else."""
    if not isinstance(result, Awaitable):
        return None
    from twisted.internet.defer import Deferred

    if isinstance(result, Deferred):
        return result
    from ._coroutines import start

    return start(result)


def run_for_request(awaitable: Awaitable[Any], request: HTTPRequest) -> None:
    """Run *awaitable*.

    If it fails the failure is logged and the connection cut: nobody waits for ever.
    """
    deferred = as_deferred(awaitable)
    if deferred is not None:
        deferred.addErrback(_cut, request)


def _cut(failure: Failure, request: HTTPRequest) -> None:
    message = "Uncaught exception serving {request}"
    logger("cyclone.application").error(message, request=repr(request), exc_info=failure.value)
    if request.connection is not None:
        request.connection.abort()


@functools.cache
def logger(namespace: str) -> EventLogger:
    """Return the event logger of *namespace*."""
    from cyclone.httpserver import EventLogger

    return EventLogger(namespace)


async def _play(delegate: Any, request: HTTPRequest) -> None:
    """Play the whole *request* to a message delegate."""
    await _settled(delegate.headers_received(_start_line(request), request.headers))
    if request.body:
        await _settled(delegate.data_received(request.body))
    delegate.finish()


async def _settled(result: object) -> None:
    if isinstance(result, Awaitable):
        await result


def _start_line(request: HTTPRequest) -> RequestStartLine:
    return RequestStartLine(request.method, request.uri, request.version)
