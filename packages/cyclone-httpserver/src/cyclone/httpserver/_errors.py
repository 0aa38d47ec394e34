"""What can go wrong with a connection, as seen by a handler."""

from __future__ import annotations

from cyclone.httputil import HTTPInputError


class StreamClosedError(ConnectionError):
    """The client went away before everything was handed to the transport.

    `HTTPConnection.write` and its companions errback with it; ``reason`` says why, in words.
    """

    def __init__(self, reason: str = "the client closed the connection") -> None:
        super().__init__(reason)
        self.reason = reason


class RequestError(HTTPInputError):
    """A request that is refused before a handler sees it: answer ``status_code`` and close.

    The message is for the log; it never holds bytes of the client.
    """

    def __init__(self, status_code: int, message: str) -> None:
        super().__init__(message, status_code)

    def __reduce__(self) -> tuple[type[RequestError], tuple[int, str]]:  # type: ignore[override]
        return type(self), (self.status_code, str(self))
