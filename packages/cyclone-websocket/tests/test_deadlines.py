"""Deadlines: few timers for many, on a monotonic clock."""

from __future__ import annotations

import time

import pytest
from twisted.internet.task import Clock

from cyclone.websocket._deadlines import LONGEST_SLEEP, Deadlines, shared_deadlines


class Two:
    """The reactor's clock and the monotonic one, which may part."""

    def __init__(self) -> None:
        self.reactor = Clock()
        self.now = 0.0
        self.deadlines = Deadlines(self.reactor, lambda: self.now)
        self.fired: list[object] = []

    def after(self, delay: float, name: object) -> object:
        return self.deadlines.after(delay, lambda: self.fired.append(name))

    def advance(self, seconds: float, step: float = 0.25) -> None:
        while seconds > 0:
            self.now += step
            self.reactor.advance(step)
            seconds -= step


def test_they_fire_in_order_and_not_early() -> None:
    two = Two()
    two.after(10, "a")
    two.advance(1)
    two.after(10, "b")
    two.after(2, "c")
    two.advance(2.5)
    assert two.fired == ["c"]
    two.advance(6.25)
    assert two.fired == ["c"]
    two.advance(1)
    assert two.fired == ["c", "a"]
    two.advance(2)
    assert two.fired == ["c", "a", "b"]
    assert two.reactor.getDelayedCalls() == []


def test_a_cancelled_one_does_not_fire_and_leaves_no_timer() -> None:
    two = Two()
    first = two.deadlines.after(5, lambda: two.fired.append(1))
    second = two.deadlines.after(5, lambda: two.fired.append(2))
    first.cancel()
    first.cancel()
    assert len(two.reactor.getDelayedCalls()) == 1
    two.advance(6)
    assert two.fired == [2]
    second.cancel()
    third = two.deadlines.after(5, lambda: two.fired.append(3))
    third.cancel()
    assert two.reactor.getDelayedCalls() == []


def test_one_timer_for_many() -> None:
    two = Two()
    for index in range(1000):
        two.after(30, index)
    assert len(two.reactor.getDelayedCalls()) == 1
    two.advance(32)
    assert two.fired == list(range(1000))


def test_an_action_may_add_another() -> None:
    two = Two()

    def again() -> None:
        two.fired.append(len(two.fired))
        if len(two.fired) < 5:
            two.deadlines.after(1, again)

    two.deadlines.after(1, again)
    two.advance(10)
    assert two.fired == [0, 1, 2, 3, 4]
    assert two.reactor.getDelayedCalls() == []


def test_an_action_may_cancel_the_next() -> None:
    two = Two()
    deadlines = [two.deadlines.after(1, lambda: deadlines[1].cancel())]
    deadlines.append(two.deadlines.after(1, lambda: two.fired.append("no")))
    two.advance(2)
    two.after(1, "yes")
    two.advance(2)
    assert two.fired == ["yes"]


def test_f41_the_reactors_clock_may_jump() -> None:
    two = Two()
    two.after(30, "late")
    two.reactor.advance(3600)
    assert two.fired == []
    assert two.reactor.getDelayedCalls()[0].getTime() - two.reactor.seconds() <= LONGEST_SLEEP
    two.advance(31)
    assert two.fired == ["late"]


def test_short_delays_are_exact_enough() -> None:
    two = Two()
    two.after(0.01, "now")
    two.advance(0.02, step=0.001)
    assert two.fired == ["now"]


def test_the_cost_of_each_does_not_grow() -> None:
    def cost(count: int) -> float:
        two = Two()
        start = time.process_time()
        made = [two.deadlines.after(30, int) for _ in range(count)]
        for one in made:
            one.cancel()
        return (time.process_time() - start) / count

    assert cost(40_000) < 10 * cost(2_000) + 1e-5


def test_shared() -> None:
    class Owner:
        pass

    one, other, reactor = Owner(), Owner(), Clock()
    assert shared_deadlines(one, reactor) is shared_deadlines(one, reactor)
    assert shared_deadlines(one, reactor) is not shared_deadlines(other, reactor)


def test_what_an_action_raises_stops_no_other() -> None:
    two = Two()

    def fail() -> None:
        raise ZeroDivisionError

    two.deadlines.after(2, fail)
    two.after(2, "a")
    two.now = 2.5
    with pytest.raises(ZeroDivisionError):
        two.reactor.advance(2.5)
    two.advance(1)
    assert two.fired == ["a"]
    two.after(2, "b")
    two.advance(3)
    assert two.fired == ["a", "b"]
    assert two.reactor.getDelayedCalls() == []


def test_a_delay_that_nobody_uses_is_forgotten() -> None:
    two = Two()
    two.after(2, "a")
    two.deadlines.after(3, lambda: None).cancel()
    assert list(two.deadlines._lines) == [2]
    two.advance(3)
    assert two.fired == ["a"]
    assert two.deadlines._lines == {}
