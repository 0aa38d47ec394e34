"""What a server, a connection and a message handler may expect of each other.

The names are Tornado's; the awaitables may be of any kind the server understands (Twisted's
`Deferred` for `cyclone.httpserver`).
"""

from collections.abc import Awaitable
from typing import Protocol, runtime_checkable

from ._headers import HTTPHeaders
from ._startline import RequestStartLine, ResponseStartLine


@runtime_checkable
class HTTPConnection(Protocol):
    """How a response is written, in this order: `write_headers` once, `write`, `finish` once.

    ``finish`` is not called when the response cannot be completed: the connection is cut instead,
    so that the other side sees that something is missing.
    """

    def write_headers(
        self,
        start_line: RequestStartLine | ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Awaitable[None]:
        """Write the head, and with it the first ``chunk`` of the body if there is one.

        The version in ``start_line`` is not looked at. The result is done when the transport
        has taken the data (flow control) and fails when the other side went away.
        """
        raise NotImplementedError

    def write(self, chunk: bytes) -> Awaitable[None]:
        """Write a piece of the body; the result as in `write_headers`."""
        raise NotImplementedError

    def finish(self) -> object:
        """The body is complete."""
        raise NotImplementedError


@runtime_checkable
class HTTPMessageDelegate(Protocol):
    """Takes one request or response as it arrives; inherited methods do nothing.

    `headers_received` comes first and once, then `data_received` for each piece of the body, then
    either `finish` or `on_connection_close`, exactly one of the two, once.
    """

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        """The head is complete. The body is not read before a returned awaitable is done."""
        return None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """A piece of the body. The next is not read before a returned awaitable is done."""
        return None

    def finish(self) -> None:
        """The body is complete."""
        return None

    def on_connection_close(self) -> None:
        """The connection ended before the message did."""
        return None


@runtime_checkable
class HTTPServerConnectionDelegate(Protocol):
    """Starts the requests of a server's connections."""

    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        """A request begins on ``server_conn``; its response is written to ``request_conn``."""
        raise NotImplementedError

    def on_close(self, server_conn: object) -> None:
        """A connection that was given to `start_request` has ended."""
        return None
