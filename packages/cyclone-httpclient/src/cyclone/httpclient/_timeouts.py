"""Deadlines measured on a monotonic clock.

Twisted schedules on wall time, which can jump: a timer that fires before its time by the
monotonic clock is set again for what is left (R9, F-41).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime

Clock = Callable[[], float]


def clock_of(reactor: IReactorTime) -> Clock:
    """The monotonic clock, or the fake one of a test's reactor."""
    from twisted.internet.task import Clock as FakeClock

    return reactor.seconds if isinstance(reactor, FakeClock) else time.monotonic


class Deadline:
    """Calls ``expired`` once, ``seconds`` from now, unless cancelled before."""

    __slots__ = ("_call", "_clock", "_expired", "_reactor", "_when")

    def __init__(
        self, reactor: IReactorTime, clock: Clock, seconds: float, expired: Callable[[], object]
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._expired = expired
        self._when = clock() + seconds
        self._call: IDelayedCall | None = reactor.callLater(seconds, self._fire)

    def _fire(self) -> None:
        left = self._when - self._clock()
        if left > 0.001:
            self._call = self._reactor.callLater(left, self._fire)
            return
        self._call = None
        self._expired()

    def cancel(self) -> None:
        """Forget it; harmless when it has fired."""
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()
