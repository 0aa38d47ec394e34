"""Stopping, with a clock that stands still."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cyclone.cli import _drain
from cyclone.httpserver import HTTPServer


class Gate:
    limit = 1000

    def __init__(self, ports: list[Any], connections: set[int]) -> None:
        self.ports = ports
        self._connections = connections

    @property
    def paused(self) -> bool:
        return len(self._connections) >= self.limit


class Port:
    connected = True
    numberAccepts = 8

    def __init__(self, connections: set[int]) -> None:
        self.waiting = 20
        self._connections = connections

    def doRead(self) -> None:
        for _ in range(min(self.numberAccepts, self.waiting)):
            self.waiting -= 1
            self._connections.add(-self.waiting)


class Server:
    """What a drain needs of an `HTTPServer`."""

    def __init__(self) -> None:
        self.open_connections = {1, 2}
        self.port = Port(self.open_connections)
        self.gate = Gate([self.port], self.open_connections)
        self.stopped: list[float] = []
        self.end: Deferred[int] = Deferred()

    def stop(self, deadline: float) -> Deferred[int]:
        self.stopped.append(deadline)
        return self.end


@pytest.fixture(autouse=True)
def _not_draining(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Called for the class, because a program's own Application may have another stop()
    monkeypatch.setattr(HTTPServer, "stop", Server.stop)
    yield
    _drain._draining = False


def make(server: Server, clock: Clock, **options: Any) -> tuple[_drain.Drain, list[Any]]:
    seen: list[Any] = []
    drain = _drain.Drain(
        server,  # type: ignore[arg-type]
        clock,
        done=seen.append,
        closed=lambda: seen.append("closed"),
        **options,
    )
    return drain, seen


def test_order() -> None:
    server = Server()
    drain, seen = make(server, Clock(), timeout=7)
    drain.begin("SIGTERM")
    drain.begin("SIGTERM")
    assert _drain.is_draining()
    assert server.port.waiting == 0  # what waits in the kernel is accepted first
    assert (server.stopped, seen) == ([7], ["closed"])
    server.end.callback(2)
    assert seen == ["closed", 2]


def test_no_more_is_accepted_than_may_be() -> None:
    server = Server()
    server.gate.limit = 10
    make(server, Clock())[0].begin("SIGTERM")
    assert server.port.waiting == 12
    assert len(server.stopped) == 1


def test_delay() -> None:
    server, clock = Server(), Clock()
    drain, _ = make(server, clock, delay=3)
    drain.begin("SIGTERM")
    assert _drain.is_draining()
    clock.advance(2)
    assert server.stopped == []
    clock.advance(2)
    assert server.stopped == [25.0]


def test_f39_what_is_left_of_the_time() -> None:
    drain, _ = make(Server(), Clock(), timeout=7, delay=2)
    drain.begin("SIGTERM")
    assert 0 < drain.left() <= 9


def test_a_failure_is_an_end_too() -> None:
    server = Server()
    drain, seen = make(server, Clock())
    drain.begin("SIGTERM")
    server.end.errback(RuntimeError())
    assert seen == ["closed", 0]


class Reactor:
    def callFromThread(self, function: Any, *arguments: Any) -> None:
        function(*arguments)


def test_signals() -> None:
    seen: list[Any] = []
    before = signal.getsignal(signal.SIGUSR2)
    try:
        insisted = lambda number: seen.append(("insisted", number))  # noqa: E731
        _drain.Signals(Reactor(), seen.append, seen.append, insisted).install(signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR2)
        signal.raise_signal(signal.SIGUSR2)
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert seen == ["SIGUSR2", ("insisted", signal.SIGUSR2), signal.SIGUSR2]
