"""VirtualClock: time that passes only when a test says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock

from ._pump import Pump
from ._reactor import running_reactor


class VirtualClock(Clock):
    """A clock for the server under test; an hour passes in no time.

    `advance` goes through the time step by step: each timer runs at its own moment, and what it
    sends has arrived before the next one runs. Calls with no delay run by themselves. It can stand
    for the reactor where only time is wanted (``IReactorTime``).
    """

    rightNow: float

    def __init__(self) -> None:
        super().__init__()
        self.wire: Pump = Pump(self._run_due)

    def callLater(
        self, delay: float, callable: Callable[..., object], *args: object, **kw: object
    ) -> IDelayedCall:
        """Call back after ``delay`` seconds of this clock."""
        call: IDelayedCall = super().callLater(delay, callable, *args, **kw)
        if delay <= 0:
            self.wire.plan()
        return call

    def callFromThread(self, what: Callable[..., object], *args: Any, **kwargs: Any) -> None:
        """Call ``what`` soon, in the thread of the reactor if that runs."""
        reactor = running_reactor()
        if reactor is None:
            self.callLater(0, what, *args, **kwargs)
        else:
            reactor.callFromThread(self.callLater, 0, what, *args, **kwargs)

    def advance(self, amount: float) -> None:
        """Let ``amount`` seconds pass, and everything happen that happens meanwhile."""
        if amount < 0:
            raise ValueError("time does not go back")
        target = self.rightNow + amount
        with self.wire.held():
            self.wire.drain()
            while (moment := self._next()) is not None and moment <= target:
                self.rightNow = max(self.rightNow, moment)
                self.wire.drain()
            self.rightNow = target
            self.wire.drain()

    def settle(self) -> None:
        """Let everything happen that needs no time."""
        self.advance(0)

    def sleep(self, seconds: float) -> Deferred[None]:
        """A Deferred for a later moment of this clock; something else has to `advance` it."""
        done: Deferred[None] = Deferred()
        self.callLater(seconds, done.callback, None)
        return done

    def _next(self) -> float | None:
        return self.calls[0].getTime() if self.calls else None

    def _run_due(self) -> bool:
        """Run what is due now; was there anything?"""
        moment = self._next()
        if moment is None or moment > self.rightNow:
            return False
        super().advance(0)
        return True


class ClockedReactor:
    """A real reactor whose timers run on a `VirtualClock`: sockets are real, time is not.

    Calls without a delay stay with the reactor.
    """

    def __init__(self, reactor: Any, clock: VirtualClock) -> None:
        self._reactor = reactor
        self._clock = clock

    def callLater(
        self, when: float, what: Callable[..., object], *args: Any, **kwargs: Any
    ) -> IDelayedCall:
        """Call ``what`` after ``when`` seconds of the clock."""
        timer = self._clock if when > 0 else self._reactor
        call: IDelayedCall = timer.callLater(when, what, *args, **kwargs)
        return call

    def seconds(self) -> float:
        """The clock's time."""
        now: float = self._clock.seconds()
        return now

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)
