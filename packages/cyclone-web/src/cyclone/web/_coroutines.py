"""Starting what a handler returned: coroutines, Deferreds, asyncio awaitables.

Two ways to drive a coroutine, chosen by what runs underneath:

- No asyncio event loop is running (Twisted's ordinary reactors): :class:`Driver` steps it whenever
  the Deferred it waits for fires.
- Twisted's asyncio reactor: it becomes the body of a real :class:`asyncio.Task`, so
  ``asyncio.timeout``, ``TaskGroup`` and every asyncio library work in it. :func:`_bridge` stands
  between the task and the body and turns each awaited Deferred into a future the task understands.
  Tasks the body starts (``TaskGroup``, ``gather``) are bridged too, through a context variable they
  inherit.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import sys
import types
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, Protocol, TypeVar

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

_T = TypeVar("_T")
running_loop = asyncio._get_running_loop
_bridging: contextvars.ContextVar[bool] = contextvars.ContextVar("cyclone_bridging", default=False)
_HAS_EAGER_TASKS = sys.version_info >= (3, 12)


ASYNCIO_HINT = (
    "The running reactor has no asyncio event loop. Install Twisted's asyncio reactor before "
    "anything imports the reactor: "
    "`from twisted.internet import asyncioreactor; asyncioreactor.install()`, "
    "or `cyclone run --reactor asyncio`."
)


class AsyncioReactorRequired(RuntimeError):
    """Something of asyncio was awaited while the reactor that runs has no asyncio event loop."""

    def __init__(self, awaited: object) -> None:
        kind = type(awaited)
        super().__init__(f"Cannot await {kind.__module__}.{kind.__qualname__}. {ASYNCIO_HINT}")


def start(awaitable: Awaitable[_T]) -> Deferred[_T]:
    """Start *awaitable* at once, beside whatever runs; the Deferred fires with its result.

    Cancelling the Deferred cancels what was started.

    :raises TypeError: when it is no coroutine, Deferred, generator or other awaitable.
    """
    if isinstance(awaitable, Deferred):
        return awaitable
    coroutine = as_coroutine(awaitable)
    loop = running_loop()
    if loop is None:
        # A Deferred wants to know how it is cancelled before there is anything to cancel.
        done: Deferred[_T] = Deferred(lambda _: driver.cancel())
        driver = Driver(coroutine, done)
        driver.step(coroutine.send, None)
        return done
    return _start_task(loop, coroutine)


class Running(Protocol):
    """What was started and has not ended."""

    def cancel(self) -> object:
        """Cancel it."""


def run(coroutine: Coroutine[Any, Any, Any]) -> Running | None:
    """Drive a coroutine that answers for its own failures; None when it ended at once."""
    loop = running_loop()
    if loop is None:
        driver = Driver(coroutine, None)
        driver.step(coroutine.send, None)
        return driver if driver.waiting else None
    task = _new_task(loop, coroutine)
    if task.done():
        _look_at(task)
        return None
    task.add_done_callback(_look_at)
    return task


def as_coroutine(value: object) -> Coroutine[Any, Any, Any]:
    """*value* as a coroutine, if it can be awaited."""
    if isinstance(value, types.CoroutineType):
        return value
    if isinstance(value, Failure):
        value.raiseException()
    if inspect.isawaitable(value):
        return _await(value)
    if isinstance(value, types.GeneratorType):
        return _await(_from_generator(value))
    raise TypeError(
        f"A handler must return None or something awaitable, not {type(value)!r}: what the client "
        "is to get goes to self.write()"
    )


async def _await(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _from_generator(generator: types.GeneratorType[Any, Any, Any]) -> Deferred[Any]:
    warnings.warn(
        f"{generator.__qualname__} returned a generator: decorate it with inlineCallbacks, "
        "or better make it an async def",
        DeprecationWarning,
        stacklevel=2,
    )
    return inlineCallbacks(lambda: generator)()


# --- on Twisted's ordinary reactors -------------------------------------------------------


class Driver:
    """Steps one coroutine to its end; its own Deferreds are the only thing it may wait for."""

    __slots__ = ("_at_once", "_context", "_coroutine", "_done", "_waiting_on")

    def __init__(self, coroutine: Coroutine[Any, Any, Any], done: Deferred[Any] | None) -> None:
        self._coroutine = coroutine
        self._context: contextvars.Context | None = None
        self._waiting_on: Deferred[Any] | None = None
        self._done = done
        # Where a result goes that is there before the coroutine waits for it
        self._at_once: list[object] | None = None

    @property
    def waiting(self) -> bool:
        """Whether the coroutine waits for something."""
        return self._waiting_on is not None

    def cancel(self, _: object = None) -> None:
        """Cancel what the coroutine waits for."""
        if self._waiting_on is not None:
            self._waiting_on.cancel()

    def step(self, advance: Callable[[Any], Any], value: object) -> None:
        """Advance until the coroutine ends or has to wait."""
        failure: BaseException | None = None
        while True:
            try:
                yielded = advance(value)
            except StopIteration as stop:
                value = stop.value
                break
            except BaseException as error:
                failure = error
                break
            if isinstance(yielded, Deferred):
                if self._context is None:
                    # What the first step set stays visible to the later ones.
                    self._context = contextvars.copy_context()
                self._waiting_on = yielded
                at_once = self._at_once = []
                yielded.addBoth(self._resume)
                self._at_once = None
                if not at_once:
                    return
                # It had its result in store: no deeper, but once more round.
                result = at_once[0]
                if isinstance(result, Failure):
                    advance, value = self._coroutine.throw, result.value
                else:
                    advance, value = self._coroutine.send, None
                continue
            advance, value = self._coroutine.throw, AsyncioReactorRequired(yielded)
        # Not while the exception is handled: whatever goes wrong in the requests that are served
        # next would be told as a consequence of it
        if failure is None:
            self.succeeded(value)
            return
        try:
            self.failed(failure)
        finally:
            del failure  # its traceback refers to this frame

    def succeeded(self, value: object) -> None:
        """The coroutine returned *value*."""
        # One that was cancelled has failed by now: it only cleaned up
        if self._done is not None and not self._done.called:
            self._done.callback(value)

    def failed(self, error: BaseException) -> None:
        """The coroutine raised *error*."""
        if self._done is not None and not self._done.called:
            self._done.errback(error)

    def _resume(self, result: object) -> object:
        # The awaited Deferred hands its own result while its callbacks run, so there is nothing to
        # send. A failure it could only raise after they ran, so that is thrown; returning None
        # marks it as handled.
        self._waiting_on = None
        if getattr(self._coroutine, "cr_running", False):
            # It is being closed, for nobody holds it any more, and gives up what it waited for.
            return None
        if self._at_once is not None:
            self._at_once.append(result)
            return None if isinstance(result, Failure) else result
        context = self._context
        if context is None:
            raise RuntimeError("resumed before it was started")
        if isinstance(result, Failure):
            error: Any = result.value
            context.run(self.step, self._coroutine.throw, error)
        else:
            context.run(self.step, self._coroutine.send, None)
        return None


# --- on Twisted's asyncio reactor ---------------------------------------------------------


def _new_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]
) -> asyncio.Task[Any]:
    context = contextvars.copy_context()
    context.run(bridge_context)
    options: dict[str, Any] = {"eager_start": True} if _HAS_EAGER_TASKS else {}
    return asyncio.Task(_bridged(coroutine), loop=loop, context=context, **options)


def _start_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any]
) -> Deferred[Any]:
    task = _new_task(loop, coroutine)
    done: Deferred[Any] = Deferred(lambda _: _cancel(task))
    if task.done():
        _settle(done, task)
    else:
        task.add_done_callback(lambda task: _settle(done, task))
    return done


def _look_at(task: asyncio.Future[Any]) -> None:
    """Look at the outcome, so that asyncio does not complain that nobody did."""
    if not task.cancelled():
        task.exception()


def _cancel(task: asyncio.Task[Any]) -> None:
    task.cancel()


def _settle(done: Deferred[Any], task: asyncio.Future[Any]) -> None:
    if done.called:
        _look_at(task)  # cancelled from outside, and answered for
        return
    if task.cancelled():
        done.errback(asyncio.CancelledError())
        return
    error = task.exception()
    if error is None:
        done.callback(task.result())
    else:
        done.errback(error)


def bridge_context() -> None:
    """Let tasks that code of the current context starts await Deferreds, if there is a loop."""
    loop = running_loop()
    if loop is not None:
        _install_task_factory(loop)
        _bridging.set(True)


def _install_task_factory(loop: asyncio.AbstractEventLoop) -> None:
    """Let tasks that a bridged task starts await Deferreds too; all others are left alone."""
    previous = loop.get_task_factory()
    if isinstance(previous, _TaskFactory):
        return
    loop.set_task_factory(_TaskFactory(previous))


class _TaskFactory:
    __slots__ = ("_previous",)

    def __init__(self, previous: Callable[..., asyncio.Future[Any]] | None) -> None:
        self._previous = previous

    def __call__(
        self, loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any
    ) -> asyncio.Future[Any]:
        context: contextvars.Context | None = kwargs.get("context")
        bridging = _bridging.get() if context is None else context.get(_bridging, False)
        if bridging:
            coroutine = _bridged(coroutine)
        if self._previous is not None:
            return self._previous(loop, coroutine, **kwargs)
        return asyncio.Task(coroutine, loop=loop, **kwargs)


async def _bridged(coroutine: Coroutine[Any, Any, Any]) -> Any:
    return await _bridge(coroutine)


@types.coroutine
def _bridge(coroutine: Coroutine[Any, Any, Any]) -> Generator[Any, Any, Any]:
    advance: Callable[[Any], Any] = coroutine.send
    value: Any = None
    while True:
        try:
            yielded = advance(value)
        except StopIteration as stop:
            return stop.value
        advance, value = coroutine.send, None
        try:
            if isinstance(yielded, Deferred):
                yield from _wait_for(yielded)
            else:
                value = yield yielded
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:
            advance, value = coroutine.throw, error


def _wait_for(deferred: Deferred[Any]) -> Generator[Any, Any, None]:
    """Suspend the task until *deferred* has a result, which stays in it for the coroutine."""
    future = asyncio.get_running_loop().create_future()

    def wake(result: object) -> object:
        if not future.done():
            future.set_result(None)
        return result

    deferred.addBoth(wake)
    try:
        yield from future
    except BaseException:
        deferred.addErrback(lambda _: None)
        deferred.cancel()
        raise
