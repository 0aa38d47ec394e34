"""Requests message by message, for a ``HTTPServerConnectionDelegate`` in place of a callback."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from cyclone.httputil import HTTPMessageDelegate, HTTPServerConnectionDelegate, RequestStartLine

if TYPE_CHECKING:
    from ._request import HTTPRequest


class DelegateCallback:
    """What the server calls, around the delegate of a program."""

    def __init__(self, target: HTTPServerConnectionDelegate) -> None:
        self._target = target

    def _start(self, request: HTTPRequest) -> tuple[HTTPMessageDelegate, Deferred[Any] | None]:
        connection: Any = request.connection
        delegate = self._target.start_request(connection, connection)
        start_line = RequestStartLine(request.method, request.uri, request.version)
        return delegate, _waiting(delegate.headers_received(start_line, request.headers))

    def __call__(self, request: HTTPRequest) -> Deferred[Any] | None:
        """A request without a body."""
        delegate, waiting = self._start(request)
        if waiting is None:
            delegate.finish()
            return None
        return waiting.addCallback(lambda _: delegate.finish())

    def headers_received(self, request: HTTPRequest) -> Any:
        """The head of a request with a body: say who takes it."""
        delegate, waiting = self._start(request)
        receiver = DelegateReceiver(delegate)
        return receiver if waiting is None else waiting.addCallback(lambda _: receiver)


class DelegateReceiver:
    """Passes the body of one request on to its delegate."""

    def __init__(self, delegate: HTTPMessageDelegate) -> None:
        self._delegate = delegate

    def data_received(self, chunk: bytes) -> Deferred[None] | None:
        """Pass a piece on; no more is read until what comes back is done."""
        return _waiting(self._delegate.data_received(chunk))

    def finish(self) -> None:
        """The body is complete."""
        self._delegate.finish()

    def on_connection_close(self) -> None:
        """The rest of the body will not come."""
        self._delegate.on_connection_close()


def adapted(target: Any) -> DelegateCallback:
    """A callback around *target*. TypeError if it is no connection delegate either."""
    if not hasattr(target, "start_request"):
        raise TypeError(
            "HTTPServer needs a callable that takes a request, or an object with start_request(), "
            f"not {target!r}"
        )
    return DelegateCallback(target)


def _waiting(result: object) -> Deferred[Any] | None:
    if isinstance(result, Deferred):
        return result
    if isinstance(result, Coroutine):
        return Deferred.fromCoroutine(result)
    if result is not None:
        raise TypeError(f"A delegate returned {type(result).__name__}, not None or an awaitable")
    return None
