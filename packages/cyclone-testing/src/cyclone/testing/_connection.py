"""MemoryConnection: the client's end of one connection to an application in memory."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.httpclient import HTTPProtocolError, HTTPStreamClosedError
from cyclone.httputil import HTTPHeaders

from ._parser import ResponseParser
from ._pump import Pump
from ._response import ClientResponse
from ._transport import MemoryTransport, SecureMemoryTransport, address

if TYPE_CHECKING:
    from collections.abc import Callable

#: Bytes of a response's body, and of a stream that nobody reads.
MAX_BODY = 100 * 1024 * 1024


class Exchange:
    """A request whose response is awaited.

    ``head`` fires with the response, without its body, when the head is there; ``done`` with the
    whole response. ``on_data`` takes the body's pieces, which are then not kept.
    """

    def __init__(self, method: str, uri: str, soon: Callable[[Callable[[], None]], object]) -> None:
        self.uri = uri
        self._soon = soon
        self.head: Deferred[ClientResponse] = Deferred()
        self.done: Deferred[ClientResponse] = Deferred()
        self.on_data: Callable[[bytes], None] | None = None
        self.on_end: Callable[[Exception | None], None] = lambda error: None
        self.method = method
        self.parser: ResponseParser = ResponseParser(method, self._begin, self._take, self._end)
        self.response: ClientResponse | None = None
        self._chunks: list[bytes] = []
        self._size = 0

    def _begin(self, version: str, code: int, reason: str, headers: HTTPHeaders) -> None:
        self.response = ClientResponse(code, reason, headers, b"", version, self.uri)
        self._fire(self.head, self.response)

    def _fire(self, deferred: Deferred[ClientResponse], result: Any) -> None:
        """Not inside the parser: who waits may do anything."""

        def fire() -> None:
            if not deferred.called:
                deferred.callback(result)

        self._soon(fire)

    def _take(self, data: bytes) -> None:
        if self.on_data is not None:
            self.on_data(data)
            return
        self._size += len(data)
        if self._size > MAX_BODY:
            raise HTTPProtocolError(f"the response has more than {MAX_BODY} bytes")
        self._chunks.append(data)

    def _end(self) -> None:
        response = self.response
        if response is None:
            raise RuntimeError("a response ended before it began")
        response.body = self.body
        self.on_end(None)
        self._fire(self.done, response)

    @property
    def body(self) -> bytes:
        """What came of the body, unless somebody else took it."""
        return b"".join(self._chunks)

    def fail(self, error: Exception) -> None:
        """There will be no response, or not all of it."""
        self.on_end(error)
        failure = Failure(error)  # type: ignore[no-untyped-call]
        self._fire(self.head, failure)
        self._fire(self.done, failure)


class Receiver(Protocol):
    """What takes a connection's bytes after an upgrade."""

    def data_received(self, data: bytes) -> None:
        """Bytes from the server."""

    def connection_lost(self) -> None:
        """The server closed."""


