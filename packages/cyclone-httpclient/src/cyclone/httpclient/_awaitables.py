"""Waiting for what a caller's function returned: a Deferred, a coroutine, an asyncio awaitable.

On Twisted's asyncio reactor a coroutine runs as an ``asyncio.Task`` in which Deferreds may be
awaited too, so that ``asyncio.sleep`` and ``asyncio.timeout`` work in a ``streaming_callback``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Generator
from inspect import isawaitable
from typing import TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

_T = TypeVar("_T")


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The asyncio loop that runs this very call, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _Mixed(Awaitable[_T]):
    """A coroutine as an asyncio awaitable: the Deferreds it waits for become futures."""

    def __init__(self, coroutine: Coroutine[object, object, _T], loop: asyncio.AbstractEventLoop):
        self._coroutine = coroutine
        self._loop = loop

    def __await__(self) -> Generator[object, object, _T]:
        coroutine = self._coroutine
        step, argument = coroutine.send, None
        while True:
            try:
                waited = step(argument)
            except StopIteration as stop:
                result: _T = stop.value
                return result
            try:
                if isinstance(waited, Deferred):
                    yield from self._fired(waited).__await__()
                    argument = None
                else:
                    argument = yield waited
                step = coroutine.send
            except GeneratorExit:
                coroutine.close()
                raise
            except BaseException as error:
                if isinstance(waited, Deferred) and not waited.called:
                    waited.addErrback(_forget)
                    waited.cancel()
                step, argument = coroutine.throw, error  # type: ignore[assignment]

    def _fired(self, waited: Deferred[object]) -> asyncio.Future[None]:
        """A future that is done when the Deferred has fired, which keeps its result."""
        future: asyncio.Future[None] = self._loop.create_future()

        def fired(result: object) -> object:
            if not future.done():
                future.set_result(None)
            return result

        waited.addBoth(fired)
        return future


def _forget(_: Failure) -> None:
    """The end of what nobody waits for any more."""


async def _run(mixed: _Mixed[_T]) -> _T:
    return await mixed


def to_deferred(value: Awaitable[_T]) -> Deferred[_T]:
    """Start the awaitable, if it needs to be, and return a Deferred of its result.

    :raises TypeError: when the object cannot be awaited.
    """
    if isinstance(value, Deferred):
        return value
    loop = running_loop()
    if isinstance(value, Coroutine):
        if loop is None:
            return Deferred.fromCoroutine(value)
        return Deferred.fromFuture(loop.create_task(_run(_Mixed(value, loop))))
    if isinstance(value, asyncio.Future):
        return Deferred.fromFuture(value)
    if not isawaitable(value):
        raise TypeError(f"expected an awaitable, not {type(value).__name__}")

    async def wait() -> _T:
        return await value

    return to_deferred(wait())


def pending(value: object) -> Deferred[object] | None:
    """What a callback returned, as a Deferred to wait for, or ``None`` when it is done.

    :raises TypeError: for a result that is neither ``None`` nor awaitable.
    """
    if value is None:
        return None
    if not isinstance(value, Deferred) and not isawaitable(value):
        raise TypeError(f"the callback returned {type(value).__name__}, not None or an awaitable")
    return to_deferred(value)
