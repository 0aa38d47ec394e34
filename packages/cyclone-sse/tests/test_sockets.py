"""Streams over real sockets: a client that does not read, and one that does beside it."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.trial.unittest import TestCase

from cyclone.httpserver import StreamClosedError
from cyclone.sse import SSEHandler
from cyclone.web import Application, Hub

LIMIT = 200_000
PIECE = "x" * 10_000


class Client(Protocol):
    """Asks for a stream, and reads it or not."""

    def __init__(self, path: str, reads: bool = True) -> None:
        self._path = path
        self._reads = reads
        self._waiting: list[tuple[bytes, Deferred[None]]] = []
        self.received = b""
        self.size = 0
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        transport: Any = self.transport
        transport.write(f"GET {self._path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        if not self._reads:
            transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        self.size += len(data)
        self.received = (self.received + data)[-LIMIT:]
        for item in self._waiting[:]:
            if item[0] in self.received:
                self._waiting.remove(item)
                item[1].callback(None)

    def until(self, text: bytes) -> Deferred[None]:
        found: Deferred[None] = Deferred()
        self._waiting.append((text, found))
        self.dataReceived(b"")
        return found

    def connectionLost(self, reason: Any = None) -> None:
        self.lost.callback(None)


class Bound(SSEHandler):
    """Tells the test when it is open, and when it is not."""

    max_pending = LIMIT
    opened: Deferred[Any]
    closed: Deferred[None]

    def bind(self, *args: str) -> None:
        if args == ("slow",):
            type(self).opened.callback(self)
        self.join("room")

    def unbind(self) -> None:
        if self.path_args == ["slow"]:
            type(self).closed.callback(None)


class SlowClientTest(TestCase):
    timeout = 20

    def setUp(self) -> None:
        self.handler: type[Bound] = type("Handler", (Bound,), {})
        self.handler.opened, self.handler.closed = Deferred(), Deferred()
        self.hub = Hub(max_queue=5, slow="disconnect")
        self.application = Application([(r"/(.*)", self.handler)], hub=self.hub)
        net: Any = reactor
        self.port = net.listenTCP(0, self.application, interface="127.0.0.1")

    def tearDown(self) -> Any:
        done = self.application.close_all_connections()
        return done.addCallback(lambda _: self.port.stopListening())

    async def connect(self, path: str, reads: bool = True) -> Client:
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port.getHost().port)
        client: Client = await connectProtocol(endpoint, Client(path, reads))  # type: ignore[no-untyped-call]
        self.addCleanup(client.transport.abortConnection)  # type: ignore[union-attr]
        return client

    async def test_a_sender_that_waits_is_stopped_by_a_client_that_does_not_read(self) -> None:
        client = await self.connect("/slow", reads=False)
        handler = await self.handler.opened
        for _ in range(10_000):
            sent = handler.sendEvent(PIECE)
            if not sent.called:
                break
        else:
            self.fail("100 MB went into a socket that nobody reads")
        assert handler.request.connection.buffered < LIMIT
        client.transport.resumeProducing()  # type: ignore[union-attr]
        await sent
        assert handler.request.connection.buffered == 0
        client.transport.loseConnection()  # type: ignore[union-attr]
        await self.handler.closed

    async def test_a_sender_that_does_not_wait_loses_the_client(self) -> None:
        client = await self.connect("/slow", reads=False)
        handler = await self.handler.opened
        sent: list[Deferred[None]] = []
        while not self.handler.closed.called:
            sent.append(handler.sendEvent(PIECE))
            assert handler.request.connection.buffered <= LIMIT + len(PIECE) + 100
            if handler.request.connection.closed:
                break
        last = sent[-1]
        await self.handler.closed
        await self.assertFailure(last, StreamClosedError)
        await self.assertFailure(handler.sendEvent("x"), StreamClosedError)
        client.transport.resumeProducing()  # type: ignore[union-attr]
        await client.lost

    async def test_a_stalled_client_delays_nobody(self) -> None:
        await self.connect("/slow", reads=False)
        reader = await self.connect("/fast")
        await self.handler.opened
        await reader.until(b"\r\n\r\n")
        number = 0
        while self.hub.count("room") == 2:
            number += 1
            await self.hub.publish("room", f"{number} {PIECE}")
            await reader.until(f"data: {number} ".encode())
        await self.handler.closed
        await self.hub.publish("room", "the end")
        await reader.until(b"data: the end\n\n")
