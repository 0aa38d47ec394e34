"""What a test may return or yield, as a Deferred."""

from __future__ import annotations

import inspect
from collections.abc import Generator
from typing import Any

from twisted.internet.defer import Deferred, gatherResults, succeed
from twisted.python.failure import Failure

from cyclone.web import spawn


def as_deferred(value: object) -> Deferred[Any]:
    """A Deferred for *value*: an awaitable, a generator of awaitables, or anything else as it is.

    Coroutines are driven as those of handlers are: with Twisted's asyncio reactor they may await
    asyncio's awaitables too.
    """
    if isinstance(value, Deferred):
        return value
    if inspect.isgenerator(value):
        return spawn(_drive(value))
    if inspect.isawaitable(value):
        return spawn(value)
    return succeed(value)


async def result_of(value: object) -> Any:
    """*value*, or what it comes to if it can be awaited.

    A coroutine is awaited here and not through a Deferred, so that one that is cancelled can
    still clean up, and its end be seen.
    """
    if inspect.isgenerator(value):
        return await _drive(value)
    if isinstance(value, Deferred) or inspect.isawaitable(value):
        return await value
    return value


async def _drive(generator: Generator[Any, Any, Any]) -> Any:
    """Run a generator that yields what it waits for, as Tornado's coroutines of old did."""
    advance, value = generator.send, None
    while True:
        try:
            yielded = advance(value)
        except StopIteration as stop:
            return stop.value
        try:
            advance, value = generator.send, await _yielded(yielded)
        except GeneratorExit:
            generator.close()
            raise
        except BaseException as error:
            advance, value = generator.throw, error


async def _yielded(value: object) -> Any:
    """The result of one thing that was yielded: an awaitable, or a list or dict of awaitables."""
    if value is None:
        from ._reactor import turn

        return await turn(1)
    if isinstance(value, list | tuple):
        return await _all([as_deferred(item) for item in value])
    if isinstance(value, dict):
        results = await _all([as_deferred(item) for item in value.values()])
        return dict(zip(value, results, strict=True))
    if isinstance(value, Failure):
        value.raiseException()
    if isinstance(value, Deferred) or inspect.isawaitable(value) or inspect.isgenerator(value):
        return await as_deferred(value)
    raise TypeError(f"a test yielded {value!r}, which cannot be awaited")


async def _all(waits: list[Deferred[Any]]) -> list[Any]:
    from twisted.internet.defer import FirstError

    try:
        return await gatherResults(waits, consumeErrors=True)
    except FirstError as error:
        error.subFailure.raiseException()
        raise
