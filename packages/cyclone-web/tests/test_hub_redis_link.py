"""One connection to Redis: made again when it is lost, tried when it is silent."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cyclone.web._hub_redis_link import (
    MAX_DELAY,
    PING_INTERVAL,
    CommandProtocol,
    Link,
    SubscriptionProtocol,
)


class Transport:
    """What the client wrote, and whether it gave up."""

    disconnecting = False

    def __init__(self, protocol: Any, clock: Clock) -> None:
        self.protocol = protocol
        self.clock = clock
        self.written = b""
        self.lost = False

    def write(self, data: bytes) -> None:
        self.written += data

    def abortConnection(self) -> None:
        if not self.lost:
            self.lost = True
            reason = Failure(ConnectionLost())  # type: ignore[no-untyped-call]
            self.clock.callLater(0, self.protocol.connectionLost, reason)

    loseConnection = abortConnection

    def pauseProducing(self) -> None:
        pass

    resumeProducing = pauseProducing


class World:
    """An endpoint, and a link over it."""

    def __init__(self, prepared: Any = None, **more: Any) -> None:
        self.clock = Clock()
        self.up = True
        self.prepared = prepared or succeed
        self.ready = 0
        self.transports: list[Transport] = []
        self.attempts = 0
        self.link = Link(self, self.clock, 5.0, self.prepare, self.on_ready, **more)
        self.link.start()

    def connect(self, factory: Any) -> Deferred[Any]:
        self.attempts += 1
        if not self.up:
            return fail(OSError(111, "Connection refused"))
        protocol = factory.buildProtocol(None)
        self.transports.append(Transport(protocol, self.clock))
        protocol.makeConnection(self.transports[-1])
        return succeed(protocol)

    def prepare(self, protocol: Any) -> Any:
        return self.prepared(None)

    def on_ready(self) -> None:
        self.ready += 1

    def wait(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.clock.advance(0.1)


def test_a_link_for_commands_and_one_for_a_subscription() -> None:
    assert isinstance(World().link.protocol, CommandProtocol)
    got: list[bytes] = []
    world = World(on_message=got.append)
    assert isinstance(world.link.protocol, SubscriptionProtocol)
    world.link.protocol.dataReceived(b"*3\r\n$7\r\nmessage\r\n$1\r\nt\r\n$2\r\n\xff\x00\r\n")
    world.clock.advance(0)
    assert got == [b"\xff\x00"]


@pytest.mark.parametrize(("size", "kept"), [(999, True), (1000, True), (1001, False)])
def test_the_largest_reply_LG_14(size: int, kept: bool, caplog: pytest.LogCaptureFixture) -> None:
    """LG-14."""
    world = World(max_reply=1000)
    replies: list[Any] = []
    world.link.protocol.execute_command("GET", "x").addCallbacks(replies.append, replies.append)
    world.link.protocol.dataReceived(b"$%d\r\n" % size + bytes(size) + b"\r\n")
    assert world.transports[0].lost is not kept
    world.clock.advance(0)
    if kept:
        assert replies == [bytes(size)]
    else:
        assert isinstance(replies[0], Failure)
        assert "Redis cannot be used: a reply is too large" in caplog.text


def test_it_is_ready_only_when_it_is_prepared() -> None:
    waiting: Deferred[None] = Deferred()
    world = World(lambda _: waiting)
    assert (world.ready, world.link.protocol) == (0, None)
    waiting.callback(None)
    assert world.ready == 1
    assert world.link.protocol is not None


def test_a_lost_connection_is_made_again(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    caplog.set_level("INFO")
    for _ in range(2):
        world.transports[-1].abortConnection()
        world.clock.advance(0)
        assert world.link.protocol is None
        world.wait(3)
        assert world.link.protocol is not None
    assert world.ready == 3
    said = [record.getMessage() for record in caplog.records]
    assert (
        said
        == [
            "Redis cannot be used: the connection was lost",
            "Redis can be used again",
        ]
        * 2
    )


def test_attempts_become_rarer_and_are_complained_of_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.up = False
    world.transports[-1].abortConnection()
    world.wait(60)
    early = world.attempts
    world.wait(60)
    assert world.attempts - early <= 60 / MAX_DELAY + 1
    assert len(caplog.records) == 1


def test_a_login_that_fails_is_tried_again_later(caplog: pytest.LogCaptureFixture) -> None:
    world = World(lambda _: fail(ValueError("wrong password")))
    assert world.transports[0].lost
    world.wait(5)
    assert len(world.transports) > 1
    assert [record.getMessage() for record in caplog.records] == [
        "Redis cannot be used: wrong password"
    ]
    assert world.ready == 0


def test_a_silent_connection_is_tried_and_broken_off() -> None:
    world = World()
    world.wait(PING_INTERVAL + 1)
    assert world.transports[0].written == b"*1\r\n$4\r\nPING\r\n"
    before = world.link.protocol
    world.wait(6)
    assert world.link.protocol is not before
    world.wait(3)
    assert world.ready == 2


def test_a_connection_lost_while_it_is_prepared() -> None:
    waiting: list[Deferred[None]] = []

    def prepare(_: object) -> Deferred[None]:
        waiting.append(Deferred())
        return waiting[-1]

    world = World(prepare)
    world.transports[0].abortConnection()
    world.clock.advance(0)
    waiting[0].errback(Failure(ConnectionLost()))  # type: ignore[no-untyped-call]
    world.wait(3)
    waiting[1].callback(None)
    assert (world.ready, world.attempts) == (1, 2)


def test_stopped_while_it_is_prepared() -> None:
    world = World(lambda _: Deferred())
    world.link.stop()
    world.wait(60)
    assert world.transports[0].lost
    assert (world.attempts, world.ready) == (1, 0)


def test_an_answered_ping_keeps_it() -> None:
    world = World()
    for _ in range(3):
        world.wait(PING_INTERVAL + 0.5)
        world.link.protocol.dataReceived(b"+PONG\r\n")
    assert world.transports[0].written.count(b"PING") == 3
    assert not world.transports[0].lost


def test_stopped_for_good() -> None:
    world = World()
    done: list[Any] = []
    world.link.stop().addCallback(done.append)
    world.wait(2 * PING_INTERVAL)
    assert done == [None]
    assert world.transports[0].lost
    assert (world.attempts, world.ready, world.link.protocol) == (1, 1, None)
    assert [call for call in world.clock.getDelayedCalls() if call.active()] == []
