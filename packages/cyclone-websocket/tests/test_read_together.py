"""WebSocket connections are read together with the server's other connections."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.trial import unittest

from cyclone.web import Application
from cyclone.websocket import WebSocketHandler, websocket_connect

reactor = cast("Any", _reactor)
on_epoll = type(reactor).__name__ == "EPollReactor"


class Handler(WebSocketHandler):
    async def open(self) -> None:
        self.settings["members"].append(self)

    def on_message(self, message: str | bytes) -> Any:
        if message == "raise":
            raise KeyboardInterrupt
        if message == "abort the others":
            for handler in self.settings["members"]:
                if handler is not self:
                    handler.request.connection.transport.abortConnection()
        self.write_message(message)

    def on_close(self) -> None:
        self.settings["members"].remove(self)
        if not self.settings["members"]:
            self.settings["gone"].callback(None)


class NetworkTests(unittest.TestCase):
    if not on_epoll:
        skip = "the reactor is not on epoll"

    def setUp(self) -> None:
        self.handlers: list[Any] = []
        self.gone: Deferred[None] = Deferred()
        self.application = Application(
            [("/", Handler)],
            members=self.handlers,
            gone=self.gone,
            log_function=lambda handler: None,
        )
        self.port = reactor.listenTCP(0, self.application, interface="127.0.0.1")
        self.url = f"ws://127.0.0.1:{self.port.getHost().port}/"

    async def tearDown(self) -> None:  # type: ignore[override]
        await self.application.stop(deadline=1, idle_grace=0)
        await maybeDeferred(self.port.stopListening)

    def groups(self) -> list[Any]:
        return [each for each in reactor.getReaders() if "read together" in repr(each)]

    async def connect(self, count: int) -> list[Any]:
        found = await gatherResults([websocket_connect(self.url) for _ in range(count)])
        return list(found)

    async def test_both_ends_are_read_and_leave_nothing(self) -> None:
        clients = await self.connect(20)
        assert len(self.groups()) == 1
        for message in ("hello", "x" * 1_000_000):
            for client in clients:
                client.write_message(message)
            for client in clients:
                assert await client.read_message() == message
        for client in clients:
            await client.close()
        await self.gone
        assert self.groups() == []

    async def test_connections_that_others_abort(self) -> None:
        clients = await self.connect(10)
        for client in clients:
            client.write_message("hello")
        clients[5].write_message("abort the others")
        assert await clients[5].read_message() == "hello"
        assert await clients[5].read_message() == "abort the others"
        for client in clients:
            if client is not clients[5]:
                while await client.read_message() is not None:
                    pass
        assert len(self.handlers) == 1
        await clients[5].close()
        await self.gone

    async def test_an_interrupt_in_a_callback_ends_its_connection(self) -> None:
        clients = await self.connect(3)
        clients[1].write_message("raise")
        assert await clients[1].read_message() is None
        clients[0].write_message("still here")
        assert await clients[0].read_message() == "still here"
        logged = self.flushLoggedErrors(KeyboardInterrupt)  # type: ignore[no-untyped-call]
        assert len(logged) == 1
        for client in clients:
            await client.close()
        await self.gone
