"""gen_test."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from reactor_support import later

from cyclone.testing import AsyncTestCase, gen_test


class TestGen(AsyncTestCase):
    """Each kind of method, in a test case that knows whether it ran to its end."""

    finished = False

    def tearDown(self) -> None:
        self.assertTrue(self.finished)
        super().tearDown()

    @gen_test
    def test_plain(self) -> None:
        self.finished = True

    @gen_test
    def test_generator(self) -> Iterator[Any]:
        yield later()
        self.finished = True

    @gen_test
    async def test_coroutine(self) -> None:
        await later()
        self.finished = True

    @gen_test
    def test_deferred(self) -> Any:
        def finish(_: object) -> None:
            self.finished = True

        return later().addCallback(finish)

    @gen_test(timeout=5)
    async def test_with_a_timeout_of_its_own(self) -> None:
        await later(0.01)
        self.finished = True

    def test_the_arguments_are_passed_on(self) -> None:
        @gen_test
        async def method(self: TestGen, *args: object, **kwargs: object) -> Any:
            self.finished = True
            return args, kwargs

        self.assertEqual(method(self, 1, b=2), ((1,), {"b": 2}))

    def test_timeout_of_a_generator(self) -> None:
        @gen_test(timeout=0.01)
        def method(self: TestGen) -> Iterator[Any]:
            yield later(60)  # the generator waits here

        with self.assertRaises(TimeoutError) as caught:
            method(self)
        text = "".join(traceback.format_exception(caught.exception))
        self.assertIn("the generator waits here", text)
        self.finished = True

    def test_timeout_of_a_coroutine(self) -> None:
        @gen_test(timeout=0.01)
        async def method(self: TestGen) -> None:
            await later(60)  # the coroutine waits here

        with self.assertRaises(TimeoutError) as caught:
            method(self)
        text = "".join(traceback.format_exception(caught.exception))
        self.assertIn("the coroutine waits here", text)
        self.finished = True


def test_the_environment_says_the_timeout_when_the_method_is_decorated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ASYNC_TEST_TIMEOUT", "0.01")

    @gen_test
    async def short(self: object) -> None:
        await later(60)

    @gen_test(timeout=5)
    async def long(self: object) -> str:
        await later(0.02)
        return "done"

    monkeypatch.delenv("ASYNC_TEST_TIMEOUT")
    with pytest.raises(TimeoutError, match=r"0\.01 seconds"):
        short(None)
    assert long(None) == "done"


def test_failures_fail_the_test() -> None:
    @gen_test
    async def method(self: object) -> None:
        await later()
        raise AssertionError("no")

    with pytest.raises(AssertionError, match="no"):
        method(None)


def test_it_looks_like_the_method_and_is_synchronous() -> None:
    @gen_test
    async def test_something(self: object) -> None:
        """What it tests."""

    assert (test_something.__name__, test_something.__doc__) == ("test_something", "What it tests.")
    assert not inspect.iscoroutinefunction(test_something)
    assert gen_test.__test__ is False  # type: ignore[attr-defined]
