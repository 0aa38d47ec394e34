"""Many deadlines with few timers: pings, pongs, and the ends of waits.

All deadlines with the same delay stand in one queue, in order, because each new one is the latest.
So one timer for each *delay* serves any number of connections, and adding and dropping a deadline
costs the same however many there are. Deadlines are times of a monotonic clock; the reactor's
clock, which may jump, only decides when to look, and it looks at least once a second.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall, IReactorTime

#: A deadline fires late by this part of its delay at most ...
COARSENESS: Final = 1 / 20
#: ... and the clock is looked at once in so many seconds at least.
LONGEST_SLEEP: Final = 1.0


class Deadline:
    """One deadline; `cancel` it when what was waited for is there."""

    __slots__ = ("_line", "action", "when")

    def __init__(self, line: _Line, when: float, action: Callable[[], object]) -> None:
        self._line = line
        self.when: float = when
        #: What is done at that time; None when it is done or cancelled.
        self.action: Callable[[], object] | None = action

    def cancel(self) -> None:
        """Forget it, if it is not over."""
        if self.action is not None:
            self.action = None
            self._line.dropped()


class _Line:
    """The deadlines with one delay."""

    __slots__ = ("_call", "_delay", "_live", "_looking", "_owner", "_waiting")

    def __init__(self, owner: Deadlines, delay: float) -> None:
        self._owner = owner
        self._delay = delay
        self._waiting: deque[Deadline] = deque()
        self._live = 0
        self._looking = False
        self._call: IDelayedCall | None = None

    def add(self, action: Callable[[], object]) -> Deadline:
        deadline = Deadline(self, self._owner.monotonic() + self._delay, action)
        self._waiting.append(deadline)
        self._live += 1
        if self._call is None and not self._looking:
            self._schedule(self._delay)
        return deadline

    def dropped(self) -> None:
        self._live -= 1
        if not self._live:
            self._waiting.clear()
            self._owner.forget(self._delay, self)
            call, self._call = self._call, None
            if call is not None and call.active():
                call.cancel()

    def _schedule(self, delay: float) -> None:
        coarse = self._delay * COARSENESS
        self._call = self._owner.reactor.callLater(
            min(max(delay, coarse), LONGEST_SLEEP), self._look
        )

    def _look(self) -> None:
        self._call = None
        self._looking = True
        now = self._owner.monotonic()
        try:
            self._fire(now)
        finally:
            # What an action raises, the reactor logs; the others have their turn with the next look
            self._looking = False
            if self._waiting:
                self._schedule(self._waiting[0].when - now)
            else:
                self._owner.forget(self._delay, self)

    def _fire(self, now: float) -> None:
        waiting = self._waiting
        while waiting and (waiting[0].action is None or waiting[0].when <= now):
            deadline = waiting.popleft()
            action, deadline.action = deadline.action, None
            if action is not None:
                self._live -= 1
                action()


class Deadlines:
    """The deadlines of one server, or of all clients on a reactor."""

    def __init__(
        self, reactor: IReactorTime, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.reactor = reactor
        self.monotonic = monotonic
        self._lines: dict[float, _Line] = {}

    def after(self, delay: float, action: Callable[[], object]) -> Deadline:
        """Call ``action()`` in ``delay`` seconds, or a little later."""
        line = self._lines.get(delay)
        if line is None:
            line = self._lines[delay] = _Line(self, delay)
        return line.add(action)

    def forget(self, delay: float, line: _Line) -> None:
        """For a queue: it is empty."""
        if self._lines.get(delay) is line:
            del self._lines[delay]


_shared: WeakKeyDictionary[Any, Deadlines] = WeakKeyDictionary()


def shared_deadlines(
    owner: object, reactor: IReactorTime, monotonic: Callable[[], float] = time.monotonic
) -> Deadlines:
    """The deadlines that belong to ``owner``, a server or a reactor, as long as it lives."""
    deadlines = _shared.get(owner)
    if deadlines is None:
        deadlines = _shared[owner] = Deadlines(reactor, monotonic)
    return deadlines
