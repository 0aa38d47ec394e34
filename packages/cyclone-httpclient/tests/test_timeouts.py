"""Deadlines on a monotonic clock, while wall time jumps (F-41)."""

from __future__ import annotations

import time

from twisted.internet import reactor
from twisted.internet.task import Clock

from cyclone.httpclient._timeouts import Deadline, clock_of


def make(seconds: float) -> tuple[Clock, list[float], list[str]]:
    wall, mono, fired = Clock(), [0.0], []
    deadline = Deadline(wall, lambda: mono[0], seconds, lambda: fired.append("now"))
    assert deadline is not None
    return wall, mono, fired


def test_fires_once() -> None:
    wall, mono, fired = make(5)
    mono[0] = 4.9
    wall.advance(4.9)
    assert fired == []
    mono[0] = 5.0
    wall.advance(0.1)
    assert fired == ["now"]
    assert not wall.getDelayedCalls()


def test_F_41_wall_time_jumps_forward() -> None:
    wall, mono, fired = make(5)
    wall.advance(3600)
    assert fired == []
    mono[0] = 5.0
    wall.advance(5)
    assert fired == ["now"]


def test_cancel() -> None:
    clock = Clock()
    fired: list[object] = []
    deadline = Deadline(clock, clock.seconds, 5, lambda: fired.append(1))
    deadline.cancel()
    deadline.cancel()
    clock.advance(10)
    assert fired == []
    deadline = Deadline(clock, clock.seconds, 5, lambda: fired.append(1))
    clock.advance(5)
    deadline.cancel()
    assert fired == [1]


def test_the_clock_of_a_reactor() -> None:
    fake = Clock()
    assert clock_of(fake)() == fake.seconds()
    assert clock_of(reactor) is time.monotonic
