"""The Deferred of something sent: whoever waits for it hears of a failure, nobody else does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.httpserver import Taken


class Sent(Deferred[None]):
    """Fails only when somebody looks.

    Most programs call ``flush()`` and ``finish()`` and go on: that the client went away meanwhile
    is no error of theirs, and must not be logged as an unhandled one. To a Deferred whose callback
    returned this one, as in ``d.addCallback(self.finish)``, it is just done: nobody may be waiting
    there either, and what else hangs on that Deferred has to go on.
    """

    _lost: Failure | None = None
    _waited_for: bool = False
    _chained: bool = False
    # Where the news will come from, until somebody wants to know.
    _source: Deferred[None] | None = None

    if not TYPE_CHECKING:
        _fired = False

        @property
        def called(self):
            """As in Deferred."""
            source = self._source
            if source is not None and source.called:
                self._look()
            return self._fired

        @called.setter
        def called(self, value):
            self._fired = value

    def lose(self, failure: Failure) -> None:
        """Fail, now if somebody waits, else when somebody does."""
        if self.called:
            return
        if self._waited_for:
            self.errback(failure)
        elif self._chained:
            self.callback(None)
        else:
            self._lost = failure

    # Twisted's own versions do not call each other.

    def addCallbacks(self, *args: Any, **kwargs: Any) -> Any:
        """As ever; and what was lost comes out now."""
        return self._tell(super().addCallbacks(*args, **kwargs))

    def addCallback(self, *args: Any, **kwargs: Any) -> Any:
        """As ever; and what was lost comes out now."""
        return self._tell(super().addCallback(*args, **kwargs))

    def addErrback(self, *args: Any, **kwargs: Any) -> Any:
        """As ever; and what was lost comes out now."""
        return self._tell(super().addErrback(*args, **kwargs))

    def addBoth(self, *args: Any, **kwargs: Any) -> Any:
        """As ever; and what was lost comes out now."""
        return self._tell(super().addBoth(*args, **kwargs))

    def __await__(self) -> Any:
        # Twisted 24 looks for the result at once, as one does whose callback returned this
        self._tell(None)
        return super().__await__()

    def __getattr__(self, name: str) -> Any:
        # A Deferred whose callback returned this one looks for its result, and then waits for it
        if name == "result":
            self._chained = True
            self._look()
            if "result" in self.__dict__:
                return self.__dict__["result"]
            if self._lost is not None:
                self._lost = None
                self.callback(None)
                return self.__dict__["result"]
        raise AttributeError(name)

    def _look(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.addCallbacks(self.callback, self.lose)

    def _tell(self, result: Any) -> Any:
        self._waited_for = True
        self._look()
        lost, self._lost = self._lost, None
        if lost is not None and not self.called:
            self.errback(lost)
        return result


def quietly(sending: Deferred[None]) -> Deferred[None]:
    """*sending*, whose failure need not be looked at."""
    if sending.called and not isinstance(sending.result, Failure):
        return sending
    sent = Sent(lambda _: sending.cancel())
    if isinstance(sending, Taken):
        # Nothing happens to it before somebody looks
        sent._source = sending
    else:
        sending.addCallbacks(sent.callback, sent.lose)
    return sent
