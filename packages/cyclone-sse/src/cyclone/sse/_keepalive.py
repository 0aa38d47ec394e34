"""One coarse sweep over all open streams of an application, instead of a timer for each."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from cyclone.web import Application

#: Seconds between two sweeps: how late a comment may be, or the end when the server stops.
INTERVAL = 1.0


class Stream(Protocol):
    """An open stream."""

    def _sweep(self, now: float) -> None:
        """Do what is due at *now*, a time of the monotonic clock."""


class Sweeper:
    """Calls `_sweep` of each open stream about once a second; without streams nothing runs."""

    __slots__ = ("_call", "_reactor", "_streams", "monotonic")

    def __init__(self, reactor: Any, monotonic: Callable[[], float]) -> None:
        self._reactor = reactor
        self._streams: dict[Stream, None] = {}
        self._call: IDelayedCall | None = None
        self.monotonic = monotonic

    def __len__(self) -> int:
        return len(self._streams)

    def add(self, stream: Stream) -> None:
        """Look after *stream*."""
        self._streams[stream] = None
        if self._call is None:
            self._call = self._reactor.callLater(INTERVAL, self._tick)

    def discard(self, stream: Stream) -> None:
        """*stream* has ended."""
        self._streams.pop(stream, None)
        if not self._streams and self._call is not None:
            call, self._call = self._call, None
            if call.active():
                call.cancel()

    def _tick(self) -> None:
        self._call = self._reactor.callLater(INTERVAL, self._tick)
        now = self.monotonic()
        for stream in list(self._streams):
            stream._sweep(now)


_sweepers: weakref.WeakKeyDictionary[Application, Sweeper] = weakref.WeakKeyDictionary()


def sweeper_of(application: Application) -> Sweeper:
    """The one of *application*, made when it is first asked for."""
    sweeper = _sweepers.get(application)
    if sweeper is None:
        sweeper = Sweeper(application.reactor, application.monotonic)
        _sweepers[application] = sweeper
    return sweeper
