"""Virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.interfaces import IReactorTime
from twisted.trial import unittest
from zope.interface.verify import verifyObject

from cyclone.testing import VirtualClock
from cyclone.testing._clock import ClockedReactor


def test_it_is_a_reactors_time() -> None:
    assert verifyObject(IReactorTime, VirtualClock())


def test_each_timer_runs_at_its_own_moment() -> None:
    clock, seen = VirtualClock(), list[Any]()

    def every_ten(count: int) -> None:
        seen.append((clock.seconds(), count))
        if count:
            clock.callLater(10, every_ten, count - 1)

    clock.callLater(10, every_ten, 2)
    clock.callLater(15, lambda: seen.append(clock.seconds()))
    clock.advance(100)
    assert seen == [(10, 2), 15, (20, 1), (30, 0)]
    assert clock.seconds() == 100


def test_what_is_sent_arrives_before_the_next_timer_runs() -> None:
    clock, seen = VirtualClock(), list[str]()
    clock.callLater(1, clock.wire.soon, lambda: seen.append("arrived"))
    clock.callLater(2, seen.append, "timer")
    clock.advance(2)
    assert seen == ["arrived", "timer"]


def test_calls_without_a_delay_run_when_anything_does() -> None:
    clock, seen = VirtualClock(), list[str]()
    clock.callLater(0, seen.append, "now")
    assert seen == []
    clock.settle()
    assert (seen, clock.seconds()) == (["now"], 0)


def test_advance_within_a_timer() -> None:
    clock, seen = VirtualClock(), list[float]()
    clock.callLater(1, clock.advance, 5)
    clock.callLater(3, lambda: seen.append(clock.seconds()))
    clock.advance(1)
    assert seen == [3]


def test_time_does_not_go_back() -> None:
    with pytest.raises(ValueError, match="does not go back"):
        VirtualClock().advance(-1)


def test_sleep() -> None:
    clock, seen = VirtualClock(), list[None]()
    clock.sleep(60).addCallback(seen.append)
    clock.advance(59)
    assert not seen
    clock.advance(1)
    assert seen == [None]


class TestBesideTheReactor(unittest.TestCase):
    """With a running reactor, what is due now does not wait for the test."""

    async def test_calls_without_a_delay_run_by_themselves(self) -> None:
        from twisted.internet import reactor, task

        await task.deferLater(reactor, 0)
        clock, seen = VirtualClock(), list[str]()
        clock.callLater(0, seen.append, "called")
        clock.callFromThread(seen.append, "from a thread")
        assert seen == []
        for _ in range(3):
            await task.deferLater(reactor, 0)
        assert seen == ["called", "from a thread"]

    async def test_a_reactor_with_virtual_timers(self) -> None:
        from twisted.internet import reactor, task

        clock, seen = VirtualClock(), list[str]()
        clocked = ClockedReactor(reactor, clock)
        clocked.callLater(3600, seen.append, "virtual")
        clocked.callLater(0, seen.append, "real")
        await task.deferLater(reactor, 0.001)
        assert seen == ["real"]
        clock.advance(3600)
        assert (seen, clocked.seconds()) == (["real", "virtual"], 3600)
        assert clocked.listenTCP == reactor.listenTCP


def test_call_from_thread_without_a_reactor() -> None:
    clock, seen = VirtualClock(), list[str]()
    clock.callFromThread(seen.append, "called")
    clock.settle()
    assert seen == ["called"]
