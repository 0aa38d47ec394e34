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


def storage_error(error: OSError) -> RequestError:
    """The answer when a body cannot be written to disk; its text is for the log only."""
    import errno

    why = error.strerror or type(error).__name__
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return RequestError(507, f"no space for the body: {why}")
    return RequestError(500, f"the body could not be stored: {why}")
