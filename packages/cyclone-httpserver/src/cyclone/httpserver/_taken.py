"""The Deferred of output that waits for a slow client."""

from __future__ import annotations

from typing import Any, Protocol

from ._errors import StreamClosedError
from ._lazy import LazyDeferred


class Output(Protocol):
    """Where a `Taken` waits."""

    def is_settled(self, waiter: Taken) -> bool:
        """Whether it need not wait any more."""

    def join(self, waiter: Taken) -> None:
        """Fire it, now or when its time has come."""

    def leave(self, waiter: Taken) -> None:
        """It was cancelled."""


class Taken(LazyDeferred):
    """Fires when no more than ``size`` bytes wait; it begins to wait when somebody looks at it.

    Most writers look at none of theirs. Those cost nothing, however many are made while a client
    does not read, and nobody is told that it went away.
    """

    def __init__(self, output: Output, size: int = 0) -> None:
        super().__init__(self._cancelled)
        self._output: Output | None = output
        self.size = size

    @staticmethod
    def _cancelled(waiter: Any) -> None:
        waiter._output, output = None, waiter._joined
        if output is not None:
            output.leave(waiter)

    _joined: Output | None = None

    def on_wait(self) -> None:
        """Somebody waits: the output is to tell."""
        output, self._output = self._output, None
        if output is not None:
            self._joined = output
            output.join(self)

    def on_chain(self) -> None:
        """So does another Deferred."""
        self.on_wait()

    def on_ask(self) -> None:
        """Whether it has fired is for its output to say, as long as nobody waits."""
        output = self._output
        if output is not None and output.is_settled(self):
            self.on_wait()


class _Gone:
    """The output of a connection whose client is gone."""

    def is_settled(self, waiter: Taken) -> bool:
        """It is over."""
        return True

    def join(self, waiter: Taken) -> None:
        """Whoever waits is told."""
        waiter.errback(StreamClosedError())

    def leave(self, waiter: Taken) -> None:
        """Nobody waits here."""


_GONE = _Gone()


def refused() -> Taken:
    """What to return for output that cannot be sent: only who looks at it is told."""
    return Taken(_GONE)
