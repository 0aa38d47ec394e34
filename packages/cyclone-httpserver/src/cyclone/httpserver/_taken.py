"""The Deferred of output that waits for a slow client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import Deferred


class Output(Protocol):
    """Where a `Taken` waits."""

    def is_settled(self, waiter: Taken) -> bool:
        """Whether it need not wait any more."""

    def join(self, waiter: Taken) -> None:
        """Fire it, now or when its time has come."""

    def leave(self, waiter: Taken) -> None:
        """It was cancelled."""


class Taken(Deferred[None]):
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

    def _join(self) -> None:
        output, self._output = self._output, None
        if output is not None:
            self._joined = output
            output.join(self)

    if not TYPE_CHECKING:
        _fired = False

        @property
        def called(self):
            """As in Deferred."""
            output = self._output
            if output is not None and output.is_settled(self):
                self._join()
            return self._fired

        @called.setter
        def called(self, value):
            self._fired = value

        # Twisted's own versions do not call each other

        def addCallbacks(self, *args, **kwargs):
            """As in Deferred."""
            self._join()
            return super().addCallbacks(*args, **kwargs)

        def addCallback(self, *args, **kwargs):
            """As in Deferred."""
            self._join()
            return super().addCallback(*args, **kwargs)

        def addErrback(self, *args, **kwargs):
            """As in Deferred."""
            self._join()
            return super().addErrback(*args, **kwargs)

        def addBoth(self, *args, **kwargs):
            """As in Deferred."""
            self._join()
            return super().addBoth(*args, **kwargs)

        def __getattr__(self, name):
            # A Deferred whose callback returned this one looks for its result, and then waits
            if name == "result" and self._output is not None:
                self._join()
                if "result" in self.__dict__:
                    return self.__dict__["result"]
            raise AttributeError(name)
