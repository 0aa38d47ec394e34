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
from twisted.internet import tcp
from twisted.internet.defer import Deferred, gatherResults, maybeDeferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IHalfCloseableDescriptor, IReadDescriptor
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure
from twisted.trial import unittest
from zope.interface.verify import verifyObject

from cyclone.httpserver import HTTPServer, read_together
from cyclone.httpserver._readers import Readers, read_alone
from cyclone.httputil import HTTPHeaders

reactor = cast("Any", _reactor)
on_epoll = type(reactor).__name__ == "EPollReactor"

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="there is no epoll here")


class Reactor:
    """Only remembers its readers."""

    def __init__(self) -> None:
        self.readers: list[Any] = []
        self.writers: list[Any] = []
        self.removeWriter = self.writers.append

    def addReader(self, reader: Any) -> None:
        if reader not in self.readers:
            self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        if reader in self.readers:
            self.readers.remove(reader)


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


def test_it_is_one_reader(world: World) -> None:
    assert verifyObject(IReadDescriptor, world.readers)
    assert world.readers.logPrefix() == "cyclone.httpserver"
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
    assert world.reactor.readers == []
    world.transports[1].startReading()
    world.send(1)
    world.readers.doRead()
    assert world.transports[1].events == [b"x"]


def test_it_comes_back_when_the_reactor_was_emptied(world: World) -> None:
    world.reactor.readers.clear()
    world.transports[0].stopReading()
    world.transports[0].startReading()
    assert world.reactor.readers == [world.readers]
    assert repr(world.readers) == "<3 connections that are read together>"


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
    world.send(0, 1)
    world.readers.doRead()
    assert [transport.events for transport in world.transports] == [[b"x"], [], []]
    assert world.reactor.readers == []


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
        self.world.readers.connectionLost(Failure(ConnectionLost()))  # type: ignore[no-untyped-call]
        for transport in self.world.transports:
            assert transport.events[-1] is ConnectionLost
        assert self.world.readers._transports == {}
        logged = self.flushLoggedErrors(ZeroDivisionError)  # type: ignore[no-untyped-call]
        assert len(logged) == 1


def test_a_socket_that_was_closed_behind_its_back(world: World) -> None:
    lost, fresh = world.transports[0], Transport(world.readers)
    world.transports.append(fresh)
    number = lost.socket.detach()
    os.dup2(fresh.fileno(), number)  # the new socket has the number of the one that is closed
    fresh.socket.close()
    fresh.socket = socket.socket(fileno=number)
    fresh.fileno = fresh.socket.fileno
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
    read_together(transport)
    assert isinstance(transport.reactor, Clock)
    transport.close()


class Tuned(Transport):
    """One of a Twisted to come, which does not look at its ``reactor`` to be read."""

    def __init__(self, reactor: Any) -> None:
        super().__init__(reactor)
        self.source = reactor

    def startReading(self) -> None:
        self.source.addReader(self)

    def stopReading(self) -> None:
        self.source.removeReader(self)


@pytest.mark.parametrize(("kind", "together"), [(Transport, True), (Tuned, False)])
def test_a_transport_that_does_not_play_along(kind: Any, together: bool) -> None:
    from twisted.internet.epollreactor import EPollReactor

    class Epoll(Reactor, EPollReactor):
        pass

    own = Epoll()
    transport = kind(own)
    transport.startReading()
    read_together(transport)
    assert isinstance(transport.reactor, Readers) is together
    assert len(own.readers) == 1
    assert (own.readers == [transport]) is not together
    read_alone(transport)
    assert transport.reactor is own
    assert own.readers == [transport]
    transport.stopReading()
    transport.close()


def test_a_transport_without_a_reactor_is_left_alone() -> None:
    read_together(object())


@pytest.mark.parametrize("name", ["startReading", "stopReading", "stopWriting", "doRead"])
def test_what_it_calls_is_there(name: str) -> None:
    """What is needed of Twisted's transports beyond its interfaces."""
    assert callable(getattr(tcp.Server, name))
    assert IHalfCloseableDescriptor.implementedBy(tcp.Server)


