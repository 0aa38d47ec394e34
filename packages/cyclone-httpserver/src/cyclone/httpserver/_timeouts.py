"""One coarse sweep over all connections of a server, instead of a timer for each.

Deadlines are times of a monotonic clock. The reactor's clock is the wall clock, which may jump:
so the sweep is not only called by the reactor; any input looks at the time too and runs a sweep
that is overdue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Protocol

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

NEVER: Final = float("inf")
INTERVAL: Final = 1.0


class Expiring(Protocol):
    """Something with a deadline."""

    deadline: float

    def timed_out(self, now: float) -> None:
        """Called by a sweep after the deadline; sets the next deadline."""


class Sweeper:
    """Calls `timed_out` of whatever is past its deadline, about once a second."""

    __slots__ = ("_call", "_items", "_monotonic", "_tasks", "next_sweep", "reactor")

    def __init__(
        self,
        items: Callable[[], Iterable[Expiring]],
        reactor: IReactorTime,
        monotonic: Callable[[], float],
    ) -> None:
        self._items = items
        self._monotonic = monotonic
        self._call: IDelayedCall | None = None
        self._tasks: list[Callable[[float], bool]] = []
        self.reactor = reactor
        #: When the next sweep is due; after it, input should call `overdue`.
        self.next_sweep = NEVER

    def start(self) -> None:
        """Sweep from now on."""
        if self._call is None:
            self.next_sweep = self._monotonic() + INTERVAL
            self._call = self.reactor.callLater(INTERVAL, self._tick)

    def stop(self) -> None:
        """Sweep no more, unless a task is left."""
        if self._call is not None and not self._tasks:
            call, self._call = self._call, None
            self.next_sweep = NEVER
            if call.active():
                call.cancel()

    def add_task(self, task: Callable[[float], bool]) -> None:
        """Call ``task(now)`` with every sweep until it returns False."""
        self._tasks.append(task)
        self.start()

    def drop_task(self, task: Callable[[float], bool]) -> None:
        """Forget a task; nothing if it is not there."""
        self._tasks = [other for other in self._tasks if other != task]

    def overdue(self, now: float) -> None:
        """The time of `next_sweep` has passed; if the reactor is late by much, do its work."""
        if now >= self.next_sweep + INTERVAL and self._call is not None:
            call, self._call = self._call, None
            if call.active():
                call.cancel()
            self._tick()

    def _tick(self) -> None:
        self._call = None
        now = self._monotonic()
        self.next_sweep = now + INTERVAL
        self._call = self.reactor.callLater(INTERVAL, self._tick)
        for item in [item for item in self._items() if item.deadline <= now]:
            item.timed_out(now)
        for task in self._tasks:
            if not task(now):
                self.drop_task(task)
        if not self._tasks and not any(True for _ in self._items()):
            self.stop()
