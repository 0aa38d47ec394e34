"""Deadlines: one sweep, on a monotonic clock."""

from __future__ import annotations

import pytest
from http_support import Client, G, H, S
from twisted.internet.task import Clock

from cyclone.httpserver import HTTPRequest, HTTPServer
from cyclone.httpserver._timeouts import NEVER, Sweeper

GET = G + H + b"\r\n"


class Item:
    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.fired: list[float] = []

    def timed_out(self, now: float) -> None:
        self.deadline = NEVER
        self.fired.append(now)


def test_sweeper() -> None:
    clock = Clock()
    items = [Item(2.5), Item(NEVER)]
    sweeper = Sweeper(lambda: items, clock, clock.seconds)
    sweeper.start()
    sweeper.start()
    clock.pump([0.5] * 10)
    assert items[0].fired == [3.0]
    assert not items[1].fired
    items.clear()
    clock.advance(1)
    assert not clock.getDelayedCalls()


def test_tasks_keep_it_going() -> None:
    clock = Clock()
    sweeper = Sweeper(list, clock, clock.seconds)
    times: list[float] = []

    def task(now: float) -> bool:
        times.append(now)
        return len(times) < 3

    sweeper.add_task(task)
    clock.pump([1] * 6)
    assert times == [1, 2, 3]
    assert not clock.getDelayedCalls()


class TestClockJumps:
    """F-41: the reactor's clock is the wall clock; deadlines are not."""

    def test_forward(self) -> None:
        wall, monotonic = Clock(), Clock()
        server = HTTPServer(lambda request: None, reactor=wall, monotonic=monotonic.seconds)
        client = Client(server=server)
        client.send(G)
        wall.advance(3600)
        wall.advance(3600 * 24 * 365 * 10)
        assert not client.wire.closing

    def test_backward(self) -> None:
        """The reactor's timer comes hours late: other clients' input finds the late ones."""
        wall, monotonic = Clock(), Clock()
        server = HTTPServer(lambda request: None, reactor=wall, monotonic=monotonic.seconds)
        slow, other = Client(server=server), Client(server=server)
        slow.send(G)
        monotonic.advance(12)
        assert not slow.wire.closing
        other.send(G)
        assert slow.wire.closing


@pytest.mark.parametrize("wait", [9.0, 12.0])
def test_head_F11(wait: float) -> None:
    client = Client()
    client.send(GET)
    client.advance(30)
    client.send(G)
    for _ in range(int(wait) - 2):
        client.advance(1)
        client.send(b"X")
    client.advance(2)
    assert client.statuses == ([200] if wait < 10 else [200, 408])
    assert client.wire.closing == (wait > 10)


def test_first_request_silence_F14() -> None:
    client = Client()
    client.advance(14)
    assert not client.wire.closing
    client.advance(3)
    assert client.wire.aborted
    assert client.received == b""


def test_a_new_connection_has_no_longer_than_an_idle_one() -> None:
    client = Client(idle_connection_timeout=5)
    client.advance(4)
    assert not client.wire.closing
    client.advance(2)
    assert client.wire.aborted


LENGTH = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
CODED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
# What a client sends at first, what each second after that, and when it is cut off: not before the
# first and not after the second figure, in seconds.
SLOW = {
    "F-14 nothing": (b"", b"", 15, 17),
    "F-11 half a line": (b"GET", b"", 10, 12),
    "F-11 a byte each second": (b"G", b"E", 10, 12),
    "F-11 a field each second": (G + H, b"X: 1\r\n", 10, 12),
    "F-11 the second request": (GET + G, b"X", 10, 12),
    "F-14 the second request never comes": (GET, b"", 75, 77),
    "F-12 no body": (LENGTH, b"", 30, 32),
    "F-12 the body stops": (LENGTH + b"x" * 100_000, b"", 30, 32),
    "F-12 a chunk stops": (CODED + b"ffff\r\nx", b"", 30, 32),
    "F-12 the last chunk never comes": (CODED + b"1\r\nx\r\n", b"", 30, 32),
    "F-15 a byte each second": (LENGTH, b"x", 30, 32),
    "F-15 just too slow": (LENGTH, b"x" * 230, 30, 32),
    "F-15 a chunk each second": (CODED, b"1\r\nx\r\n", 30, 32),
    "F-15 an endless trailer": (CODED + b"0\r\nX: ", b"x", 30, 32),
}


@pytest.mark.parametrize(
    ("first", "second", "earliest", "latest"), SLOW.values(), ids=[f"CN-10 {name}" for name in SLOW]
)
def test_no_client_is_waited_for_without_end(
    first: bytes, second: bytes, earliest: float, latest: float
) -> None:
    client = Client()
    client.send(first)
    closed = None
    while closed is None and client.clock.seconds() < 200:
        client.advance(1)
        client.send(second)
        closed = client.clock.seconds() if client.wire.closing else None
    assert closed is not None
    assert earliest <= closed <= latest
    assert len(client.requests) == first.startswith(GET)
    client.advance(7)  # and then it is really gone
    assert client.wire.aborted or client.wire.disconnecting


def test_first_request_dribble_is_bounded() -> None:
    client = Client()
    client.advance(14)
    client.send(G)
    client.advance(3)
    assert client.statuses == [408]


def test_idle() -> None:
    client = Client()
    client.send(GET)
    client.advance(74)
    assert not client.wire.closing
    client.advance(3)
    assert client.wire.disconnecting
    assert client.statuses == [200]


def test_a_slow_handler_has_time() -> None:
    waiting: list[HTTPRequest] = []
    client = Client(waiting.append)
    client.send(GET)
    client.advance(1000)
    client.echo(waiting[0])
    assert client.statuses == [200]


@pytest.mark.parametrize(
    "name",
    ["header_timeout", "first_request_timeout", "idle_connection_timeout", "body_timeout"],
)
def test_off(name: str) -> None:
    client = Client(**{name: None, "first_request_timeout": None})
    if name == "header_timeout":
        client.send(G)
    elif name == "idle_connection_timeout":
        client.send(GET)
    elif name == "body_timeout":
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n")
    client.advance(500)
    assert not client.wire.closing


def test_lingering_ends() -> None:
    client = Client()
    client.send(b"BAD\r\n\r\n" + S)
    assert client.wire.write_closed
    client.send(b"x" * 1000)
    client.advance(7)
    assert client.wire.aborted
    assert client.statuses == [400]


def test_no_timer_is_left() -> None:
    """F-33: fds and timers go back to where they were."""
    client = Client()
    client.send(GET)
    client.hang_up()
    assert not client.clock.getDelayedCalls()
    assert not client.server.connections
