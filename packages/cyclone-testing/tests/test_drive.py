"""What tests may yield and return."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from reactor_support import coroutine, later
from twisted.internet.defer import fail, succeed
from twisted.python.failure import Failure

from cyclone.testing import run_sync


def driven(generator: Generator[Any, Any, Any]) -> Any:
    return run_sync(lambda: generator, timeout=5)


def test_everything_that_can_be_waited_for() -> None:
    def inner() -> Generator[Any, Any, Any]:
        return (yield later(0, "inner"))

    def body() -> Generator[Any, Any, Any]:
        yield None
        return [
            (yield later(0, 1)),
            (yield coroutine()),
            (yield inner()),
            (yield [later(0, 2), coroutine()]),
            (yield {"a": later(0, 3), "b": succeed(4)}),
            (yield ()),
        ]

    assert driven(body()) == [1, "coroutine", "inner", [2, "coroutine"], {"a": 3, "b": 4}, []]


def test_failures_are_thrown_into_the_generator() -> None:
    def body() -> Generator[Any, Any, Any]:
        caught = 0
        for broken in (
            fail(ZeroDivisionError()),
            [later(0), fail(ZeroDivisionError())],
            {"a": fail(ZeroDivisionError())},
            Failure(ZeroDivisionError()),  # type: ignore[no-untyped-call]
        ):
            try:
                yield broken
            except ZeroDivisionError:
                caught += 1
        return caught

    assert driven(body()) == 4


def test_something_else_is_an_error_at_that_line() -> None:
    def body() -> Generator[Any, Any, Any]:
        yield 7

    with pytest.raises(TypeError, match="yielded 7"):
        driven(body())


def test_what_it_raises_comes_out() -> None:
    def body() -> Generator[Any, Any, Any]:
        yield later(0)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        driven(body())
