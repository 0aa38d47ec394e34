"""Deliveries happen outside the call that made them."""

from __future__ import annotations

import pytest
from twisted.trial import unittest

from cyclone.testing import _pump
from cyclone.testing._pump import Pump


def test_without_a_running_reactor_at_once_and_never_nested() -> None:
    pump, seen = Pump(), list[str]()

    def first() -> None:
        pump.soon(lambda: seen.append("second"))
        seen.append("first")

    pump.soon(first)
    assert seen == ["first", "second"]


def test_what_is_held_comes_when_the_block_is_over() -> None:
    pump, seen = Pump(), list[str]()
    with pump.held():
        pump.soon(lambda: seen.append("delivered"))
        with pump.held():
            pass
        pump.run()
        assert seen == []
    assert seen == ["delivered"]


def test_a_failing_delivery_does_not_stop_the_pump_for_ever() -> None:
    pump, seen = Pump(), list[str]()
    with pytest.raises(ZeroDivisionError):
        pump.soon(lambda: 1 / 0)
    pump.soon(lambda: seen.append("next"))
    assert seen == ["next"]


def test_two_ends_that_never_rest_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pump, "MAX_STEPS", 50)
    pump = Pump()

    def again() -> None:
        pump.soon(again)

    with pytest.raises(RuntimeError, match="never come to rest"):
        pump.soon(again)


class TestWithARunningReactor(unittest.TestCase):
    """The next turn is soon enough."""

    async def test_the_next_turn(self) -> None:
        from twisted.internet import reactor, task

        await task.deferLater(reactor, 0)
        pump, seen = Pump(), list[str]()
        pump.soon(lambda: seen.append("later"))
        pump.soon(lambda: seen.append("too"))
        assert seen == []
        await task.deferLater(reactor, 0)
        assert seen == ["later", "too"]
