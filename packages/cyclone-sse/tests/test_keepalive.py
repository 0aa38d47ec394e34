"""The sweep over open streams."""

from __future__ import annotations

from twisted.internet.task import Clock

from cyclone.sse._keepalive import Sweeper, sweeper_of
from cyclone.web import Application


class Stream:
    def __init__(self) -> None:
        self.swept: list[float] = []

    def _sweep(self, now: float) -> None:
        self.swept.append(now)


def test_one_timer_for_all() -> None:
    clock = Clock()
    sweeper = Sweeper(clock, clock.seconds)
    streams = [Stream() for _ in range(50)]
    for stream in streams:
        sweeper.add(stream)
    assert len(clock.getDelayedCalls()) == 1
    clock.pump([1, 1])
    assert all(stream.swept == [1, 2] for stream in streams)
    assert len(clock.getDelayedCalls()) == 1
    for stream in streams:
        sweeper.discard(stream)
        sweeper.discard(stream)
    assert clock.getDelayedCalls() == []


def test_streams_that_end_while_they_are_swept() -> None:
    clock = Clock()
    sweeper = Sweeper(clock, clock.seconds)

    class Ending(Stream):
        def _sweep(self, now: float) -> None:
            super()._sweep(now)
            sweeper.discard(self)

    streams = [Ending(), Ending()]
    for stream in streams:
        sweeper.add(stream)
    clock.advance(1)
    assert [stream.swept for stream in streams] == [[1], [1]]
    assert clock.getDelayedCalls() == []
    sweeper.add(streams[0])
    clock.advance(1)
    assert streams[0].swept == [1, 2]


def test_an_application_has_one() -> None:
    first, second = Application(reactor=Clock()), Application(reactor=Clock())
    assert sweeper_of(first) is sweeper_of(first)
    assert sweeper_of(first) is not sweeper_of(second)
    assert len(sweeper_of(first)) == 0
