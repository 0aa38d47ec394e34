"""Starting what a handler returned, without an asyncio event loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Generator
from typing import Any

import pytest
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.web import AsyncioReactorRequired
from cyclone.web._coroutines import as_coroutine, start


def outcome(deferred: Deferred[Any]) -> Any:
    got: list[Any] = []
    deferred.addBoth(got.append)
    assert got, "still waiting"
    return got[0].value if isinstance(got[0], Failure) else got[0]


async def immediate() -> str:
    return "done"


async def raising() -> None:
    raise ValueError("raised")


def test_a_coroutine_starts_at_once_and_may_end_at_once() -> None:
    deferred = start(immediate())
    assert deferred.called
    assert outcome(deferred) == "done"


def test_an_exception_becomes_a_failure() -> None:
    assert isinstance(outcome(start(raising())), ValueError)


def test_a_deferred_is_taken_as_it_is() -> None:
    deferred: Deferred[str] = Deferred()
    assert start(deferred) is deferred


def test_results_and_failures_of_what_is_awaited() -> None:
    first: Deferred[int] = Deferred()
    second: Deferred[int] = Deferred()

    async def body() -> int:
        value = await first
        try:
            await second
        except ValueError:
            return value + await defer.succeed(1)
        return 0

    running = start(body())
    first.callback(1)
    assert not running.called
    second.errback(ValueError())
    assert outcome(running) == 2


def test_f_31_a_thousand_ready_deferreds_cost_no_stack() -> None:
    async def body() -> int:
        return sum([await defer.succeed(1) for _ in range(5000)])

    assert outcome(start(body())) == 5000


class Stored(Deferred[str]):
    """A Deferred that fires as soon as somebody looks."""

    def addBoth(self, *args: Any, **kwargs: Any) -> Any:
        result = super().addBoth(*args, **kwargs)
        self.callback("stored")
        return result


def test_a_deferred_that_fires_when_it_is_looked_at() -> None:
    first: Deferred[str] = Deferred()

    async def body() -> list[str]:
        return [await first, await Stored(), await Stored()]

    running = start(body())
    first.callback("first")
    assert outcome(running) == ["first", "stored", "stored"]


def test_cancelling_reaches_what_is_awaited() -> None:
    cancelled: list[Deferred[Any]] = []
    waiting: Deferred[Any] = Deferred(cancelled.append)

    async def body() -> None:
        await waiting

    running = start(body())
    running.cancel()
    assert cancelled == [waiting]
    assert isinstance(outcome(running), defer.CancelledError)


def test_a_cancelled_coroutine_may_still_answer() -> None:
    async def body() -> str:
        try:
            await Deferred()
        except defer.CancelledError:
            return "cleaned up"
        return "never"

    running = start(body())
    running.cancel()
    assert outcome(running) == "cleaned up"


@pytest.mark.parametrize("fails", [False, True])
def test_a_cancelled_coroutine_may_wait_while_it_cleans_up(fails: bool) -> None:
    tidying: Deferred[None] = Deferred()
    events: list[str] = []

    async def body() -> None:
        try:
            await Deferred()
        finally:
            await tidying
            events.append("tidied")
            if fails:
                raise ValueError

    running = start(body())
    running.cancel()
    assert isinstance(outcome(running), defer.CancelledError)
    tidying.callback(None)
    assert events == ["tidied"]
    assert outcome(tidying) is None


def test_what_the_first_step_sets_is_seen_by_the_others() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="")
    waiting: Deferred[None] = Deferred()

    async def body() -> str:
        variable.set("mine")
        await waiting
        return variable.get()

    def run() -> Deferred[Any]:
        return start(body())

    running = contextvars.copy_context().run(run)
    waiting.callback(None)
    assert outcome(running) == "mine"
    assert variable.get() == ""


def test_generators_run_with_a_warning() -> None:
    def generator() -> Generator[Deferred[int], int, int]:
        value = yield defer.succeed(1)
        return value + 1

    with pytest.warns(DeprecationWarning, match="generator"):
        assert outcome(start(generator())) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [1, "text", None, object()])
def test_what_cannot_be_awaited(value: object) -> None:
    with pytest.raises(TypeError, match="must return None or something awaitable"):
        _ = as_coroutine(value)


def test_a_failure_is_raised() -> None:
    with pytest.raises(ValueError, match="inside"):
        _ = as_coroutine(Failure(ValueError("inside")))  # type: ignore[no-untyped-call]


def test_asyncio_without_its_reactor_is_one_clear_error() -> None:
    loop = asyncio.new_event_loop()
    try:
        future: asyncio.Future[None] = loop.create_future()

        async def body() -> None:
            await future

        error = outcome(start(body()))
    finally:
        loop.close()
    assert isinstance(error, AsyncioReactorRequired)
    assert "asyncioreactor.install()" in str(error)


def test_the_coroutine_may_catch_that_error() -> None:
    loop = asyncio.new_event_loop()
    try:

        async def body() -> str:
            try:
                await loop.create_future()
            except RuntimeError:
                return await defer.succeed("went on")
            return "never"

        assert outcome(start(body())) == "went on"
    finally:
        loop.close()
