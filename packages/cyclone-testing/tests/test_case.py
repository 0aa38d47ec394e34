"""AsyncTestCase."""

from __future__ import annotations

import gc
import sys
import unittest
import warnings
from typing import Any

import pytest
from reactor_support import later
from twisted.internet.defer import Deferred

from cyclone.testing import AsyncTestCase


class TestWait(AsyncTestCase):
    def test_stop_before_wait(self) -> None:
        self.stop(1)
        self.assertEqual(self.wait(), 1)

    def test_what_stop_is_given(self) -> None:
        self.io_loop.add_callback(self.stop)
        self.assertIsNone(self.wait())
        self.io_loop.add_callback(self.stop, a=1, b=2)
        self.assertEqual(self.wait(), {"a": 1, "b": 2})
        with self.assertRaises(TypeError):
            self.stop(1, a=2)

    def test_a_condition(self) -> None:
        seen: list[int] = []

        def step(number: int) -> None:
            seen.append(number)
            self.stop()
            if number < 3:
                self.io_loop.call_later(0.001, step, number + 1)

        self.io_loop.add_callback(step, 1)
        self.wait(lambda: len(seen) == 3)
        self.assertEqual(seen, [1, 2, 3])

    def test_timeouts(self) -> None:
        with self.assertRaisesRegex(self.failureException, r"timed out after 0\.01 seconds"):
            self.wait(timeout=0.01)
        self.io_loop.call_later(0.01, self.stop, "again")
        self.assertEqual(self.wait(), "again")

    def test_the_timeout_of_one_wait_is_none_of_the_next(self) -> None:
        self.io_loop.add_callback(self.stop)
        self.wait(timeout=0.05)
        self.io_loop.call_later(0.08, self.stop)
        self.wait(timeout=5)

    def test_the_reactor(self) -> None:
        from twisted.internet import reactor

        self.assertIs(self.reactor, reactor)


def run(case: type[AsyncTestCase], name: str = "test") -> unittest.TestResult:
    result = unittest.TestResult()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case(name).run(result)
    return result


def test_a_timeout_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    class Case(AsyncTestCase):
        def test(self) -> None:
            self.wait()

    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.01")
    result = run(Case)
    assert len(result.failures) == 1
    assert "timed out after 0.01 seconds" in result.failures[0][1]


class Undecorated(AsyncTestCase):
    def test_generator(self) -> Any:
        yield

    async def test_coroutine(self) -> None:
        pass

    def test_value(self) -> Any:
        return 42

    def test_deferred(self) -> Any:
        return later()

    @unittest.skip("not now")
    def test_skipped(self) -> Any:
        yield


# Not to be collected by name
Undecorated.__test__ = False  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("test_generator", "should be decorated with gen_test"),
        ("test_coroutine", "should be decorated with gen_test"),
        ("test_value", "Return value from test method ignored: 42"),
        ("test_deferred", "Return value from test method ignored"),
    ],
)
def test_a_test_that_did_not_run_does_not_pass(name: str, message: str) -> None:
    result = run(Undecorated, name)
    assert len(result.errors) == 1
    assert message in result.errors[0][1]


def test_skipping_works() -> None:
    assert len(run(Undecorated, "test_skipped").skipped) == 1


def test_set_up_and_tear_down_call_the_next_class() -> None:
    events: list[str] = []

    class Other(unittest.TestCase):
        def setUp(self) -> None:
            events.append("setUp")

        def tearDown(self) -> None:
            events.append("tearDown")

    class Case(AsyncTestCase, Other):
        def test(self) -> None:
            events.append("test")

    run(Case)
    assert events == ["setUp", "test", "tearDown"]


def test_coroutines_that_are_left_make_no_noise(capfd: pytest.CaptureFixture[str]) -> None:
    class Case(AsyncTestCase):
        def test(self) -> None:
            async def left() -> None:
                await Deferred()

            self.io_loop.add_callback(left)
            self.io_loop.add_callback(self.stop)
            self.wait()

    assert run(Case).wasSuccessful()
    gc.collect()
    assert capfd.readouterr() == ("", "")


def test_asyncio_tasks_that_are_left_are_cancelled() -> None:
    from twisted.internet import reactor

    loop = getattr(reactor, "_asyncioEventloop", None)
    if loop is None:
        pytest.skip("the reactor is not asyncio's")
    events: list[str] = []

    class Case(AsyncTestCase):
        def test(self) -> None:
            asyncio = sys.modules["asyncio"]

            async def left() -> None:
                try:
                    await asyncio.sleep(60)
                except asyncio.CancelledError:
                    events.append("cancelled")
                    raise

            self.io_loop.run_sync(lambda: asyncio.ensure_future(left()) and later())

    assert run(Case).wasSuccessful()
    assert events == ["cancelled"]