def test_without_a_descriptor_the_reactor_reads(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for transport in world.transports:
        transport.stopReading()

    def no_more() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(select, "epoll", no_more)
    world.transports[0].startReading()
    assert world.reactor.readers == [world.transports[0]]
    assert world.transports[0].reactor is world.reactor
    monkeypatch.undo()
    world.transports[1].startReading()
    assert world.reactor.readers == [world.transports[0], world.readers]


def test_nothing_is_held_while_there_is_nobody(world: World) -> None:
    for transport in world.transports:
        transport.stopReading()
    assert (world.reactor.readers, world.readers.fileno()) == ([], -1)


@pytest.mark.parametrize("paused", [False, True])
def test_alone_again(world: World, paused: bool) -> None:
    transport = world.transports[0]
    if paused:
        transport.stopReading()
    read_alone(transport)
    assert transport.reactor is world.reactor
    assert (transport in world.reactor.readers) is not paused
    read_alone(transport)
    assert transport.reactor is world.reactor
    world.send(0, 1)
    world.readers.doRead()
    assert [each.events for each in world.transports] == [[], [b"x"], []]


def test_alone_is_what_others_are_already() -> None:
    read_alone(object())


# --- real connections -------------------------------------------------------------------------


class Peer(Protocol):
    """A client that counts its answers, which end in a line of their own."""

    def __init__(self) -> None:
        self.received = b""
        self._waiting: list[tuple[int, Deferred[bytes]]] = []
        self.lost: Deferred[None] = Deferred()

    def ask(self, path: str, body: bytes = b"") -> None:
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
        if not body:
            head = f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n"
        cast("Any", self.transport).write(head.encode() + body)

    def answers(self, count: int) -> Deferred[bytes]:
        """Fires when so many answers have come."""
        waiting: Deferred[bytes] = Deferred()
        self._waiting.append((count, waiting))
        self.dataReceived(b"")
        return waiting

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        for count, waiting in self._waiting[:]:
            if self.received.count(b"!\n") >= count:
                self._waiting.remove((count, waiting))
                waiting.callback(self.received)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.callback(None)


class NetworkTests(unittest.TestCase):
    if not on_epoll:
        skip = "the reactor is not on epoll"

    def setUp(self) -> None:
        self.held: list[Any] = []
        self.connections: list[Any] = []
        self.server = HTTPServer(self.answer)
        self.port = reactor.listenTCP(0, self.server, interface="127.0.0.1")
        self.peers: list[Peer] = []

    async def tearDown(self) -> None:  # type: ignore[override]
        for peer in self.peers:
            cast("Any", peer.transport).abortConnection()
        await gatherResults([peer.lost for peer in self.peers])
        await self.server.stop(deadline=1)
        await maybeDeferred(self.port.stopListening)
        assert self.group() == []

    def answer(self, request: Any) -> None:
        if request.path == "/hold":
            self.held.append(request)
        elif request.path == "/raise":
            raise ZeroDivisionError
        elif request.path == "/abort":
            for connection in list(self.server.connections):
                if connection is not request.connection:
                    connection.transport.abortConnection()
            respond(request, b"aborted")
        elif request.path == "/detach":
            self.detached = request.connection.detach(Echo())
        else:
            respond(request, request.body)

    def group(self) -> list[Any]:
        return [reader for reader in reactor.getReaders() if isinstance(reader, Readers)]

    async def connect(self, count: int) -> list[Peer]:
        endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", self.port.getHost().port)
        found = [connectProtocol(endpoint, Peer()) for _ in range(count)]  # type: ignore[no-untyped-call]
        self.peers = list(await gatherResults(found))
        return self.peers

    async def ask_all(self, times: int) -> None:
        for _ in range(times):
            for peer in self.peers:
                peer.received = b""
                peer.ask("/")
            await gatherResults([peer.answers(1) for peer in self.peers])

    async def test_the_second_request_in_a_crowd(self) -> None:
        await self.connect(6)
        await self.ask_all(1)
        assert self.group() == []
        await self.ask_all(2)
        assert repr(self.group()) == "[<6 connections that are read together>]"
        large = os.urandom(3_000_000).replace(b"!\n", b"??")
        for peer in self.peers:
            peer.received = b""
            peer.ask("/", large)
        for received in await gatherResults([peer.answers(1) for peer in self.peers]):
            assert received.endswith(large + b"!\n")

    async def test_a_few_are_left_alone(self) -> None:
        await self.connect(3)
        await self.ask_all(5)
        assert self.group() == []

    async def test_a_flood_is_stopped_and_goes_on(self) -> None:
        """Reading is paused while an answer is due, and nothing is lost."""
        await self.connect(5)
        await self.ask_all(2)
        flooder = self.peers[2]
        flooder.ask("/hold")
        for _ in range(5000):
            flooder.ask("/")
        self.peers[0].ask("/")
        await self.peers[0].answers(2)
        while not self.held:
            await deferLater(reactor, 0)
        respond(self.held[0], b"")
        await flooder.answers(1 + 1 + 5000)

    async def test_those_that_another_one_aborts(self) -> None:
        await self.connect(8)
        await self.ask_all(2)
        for peer in self.peers:
            peer.ask("/")
        self.peers[3].ask("/abort")
        await self.peers[3].answers(3)
        await gatherResults([peer.lost for peer in self.peers if peer is not self.peers[3]])
        assert len(self.server.connections) == 1
        self.peers[3].ask("/")
        await self.peers[3].answers(4)

    async def test_a_failure_is_the_answer_of_its_own_request(self) -> None:
        await self.connect(4)
        await self.ask_all(2)
        self.peers[0].ask("/raise")
        self.peers[1].ask("/")
        await self.peers[1].answers(2)
        while b" 500 " not in self.peers[0].received:
            await deferLater(reactor, 0)

    async def test_another_protocol_has_the_transport_for_itself(self) -> None:
        await self.connect(4)
        await self.ask_all(2)
        self.peers[1].ask("/detach")
        cast("Any", self.peers[1].transport).write(b"one!\n")
        await self.peers[1].answers(2)
        assert self.detached.reactor is reactor
        assert self.detached in reactor.getReaders()
        cast("Any", self.peers[1].transport).write(b"two!\n")
        assert (await self.peers[1].answers(3)).endswith(b"one!\ntwo!\n")

    async def test_clients_that_leave(self) -> None:
        await self.connect(5)
        await self.ask_all(2)
        for peer in self.peers:
            cast("Any", peer.transport).loseConnection()
        await gatherResults([peer.lost for peer in self.peers])
        while self.server.connections:
            await deferLater(reactor, 0)
        assert self.group() == []


class Echo(Protocol):
    def dataReceived(self, data: bytes) -> None:
        cast("Any", self.transport).write(data)


def respond(request: Any, body: bytes) -> None:
    request.connection.write_response(request, 200, None, HTTPHeaders(), body + b"!\n")
