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

    __slots__ = ("_call", "_items", "_monotonic", "_next", "_planned", "_tasks", "reactor")

    def __init__(
        self,
        items: Callable[[], Iterable[Expiring]],
        reactor: IReactorTime,
        monotonic: Callable[[], float],
        planned: Callable[[float], None] = lambda next_sweep: None,
    ) -> None:
        self._items = items
        self._monotonic = monotonic
        self._call: IDelayedCall | None = None
        self._tasks: list[Callable[[float], bool]] = []
        self.reactor: IReactorTime = reactor
        # Told when the next sweep is due; after that, input should call `overdue`
        self._planned = planned
        self._next = NEVER

    def _set(self, next_sweep: float) -> None:
        self._next = next_sweep
        self._planned(next_sweep)

    def start(self) -> None:
        """Sweep from now on."""
        if self._call is None:
            self._set(self._monotonic() + INTERVAL)
            self._call = self.reactor.callLater(INTERVAL, self._tick)

    def stop(self) -> None:
        """Sweep no more, unless a task is left."""
        if self._call is not None and not self._tasks:
            call, self._call = self._call, None
            self._set(NEVER)
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
        """The planned time has passed; if the reactor is late by much, do its work."""
        if now >= self._next + INTERVAL and self._call is not None:
            call, self._call = self._call, None
            if call.active():
                call.cancel()
            self._tick()

    def _tick(self) -> None:
        self._call = None
        now = self._monotonic()
        self._set(now + INTERVAL)
        self._call = self.reactor.callLater(INTERVAL, self._tick)
        for item in [item for item in self._items() if item.deadline <= now]:
            item.timed_out(now)
        for task in self._tasks:
            if not task(now):
                self.drop_task(task)
        if not self._tasks and not any(True for _ in self._items()):
            self.stop()
