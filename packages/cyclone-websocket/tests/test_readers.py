"""Plain connections are read together: nothing else about them changes."""

from __future__ import annotations

import errno
import os
import select
import socket
from collections.abc import Callable, Iterator
from typing import Any, cast

import pytest
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial import unittest
from zope.interface.verify import verifyObject

from cyclone.web import Application
from cyclone.websocket import WebSocketHandler, websocket_connect
from cyclone.websocket._readers import Readers, adopt

reactor = cast("Any", _reactor)
on_epoll = type(reactor).__name__ == "EPollReactor"

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll here")


class Reactor:
    """Only remembers its readers."""

    def __init__(self) -> None:
        self.readers: list[Any] = []
        self.removeReader = self.readers.remove
        self.writers: list[Any] = []
        self.removeWriter = self.writers.append

    def addReader(self, reader: Any) -> None:
        if reader not in self.readers:
            self.readers.append(reader)


class Transport:
    """One end of a pair of sockets, as Twisted's transports are."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self.socket, self.peer = socket.socketpair()
        self.fileno = self.socket.fileno
        self.events: list[Any] = []
        self.on_read: Callable[[], Any] = lambda: None

    def startReading(self) -> None:
        self.reactor.addReader(self)

    def stopReading(self) -> None:
        self.reactor.removeReader(self)

    def stopWriting(self) -> None:
        self.reactor.removeWriter(self)

    def doRead(self) -> Any:
        self.events.append(self.socket.recv(100))
        return self.on_read()

    def readConnectionLost(self, reason: Failure) -> None:
        self.events.append(reason.type)

    def connectionLost(self, reason: Failure) -> None:
        self.events.append(reason.type)
        self.stopReading()
        self.close()
        if "raise" in self.events:
            raise ZeroDivisionError

    def close(self) -> None:
        self.socket.close()
        self.peer.close()


class World:
    """A group on a reactor, and its transports."""

    def __init__(self) -> None:
        self.reactor = Reactor()
        self.readers = Readers(self.reactor)
        self.transports = [Transport(self.readers) for _ in range(3)]
        for transport in self.transports:
            transport.startReading()

    def send(self, *numbers: int) -> None:
        for number in numbers:
            self.transports[number].peer.send(b"x")


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    for transport in world.transports:
        transport.stopReading()
        transport.close()
    assert world.reactor.readers == []
    assert world.readers.fileno() == -1


def test_it_is_one_reader(world: World) -> None:
    assert verifyObject(IReadDescriptor, world.readers)
    assert world.readers.logPrefix() == "cyclone.websocket"
    assert world.reactor.readers == [world.readers]
    world.transports[0].startReading()
    assert world.reactor.readers == [world.readers]
    assert world.readers.writers is world.reactor.writers  # what it does not do the reactor does


def test_who_has_something_is_read(world: World) -> None:
    world.readers.doRead()
    world.send(0, 2)
    assert select.select([world.readers], [], [], 0)[0]
    world.readers.doRead()
    assert [transport.events for transport in world.transports] == [[b"x"], [], [b"x"]]
    assert not select.select([world.readers], [], [], 0)[0]


def test_who_is_paused_is_not_read(world: World) -> None:
    world.transports[0].stopReading()
    world.transports[0].stopReading()
    world.send(0, 1)
    world.readers.doRead()
    assert (world.transports[0].events, world.transports[1].events) == ([], [b"x"])
    world.transports[0].startReading()
    world.readers.doRead()
    assert world.transports[0].events == [b"x"]


def test_it_leaves_when_it_is_empty_and_comes_back(world: World) -> None:
    for transport in world.transports:
        transport.stopReading()
    assert (world.reactor.readers, world.readers.fileno()) == ([], -1)
    world.transports[1].startReading()
    world.send(1)
    world.readers.doRead()
    assert world.transports[1].events == [b"x"]


def test_it_comes_back_when_the_reactor_was_emptied(world: World) -> None:
    world.reactor.readers.clear()
    world.transports[0].stopReading()
    world.transports[0].startReading()
    assert world.reactor.readers == [world.readers]
    assert repr(world.readers) == "<3 WebSocket connections>"


@pytest.mark.parametrize("how", ["stopReading", "close"])
def test_a_callback_may_stop_the_others(world: World, how: str) -> None:
    def stop_the_others() -> None:
        for other in world.transports:
            if not other.events:
                other.stopReading()
                if how == "close":
                    other.close()

    for transport in world.transports:
        transport.on_read = stop_the_others
    world.send(0, 1, 2)
    world.readers.doRead()
    assert sorted(transport.events for transport in world.transports) == [[], [], [b"x"]]


def test_a_callback_may_stop_all(world: World) -> None:
    def stop_all() -> None:
        for other in world.transports:
            other.stopReading()

    world.transports[0].on_read = stop_all
    world.send(0)
    world.readers.doRead()
    assert world.readers.fileno() == -1


@pytest.mark.parametrize(
    ("why", "events"),
    [
        (ConnectionDone(), [b"x", ConnectionDone]),
        (ConnectionLost(), [b"x", ConnectionLost]),
    ],
    ids=["closed", "broken"],
)
def test_a_connection_that_ends(world: World, why: Exception, events: list[Any]) -> None:
    world.transports[1].on_read = lambda: why
    world.send(0, 1, 2)
    world.readers.doRead()
    assert world.transports[1].events == events
    assert world.transports[0].events == world.transports[2].events == [b"x"]
    assert (world.reactor.writers == []) == isinstance(why, ConnectionDone)


class LoggedTests(unittest.TestCase):
    """What is raised is logged, and ends nobody else."""

    def setUp(self) -> None:
        self.world = World()

    def tearDown(self) -> None:
        for transport in self.world.transports:
            transport.stopReading()
            transport.close()

    def fail_in(self, transport: Transport) -> None:
        def fail() -> None:
            raise LookupError

        transport.on_read = fail

    def test_an_error_while_reading(self) -> None:
        self.fail_in(self.world.transports[0])
        self.world.send(0, 1, 2)
        self.world.readers.doRead()
        assert [transport.events for transport in self.world.transports] == [
            [b"x", LookupError],
            [b"x"],
            [b"x"],
        ]
        logged = self.flushLoggedErrors(LookupError)  # type: ignore[no-untyped-call]
        assert len(logged) == 1

    def test_an_error_while_that_is_told(self) -> None:
        self.fail_in(self.world.transports[0])
        self.world.transports[0].events.append("raise")
        self.world.send(0, 1)
        self.world.readers.doRead()
        assert self.world.transports[1].events == [b"x"]
        logged = self.flushLoggedErrors(LookupError, ZeroDivisionError)  # type: ignore[no-untyped-call]
        assert len(logged) == 2

    def test_the_reactor_drops_all(self) -> None:
        self.world.transports[1].events.append("raise")
        self.world.reactor.readers.clear()
        self.world.reactor.removeReader = lambda _: None
        self.world.readers.connectionLost(Failure(ConnectionLost()))  # type: ignore[no-untyped-call]
        for transport in self.world.transports:
            assert transport.events[-1] is ConnectionLost
        assert self.world.readers.fileno() == -1
        logged = self.flushLoggedErrors(ZeroDivisionError)  # type: ignore[no-untyped-call]
        assert len(logged) == 1


def test_a_socket_that_was_closed_behind_its_back(world: World) -> None:
    lost = world.transports[0]
    number = lost.fileno()
    lost.close()
    fresh = Transport(world.readers)
    world.transports.append(fresh)
    assert fresh.fileno() == number
    fresh.startReading()
    fresh.peer.send(b"x")
    world.readers.doRead()
    assert fresh.events == [b"x"]
    number = fresh.socket.detach()
    os.close(number)
    fresh.fileno = lambda: number
    fresh.stopReading()
    with pytest.raises(OSError, match=os.strerror(errno.EBADF)):
        os.fstat(number)


def test_other_reactors_are_left_alone() -> None:
    transport = Transport(Clock())
    adopt(transport)
    assert isinstance(transport.reactor, Clock)
    transport.close()


# --- real connections -------------------------------------------------------------------------


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
        return [reader for reader in reactor.getReaders() if isinstance(reader, Readers)]

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
