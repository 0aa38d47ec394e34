"""The Deferred of something sent: whoever waits for it hears of a failure, nobody else does."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.httpserver import LazyDeferred, Taken


class Sent(LazyDeferred):
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

    def __await__(self) -> Any:
        # Twisted 24 looks for the result at once, as one does whose callback returned this
        self.on_wait()
        return super().__await__()

    def on_wait(self) -> None:
        """Whoever adds a callback, or awaits, is told, of what was lost before as well."""
        self._waited_for = True
        self._look()
        lost, self._lost = self._lost, None
        if lost is not None and not self.called:
            self.errback(lost)

    def on_ask(self) -> None:
        """It has fired if its source has."""
        source = self._source
        if source is not None and source.called:
            self._look()

    def on_chain(self) -> None:
        """To whom it was returned, what was lost is just done."""
        self._chained = True
        self._look()
        if self._lost is not None:
            self._lost = None
            self.callback(None)

    def _look(self) -> None:
        source, self._source = self._source, None
        if source is not None:
            source.addCallbacks(self.callback, self.lose)


def quietly(sending: Deferred[None]) -> Deferred[None]:
    """*sending*, whose failure need not be looked at."""
    lazy = isinstance(sending, Taken)
    if not lazy and sending.called and not isinstance(sending.result, Failure):
        return sending
    sent = Sent(lambda _: sending.cancel())
    if lazy:
        # Nothing happens to it before somebody looks
        sent._source = sending
    else:
        sending.addCallbacks(sent.callback, sent.lose)
    return sent
