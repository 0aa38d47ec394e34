"""Running the reactor for the time of one asynchronous operation, from synchronous code.

A test runner is a synchronous program, and a reactor that was stopped cannot be run again. One
that was *crashed* can: it keeps its sockets and timers, fires no shutdown event, and goes on where
it was when it is run the next time. Twisted's own trial works that way on every reactor.
"""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar, overload

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.web import spawn

from ._drive import result_of

T = TypeVar("T")

DEFAULT_TIMEOUT = 5.0
#: Seconds that a cancelled operation has for its own clean-up.
GRACE = 1.0


def get_async_test_timeout() -> float:
    """Seconds an asynchronous test may take: ``ASYNC_TEST_TIMEOUT`` of the environment, or 5."""
    try:
        return float(os.environ["ASYNC_TEST_TIMEOUT"])
    except (KeyError, ValueError):
        return DEFAULT_TIMEOUT


def installed_reactor() -> Any:
    """The reactor, or None if none is installed yet."""
    return sys.modules.get("twisted.internet.reactor")


def running_reactor() -> Any:
    """The reactor if it runs right now, else None."""
    reactor = installed_reactor()
    return reactor if reactor is not None and reactor.running else None


class Spinner:
    """Runs the reactor until `stop` is called, as often as wanted."""

    def __init__(self, reactor: Any = None) -> None:
        if reactor is None:
            from twisted.internet import reactor
        self.reactor: Any = reactor
        self._interrupted = False
        #: Whether `run` is under way.
        self.running = False

    def run(self, begin: Callable[[], object]) -> None:
        """Run the reactor, in which ``begin`` is called first, until `stop`.

        :raises RuntimeError: when the reactor runs already: then await instead.
        :raises KeyboardInterrupt: when something else stopped the reactor, such as Ctrl-C.
        """
        reactor = self.reactor
        if reactor.running:
            raise RuntimeError(
                "the reactor runs already: inside asynchronous code, await the operation "
                "instead of calling what waits for it"
            )
        self._interrupted = False
        self.running = True
        # Not callWhenRunning: on the asyncio reactor that is before the event loop runs
        call = reactor.callLater(0, begin)
        try:
            with self._guarded():
                in_main_thread = threading.current_thread() is threading.main_thread()
                reactor.run(installSignalHandlers=in_main_thread)
        finally:
            if call.active():
                call.cancel()
        if self._interrupted:
            raise KeyboardInterrupt

    def stop(self) -> None:
        """Let `run` return, at the end of the reactor's turn."""
        if self.running:
            self.running = False
            # Of the class: trial puts a function that warns on the object.
            type(self.reactor).crash(self.reactor)

    def _interrupt(self) -> None:
        self._interrupted = True
        self.stop()

    @contextlib.contextmanager
    def _guarded(self) -> Iterator[None]:
        """``reactor.stop()`` must not shut the reactor down; signal handlers come back."""
        attributes = self.reactor.__dict__
        before = attributes.get("stop")
        handlers = _signal_handlers()
        attributes["stop"] = self._interrupt
        try:
            yield
        finally:
            if before is None:
                del attributes["stop"]
            else:
                attributes["stop"] = before
            # What trial's reactors leave to the next run, so that nobody trips over it meanwhile
            signals = getattr(self.reactor, "_signals", None)
            if signals is not None:
                signals.uninstall()
            for number, handler in handlers.items():
                signal.signal(number, handler)


def _signal_handlers() -> dict[int, Any]:
    if threading.current_thread() is not threading.main_thread():
        return {}
    found = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    return {number: handler for number, handler in found.items() if handler is not None}


class _Operation:
    """One call of `run_sync`."""

    def __init__(self, function: Callable[[], Any], timeout: float | None) -> None:
        self._function = function
        self._timeout = timeout
        self._spinner = Spinner()
        self._timer: Any = None
        self._timed_out = False
        self._running: Deferred[None] | None = None
        self._results: list[Any] = []

    def run(self) -> Any:
        try:
            self._spinner.run(self._begin)
        finally:
            self._stop_timer()
            if not self._results:
                self._cancel()
        if self._timed_out:
            failure = self._results[0] if self._results else None
            cause = failure.value if isinstance(failure, Failure) else None
            raise TimeoutError(f"Operation timed out after {self._timeout} seconds") from cause
        result = self._results[0]
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def _begin(self) -> None:
        if self._timeout:
            self._timer = self._spinner.reactor.callLater(self._timeout, self._expire)
        # A Deferred that is cancelled fails at once: `_operate` tells when all is over
        self._running = spawn(self._operate())
        self._running.addErrback(lambda _: None)

    def _cancel(self) -> None:
        if self._running is not None:
            self._running.cancel()

    async def _operate(self) -> None:
        try:
            result = await result_of(self._function())
        except GeneratorExit:
            raise
        except BaseException:
            result = Failure()  # type: ignore[no-untyped-call]
        if not self._spinner.running:
            return
        self._results.append(result)
        self._spinner.stop()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _expire(self) -> None:
        self._timed_out = True
        self._timer = self._spinner.reactor.callLater(GRACE, self._spinner.stop)
        self._cancel()


@overload
def run_sync(function: Callable[[], Awaitable[T]], timeout: float | None = None) -> T: ...
@overload
def run_sync(function: Callable[[], object], timeout: float | None = None) -> Any: ...
def run_sync(function: Callable[[], object], timeout: float | None = None) -> Any:
    """Run the reactor until what ``function()`` returns is done, and return its result.

    ``function`` is called when the reactor runs; it may be an ``async def``, return a Deferred, a
    generator that yields these, or a value. ``timeout``: seconds, None for no limit.

    :raises TimeoutError: when it took longer. The operation is cancelled, and what it raised then
        is the cause, so that the traceback shows where it waited.
    :raises RuntimeError: when the reactor runs already.
    """
    _end_threads_at_exit()
    return _Operation(function, timeout).run()


@functools.cache
def _end_threads_at_exit() -> None:
    """A script ends: Python waits for threads before it calls what `atexit` has."""
    register = getattr(threading, "_register_atexit", None)
    if register is not None:
        register(stop_thread_pool)


def turn(turns: int = 2) -> Deferred[None]:
    """A Deferred for some turns of the reactor later: what is due now is done by then."""
    from twisted.internet import reactor

    done: Deferred[None] = Deferred()

    def again(left: int) -> None:
        if left:
            reactor.callLater(0, again, left - 1)
        else:
            done.callback(None)

    again(turns)
    return done


def stop_thread_pool() -> None:
    """Let the reactor's threads end, which would keep the process alive; it makes new ones."""
    reactor = installed_reactor()
    if getattr(reactor, "threadpool", None) is not None:
        reactor._stopThreadPool()
