"""Stopping: whether this process is on its way out, and the way itself."""

from __future__ import annotations

import logging
import signal
import time
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred

from cyclone.httpserver import HTTPServer

log = logging.getLogger("cyclone.general")
#: Connections accepted at once at the end (a bound is passed by fewer than that), and how often.
_BATCH, _BATCHES = 8, 128
_draining = False


def is_draining() -> bool:
    """Whether the server of this process, run by `cyclone run`, is stopping.

    Readiness checks say so (`HealthHandler` does), and long tasks may want to know.
    """
    return _draining


class Drain:
    """Stops a server: not ready, no new connections, what runs is finished, then the rest is cut.

    ``delay``: seconds between "not ready" and the end of accepting, for load balancers that ask
    now and then. ``timeout``: seconds what runs may take from then. ``closed()`` is called when
    the server accepts no more, ``done(cut)`` at the end with the number of connections that were
    cut.
    """

    def __init__(
        self,
        server: HTTPServer,
        reactor: Any,
        *,
        timeout: float = 25.0,
        delay: float = 0.0,
        done: Callable[[int], object],
        closed: Callable[[], object] = lambda: None,
    ) -> None:
        self._server = server
        self._reactor = reactor
        self._timeout = timeout
        self._delay = delay
        self._done = done
        self._closed = closed
        self._began = 0.0
        self.begun = False

    def begin(self, why: str) -> None:
        """Begin; once."""
        global _draining
        if self.begun:
            return
        self.begun = _draining = True
        self._began = time.monotonic()
        log.info("%s: stopping, %d connections open", why, len(self._server.open_connections))
        if self._delay:
            self._reactor.callLater(self._delay, self._stop)
        else:
            self._stop()

    def left(self) -> float:
        """How many of the seconds are left that stopping may take, once it has begun."""
        return self._delay + self._timeout - (time.monotonic() - self._began)

    def _stop(self) -> None:
        accept_waiting(self._server)
        # A program may have a stop() of its own
        stopped: Deferred[int] = HTTPServer.stop(self._server, self._timeout)
        self._closed()
        stopped.addBoth(self._finished)

    def _finished(self, result: object) -> None:
        cut = result if isinstance(result, int) else 0
        took = time.monotonic() - self._began
        if cut:
            log.warning("stopped after %.1f s; %d connections were cut", took, cut)
        else:
            log.info("stopped after %.1f s; everything was answered", took)
        self._done(cut)


def accept_waiting(server: HTTPServer) -> None:
    """Accept the connections that wait in the kernel, which would be reset with the socket.

    Only as far as the server's bounds go: without descriptors nothing could be finished.
    """
    gate = server.gate
    for port in list(gate.ports):
        for _ in range(_BATCHES):
            before = len(server.open_connections)
            if gate.paused or not getattr(port, "connected", False):
                break
            port.numberAccepts = _BATCH
            port.doRead()
            if len(server.open_connections) == before:
                break


class Signals:
    """The signals that end a process: the first asks, a second one insists.

    ``stop(name)`` is called in the reactor's thread with the name of the first; ``at_once(number)``
    for a second, and before that ``insisted(number)`` by the handler itself: at its end the reactor
    calls nothing any more, but waits for its threads.
    """

    def __init__(
        self,
        reactor: Any,
        stop: Callable[[str], object],
        at_once: Callable[[int], object],
        insisted: Callable[[int], object] = lambda number: None,
    ) -> None:
        self._reactor = reactor
        self._stop = stop
        self._at_once = at_once
        self._insisted = insisted
        self._asked = False

    def install(self, *numbers: signal.Signals) -> None:
        """Take these signals over."""
        for number in numbers:
            signal.signal(number, self._received)

    def _received(self, number: int, frame: object) -> None:
        if self._asked:
            self._insisted(number)
            self._reactor.callFromThread(self._at_once, number)
            return
        self._asked = True
        self._reactor.callFromThread(self._stop, signal.Signals(number).name)
