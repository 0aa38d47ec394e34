"""Tornado's loop over the reactor."""

from __future__ import annotations

import datetime
import logging
import threading
from typing import Any

import pytest
from reactor_support import coroutine, later
from twisted.trial import unittest

from cyclone.testing import AsyncTestCase, ReactorLoop


class TestLoop(AsyncTestCase):
    def test_timers_in_order(self) -> None:
        seen: list[Any] = []
        loop = self.io_loop
        loop.add_timeout(loop.time() + 0.02, seen.append, "at")
        loop.add_timeout(datetime.timedelta(seconds=0.01), seen.append, "delta")
        loop.call_later(-1, seen.append, "past")
        cancelled = loop.call_at(loop.time(), seen.append, "cancelled")
        loop.remove_timeout(cancelled)
        loop.remove_timeout(cancelled)
        loop.call_later(0.03, self.stop)
        self.wait()
        self.assertEqual(seen, ["past", "delta", "at"])

    def test_callbacks(self) -> None:
        seen: list[Any] = []

        async def asynchronous(value: str) -> None:
            await later()
            seen.append(value)
            self.stop()

        self.io_loop.add_callback(seen.append, "callback")
        self.io_loop.spawn_callback(asynchronous, value="async")
        self.wait()
        self.assertEqual(seen, ["callback", "async"])

    def test_callbacks_from_a_thread(self) -> None:
        thread = threading.Thread(target=lambda: self.io_loop.add_callback(self.stop, 7))
        self.io_loop.add_callback(thread.start)
        self.assertEqual(self.wait(), 7)
        thread.join()

    def test_add_future(self) -> None:
        deferred = later(0, "value")
        self.io_loop.add_future(deferred, self.stop)
        self.assertEqual(self.wait().result(), "value")

    def test_run_in_executor(self) -> None:
        result = self.io_loop.run_sync(
            lambda: self.io_loop.run_in_executor(None, lambda a, b: a + b, 1, 2)
        )
        self.assertEqual(result, 3)

    def test_run_sync(self) -> None:
        self.assertEqual(self.io_loop.run_sync(coroutine), "coroutine")
        with self.assertRaises(TimeoutError):
            self.io_loop.run_sync(lambda: later(60), timeout=0.01)

    def test_timers_end_with_the_test(self) -> None:
        timers = [self.io_loop.call_later(60, self.fail), self.io_loop.call_later(0, self.stop)]
        self.wait()
        self.addCleanup(lambda: self.assertFalse(any(timer.active() for timer in timers)))

    def test_start_and_stop(self) -> None:
        seen: list[str] = []
        self.io_loop.add_callback(seen.append, "ran")
        self.io_loop.add_callback(self.io_loop.stop)
        self.io_loop.start()
        self.assertEqual(seen, ["ran"])


class TestFailures(unittest.TestCase):
    def test_a_failing_callback_is_logged(self) -> None:
        async def broken() -> None:
            raise ZeroDivisionError

        loop = ReactorLoop()
        loop.add_callback(broken)
        loop.run_sync(lambda: later(0.001))
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1  # type: ignore[no-untyped-call]


def test_it_takes_the_reactor_that_is_given() -> None:
    from twisted.internet import reactor

    assert ReactorLoop(reactor).reactor is reactor


@pytest.fixture(autouse=True)
def _no_debug_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