class MemoryConnection:
    """A keep-alive connection, for tests that look at connections or send raw bytes.

    ``client.connect()`` makes one; ``client.get(uri, connection=it)`` uses it, and it stays open
    for the next request. ``received`` is what the server sent, byte by byte, `responses` what that
    means. Requests sent before the answers to others have come are pipelined.
    """

    def __init__(
        self,
        server: Any,
        pump: Pump,
        *,
        remote_ip: str = "127.0.0.1",
        secure: bool = False,
        port: int = 50000,
    ) -> None:
        self._pump = pump
        #: Calls a function when what is going on is over.
        self.soon: Callable[[Callable[[], object]], None] = pump.soon
        self._exchanges: deque[Exchange] = deque()
        self._asked: list[tuple[str, str]] = []
        self._received = bytearray()
        self._consumed = 0
        self._receiver: Receiver | None = None
        self._when_closed: list[Deferred[bool]] = []
        #: Whether the server closed the connection, or the client did ...
        self.closed: bool = False
        #: ... and whether that was orderly; None while it is open.
        self.clean: bool | None = None
        kind = SecureMemoryTransport if secure else MemoryTransport
        self.secure = secure
        self.remote_ip = remote_ip
        #: The server's end: a Twisted transport.
        self.transport: MemoryTransport = kind(
            pump,
            self._receive,
            self._closed,
            host=address("::1" if ":" in remote_ip else "127.0.0.1", 443 if secure else 80),
            peer=address(remote_ip, port),
        )
        with pump.held():
            protocol = server.buildProtocol(self.transport.getPeer())
            if protocol is None:
                raise HTTPStreamClosedError("the server accepts no connection")
            self.transport.connect(protocol)

    @property
    def received(self) -> bytes:
        """All bytes that came."""
        return bytes(self._received)

    @property
    def written(self) -> bytes:
        """The same with what the server has sent and the client has not taken yet."""
        return self.received + self.transport.pending

    @property
    def server_paused(self) -> bool:
        """Whether the server reads nothing at the moment: it has enough to do."""
        return self.transport.paused

    @property
    def unasked(self) -> bytes:
        """What came behind the responses to `Client.start` and the like: should be nothing."""
        return b"" if self._exchanges else bytes(self._received[self._consumed :])

    def responses(self) -> list[ClientResponse]:
        """The responses that came, in order; the last one may not be ``complete`` yet.

        Those to raw bytes (`send`) are taken for responses to GET. `HTTPProtocolError` for what is
        no HTTP.
        """
        found: list[ClientResponse] = []
        asked = iter(self._asked)
        rest = self.received
        while rest:
            method, uri = next(asked, ("GET", ""))
            response, rest = read_response(rest, method, uri, bool(self.clean))
            if response is None:
                break
            found.append(response)
            if response.code == 101:
                break
        return found

    def exchange(self, data: bytes, exchange: Exchange) -> None:
        """Send a request whose response ``exchange`` takes."""
        if self.closed:
            exchange.fail(HTTPStreamClosedError("the connection is closed"))
            return
        self._asked.append((exchange.method, exchange.uri))
        if not self._exchanges:
            self._consumed = len(self._received)
        self._exchanges.append(exchange)
        self.send(data)

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        with self._pump.held():
            self.transport.arrive(data)

    def upgrade(self, receiver: Receiver, data: bytes = b"") -> None:
        """From now on the bytes are somebody else's; ``data`` came already."""
        self._receiver = receiver
        if data:
            receiver.data_received(data)

    def half_close(self) -> None:
        """Send nothing more; what the server sends is still read."""
        with self._pump.held():
            self.transport.half_close()

    def close(self) -> None:
        """Close: the server sees that the client went away."""
        self.lose()

    def lose(self, clean: bool = True) -> None:
        """`close`, or (not ``clean``) let the connection break."""
        with self._pump.held():
            self.transport.lose(clean)

    def pause_reading(self) -> None:
        """Take nothing of what the server sends, as a client that has stalled."""
        self.transport.set_reading(False)

    def resume_reading(self) -> None:
        """Take it again."""
        with self._pump.held():
            self.transport.set_reading(True)

    def when_closed(self) -> Deferred[bool]:
        """A Deferred for the end: true if it was orderly, false if the connection broke."""
        waiter: Deferred[bool] = Deferred()
        if self.clean is not None:
            waiter.callback(self.clean)
        else:
            self._when_closed.append(waiter)
        return waiter

    def _receive(self, data: bytes) -> None:
        self._received += data
        while data:
            if self._receiver is not None:
                self._receiver.data_received(data)
                return
            if not self._exchanges:
                return
            exchange = self._exchanges[0]
            try:
                rest = exchange.parser.feed(data)
            except Exception as error:
                self._fail(error)
                self.lose()
                return
            if exchange.parser.done:
                self._exchanges.popleft()
                self._take_raw(exchange, len(self._received) - len(rest))
            data = rest

    def _take_raw(self, exchange: Exchange, end: int) -> None:
        if exchange.response is not None and exchange.on_data is None:
            exchange.response.raw = bytes(self._received[self._consumed : end])
        self._consumed = end

    def _closed(self, clean: bool) -> None:
        if self.closed:
            return
        self.closed = True
        self.clean = clean
        while self._exchanges:
            exchange = self._exchanges.popleft()
            try:
                if clean:
                    exchange.parser.eof()
                    self._take_raw(exchange, len(self._received))
                else:
                    exchange.fail(HTTPStreamClosedError("the connection broke"))
            except Exception as error:
                exchange.fail(error)
        if self._receiver is not None:
            self._receiver.connection_lost()
        waiters, self._when_closed = self._when_closed, []
        for waiter in waiters:
            waiter.callback(clean)

    def _fail(self, error: Exception) -> None:
        while self._exchanges:
            self._exchanges.popleft().fail(error)


def read_response(
    data: bytes, method: str, uri: str, closed: bool
) -> tuple[ClientResponse | None, bytes]:
    """The first response in ``data``, as far as it came, and what is behind it.

    None if its head has not come. ``closed``: whether the server closed behind the data.
    """
    exchange = Exchange(method, uri, lambda fire: None)
    rest = exchange.parser.feed(data)
    if closed and not exchange.parser.done:
        with contextlib.suppress(HTTPStreamClosedError):
            exchange.parser.eof()
    response = exchange.response
    if response is None:
        return None, b""
    response.body = exchange.body
    response.complete = exchange.parser.done
    response.raw = data[: len(data) - len(rest)]
    return response, rest
