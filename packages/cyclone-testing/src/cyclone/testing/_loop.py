"""Tornado's name for the loop, over the reactor: enough of it for tests that use `io_loop`."""

from __future__ import annotations

import asyncio
import datetime
import inspect
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from cyclone.web import Outcome

from ._drive import as_deferred
from ._reactor import Spinner, run_sync

_log = Logger(namespace="cyclone.testing")


def _log_failure(failure: Failure) -> None:
    # At the end of a test what it left is cancelled
    if not isinstance(failure.value, CancelledError | asyncio.CancelledError):
        _log.failure("Unhandled error in a callback of the loop", failure)


class ReactorLoop:
    """``self.io_loop`` of a test case: the reactor's clock and timers under Tornado's names.

    Times are the reactor's own, as ``time()`` gives them. A callback that is an ``async def`` or
    returns an awaitable is run to its end; its failure is logged.
    """

    def __init__(self, reactor: Any = None) -> None:
        self._spinner = Spinner(reactor)
        self.reactor: Any = self._spinner.reactor
        self._timers: WeakSet[Any] = WeakSet()

    def time(self) -> float:
        """Now, in seconds."""
        seconds: float = self.reactor.seconds()
        return seconds

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        """Call back after ``delay`` seconds; returns a handle for `remove_timeout`."""
        timer = self.reactor.callLater(max(0.0, delay), self._call, callback, args, kw)
        self._timers.add(timer)
        return timer

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        """Call back at a time of `time`."""
        return self.call_later(when - self.time(), callback, *args, **kw)

    def add_timeout(
        self,
        deadline: float | datetime.timedelta,
        callback: Callable[..., Any],
        *args: Any,
        **kw: Any,
    ) -> Any:
        """`call_at` for a number, `call_later` for a `datetime.timedelta`."""
        if isinstance(deadline, datetime.timedelta):
            return self.call_later(deadline.total_seconds(), callback, *args, **kw)
        return self.call_at(deadline, callback, *args, **kw)

    def remove_timeout(self, timeout: Any) -> None:
        """Forget a handle; nothing happens if it was called already."""
        if timeout.active():
            timeout.cancel()

    def add_callback(self, callback: Callable[..., Any], *args: Any, **kw: Any) -> None:
        """Call back in the next turn of the reactor; from any thread."""
        self.reactor.callFromThread(self._call, callback, args, kw)

    spawn_callback = add_callback
    add_callback_from_signal = add_callback

    def add_future(self, future: Any, callback: Callable[[Any], Any]) -> None:
        """Call back with a future when it is done; for a Deferred with something like one."""

        def done(result: object) -> object:
            self.add_callback(callback, Outcome(result))
            return result

        if isinstance(future, Deferred):
            future.addBoth(done)
        else:
            future.add_done_callback(lambda _: self.add_callback(callback, future))

    def run_in_executor(
        self, executor: Any, function: Callable[..., Any], *args: Any
    ) -> Deferred[Any]:
        """Run a blocking function in the reactor's thread pool (``executor`` is ignored)."""
        from twisted.internet.threads import deferToThread

        return deferToThread(function, *args)

    def run_sync(self, function: Callable[[], Any], timeout: float | None = None) -> Any:
        """See `cyclone.testing.run_sync`."""
        return run_sync(function, timeout)

    def start(self) -> None:
        """Run the reactor until `stop`."""
        self._spinner.run(lambda: None)

    def stop(self) -> None:
        """Let `start` return."""
        self._spinner.stop()

    def close(self, all_fds: bool = False) -> None:
        """Forget the timers that have not run; the reactor stays (``all_fds`` is ignored)."""
        for timer in list(self._timers):
            self.remove_timeout(timer)

    def _call(self, callback: Callable[..., Any], args: Any, kw: Any) -> None:
        result = callback(*args, **kw)
        if isinstance(result, Deferred) or inspect.isawaitable(result):
            as_deferred(result).addErrback(_log_failure)
