"""The parts of a page that have to be waited for: started together, ended together."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure


class PageParts:
    """Starts what one rendering waits for. The first failure cancels all that still run.

    The template waits for its parts one after the other, so it would hear of a failure only when it
    gets there. Instead all other parts are told at once that they are done (with nothing, which
    nobody will see), and the template arrives at the part that failed, whose line it then names.
    """

    __slots__ = ("_failed", "_running", "_start")

    def __init__(self, start: Callable[[Awaitable[Any]], Deferred[Any]]) -> None:
        self._start = start
        self._running: dict[Deferred[Any], _Part] = {}
        self._failed = False

    def spawn(self, awaitable: Awaitable[Any]) -> Deferred[Any]:
        """Start *awaitable* and return what the template waits for in its place."""
        running = self._start(awaitable)
        part = _Part(lambda _: running.cancel())
        self._running[running] = part
        running.addCallbacks(self._done, self._fail, (running, part), {}, (running, part), {})
        if self._failed:
            # It was too late to begin with, but a coroutine must be run or closed.
            self._stop()
        return part

    def _done(self, result: object, running: Deferred[Any], part: _Part) -> None:
        if self._running.pop(running, None) is not None:
            part.callback(result)

    def _fail(self, failure: Failure, running: Deferred[Any], part: _Part) -> None:
        # Those that were stopped are not in the list any more: their cancellation is not news.
        if self._running.pop(running, None) is None:
            return
        if self._failed:
            part.callback("")
            return
        self._failed = True
        self._stop()
        part.errback(failure)

    def _stop(self) -> None:
        stopped, self._running = self._running, {}
        for running, part in stopped.items():
            running.cancel()
            if not part.called:
                part.callback("")


class _Part(Deferred[Any]):
    """A Deferred that, given up by the template, does not complain of a failure nobody took."""

    def cancel(self) -> None:
        super().cancel()
        self.addErrback(_ignore)


def _ignore(_: Failure) -> None:
    pass
