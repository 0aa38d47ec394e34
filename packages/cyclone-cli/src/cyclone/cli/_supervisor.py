"""The supervisor of worker processes: starts, replaces, reloads and stops them."""

from __future__ import annotations

import contextlib
import logging
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

from ._balance import Counts
from ._clock import steady
from ._drain import Signals
from ._errors import StartError
from ._logs import set_up
from ._options import RunOptions
from ._restarts import Restarts
from ._serve import announce
from ._sockets import Listener
from ._systemd import notify, notify_ready, notify_reloading, notify_stopping, watchdog_interval
from ._workerprocess import State, WorkerProcess
from ._writer import BackgroundHandler

log = logging.getLogger("cyclone.general")

#: Seconds a worker may take to start, at least (else the worker timeout, if that is longer).
BOOT_LIMIT = 60.0
#: Seconds a worker gets beyond its own deadline before it is killed.
GRACE = 3.0


class Supervisor:
    """Keeps ``options.workers`` workers on the sockets; `run` returns when all have ended."""

    def __init__(self, options: RunOptions, listeners: Sequence[Listener]) -> None:
        self.options = options
        self.listeners = list(listeners)
        #: Where the workers show each other how many connections they have.
        self.counts = Counts(workers) if (workers := options.workers or 1) > 1 else None
        self._urls = [listener.url for listener in self.listeners]
        self._restarts = Restarts()
        #: The worker of each number; those that are about to replace one are in `_newcomer`.
        self._workers: dict[int, WorkerProcess | None] = {}
        self._all: set[WorkerProcess] = set()
        self._newcomer: WorkerProcess | None = None
        #: The numbers of those to be replaced, and which of that number, if it has to be that one.
        self._to_reload: list[tuple[int, WorkerProcess | None]] = []
        self._reloading = False
        self._announced = False
        self._stopping = False
        self._cut = 0
        self._exit_code = 0
        #: Why it gave up.
        self.problem: StartError | None = None
        self._reactor: Any = None
        self._ended: Callable[[], object] = lambda: None
        self._handler: BackgroundHandler | None = None

    # --- from beginning to end ----------------------------------------------------------------

    def run(self) -> int:
        """Run; returns the exit code. :raises StartError: when the workers cannot be started."""
        from twisted.internet import reactor

        self._handler = set_up(debug=self.options.debug)
        self._reactor = steady(reactor)
        try:
            self._reactor.callWhenRunning(self._start)
            self._reactor.run()
        finally:
            self._close_sockets()
            self._flush_log(2.0)
            if self.counts is not None:
                self.counts.close()
        if self.problem is not None:
            raise self.problem
        return self._exit_code

    def _start(self) -> None:
        Signals(self._reactor, self.stop, self._at_once).install(signal.SIGTERM, signal.SIGINT)
        self.begin(self._reactor, self._stop_reactor)

    def begin(self, reactor: Any, ended: Callable[[], object]) -> None:
        """Start the workers; ``ended()`` is called when all have ended, see `stop`."""
        self._reactor = reactor
        self._ended = ended
        signal.signal(signal.SIGHUP, lambda *_: reactor.callFromThread(self.reload))
        for number in range(self.options.workers or 1):
            self._spawn(number)
        self._watch()

    def _flush_log(self, seconds: float) -> None:
        if self._handler is not None:
            self._handler.flush_within(seconds)

    def _close_sockets(self) -> None:
        for listener in self.listeners:
            with contextlib.suppress(OSError):
                listener.close()
        self.listeners = []

    # --- workers ------------------------------------------------------------------------------

    def _spawn(self, number: int, *, newcomer: bool = False) -> None:
        if self._stopping:
            return
        worker = WorkerProcess(self, number)
        if newcomer:
            self._newcomer = worker
        else:
            self._workers[number] = worker
        self._all.add(worker)
        try:
            worker.spawn(self._reactor)
        except OSError as error:
            worker.reason = str(error)
            worker.state = State.GONE
            self.worker_gone(worker, State.BOOTING, "not started")

    def worker_ready(self, worker: WorkerProcess) -> None:
        """For a worker: it serves."""
        self._restarts.ready()
        if worker is self._newcomer:
            self._newcomer = None
            before, self._workers[worker.number] = self._workers[worker.number], worker
            if before is not None:
                self._retire(before)
            self._reload_next()
        log.info("worker %d is ready (pid %s)", worker.number, worker.pid)
        if not self._announced and all(
            one is not None and one.state is State.READY for one in self._workers.values()
        ):
            self._announced = True
            announce(self.options.target, self._urls, f" by {len(self._workers)} workers")
            notify_ready()

    def worker_gone(self, worker: WorkerProcess, before: State, how: str) -> None:
        """For a worker: its process has ended, from the state *before*."""
        self._all.discard(worker)
        if self.counts is not None and self._workers.get(worker.number) is worker:
            self.counts.clear(worker.number)
        self._cut += worker.cut
        if self._stopping:
            self._stopped_if_empty()
        elif worker is self._newcomer:
            self._newcomer = None
            self._to_reload = []
            self._reloading = False
            log.error(
                "reload given up: the new worker %d ended (%s); the old ones go on",
                worker.number,
                worker.reason or how,
            )
            if self._workers[worker.number] is None:
                self._replace(worker, how)
            notify_ready()
        elif self._workers.get(worker.number) is worker:
            self._workers[worker.number] = None
            if self._newcomer is None or self._newcomer.number != worker.number:
                self._replace(worker, how)
        elif before is not State.STOPPING:
            log.warning("the retired worker %d ended: %s", worker.number, how)

    def _replace(self, worker: WorkerProcess, how: str) -> None:
        if worker.reason is not None and not self._announced:
            self._give_up(worker.reason, worker.exit_code or 1)
            return
        pause = self._restarts.died(time.monotonic(), worker.ready_since)
        reason = worker.reason or how
        if pause is None:
            self._give_up(f"the workers die at start ({reason})")
            return
        log.error("worker %d ended (%s); replaced in %.2f s", worker.number, reason, pause)
        self._reactor.callLater(pause, self._spawn_missing, worker.number)

    def _spawn_missing(self, number: int) -> None:
        newcomer = self._newcomer
        if self._workers.get(number) is None and (newcomer is None or newcomer.number != number):
            self._spawn(number)

    def _retire(self, worker: WorkerProcess) -> None:
        """Let a worker drain; kill it when it takes too long."""
        worker.stop()
        limit = self.options.drain_timeout + self.options.drain_delay + GRACE
        self._reactor.callLater(limit, worker.signal, signal.SIGKILL)

    # --- signs of life ------------------------------------------------------------------------

    def _watch(self) -> None:
        """Look after workers that hang, and tell systemd's watchdog that somebody does."""
        timeout = self.options.worker_timeout
        now = time.monotonic()
        for worker in list(self._all):
            limit = timeout
            if worker.state is State.BOOTING:
                limit = max(timeout, BOOT_LIMIT)
            if timeout and worker.state in (State.BOOTING, State.READY):
                self._check(worker, now - worker.last_sign, limit)
        watchdog = watchdog_interval()
        if watchdog is not None:
            notify("WATCHDOG=1")
        interval = min(timeout / 10 if timeout else 5.0, watchdog or 5.0, 5.0)
        self._reactor.callLater(max(0.05, interval), self._watch)

    def _check(self, worker: WorkerProcess, silence: float, limit: float) -> None:
        if silence < limit:
            return
        log.error(
            "worker %d (pid %s) gave no sign of life for %.1f s: ending it",
            worker.number,
            worker.pid,
            silence,
        )
        worker.last_sign += limit
        self._flush_log(0.5)  # or this line cuts one of the worker's own in two
        worker.signal(signal.SIGABRT)  # it shows where it is, see faulthandler
        self._reactor.callLater(1.0, worker.signal, signal.SIGKILL)

    # --- reload -------------------------------------------------------------------------------

    def reload(self) -> None:
        """Replace the workers one by one: the new one first, then the old one drains."""
        if self._stopping or not self._announced:
            return
        log.info("SIGHUP: reloading %d workers", len(self._workers))
        notify_reloading()
        self._reloading = True
        self._to_reload = [(number, None) for number in self._workers]
        if self._newcomer is None:
            self._reload_next()

    def worker_spent(self, worker: WorkerProcess) -> None:
        """For a worker: it has had as many requests as it should."""
        place = (worker.number, worker)
        if self._stopping or self._reloading or place in self._to_reload:
            return
        if self._newcomer is not None and self._newcomer.number == worker.number:
            return
        log.info("worker %d has had its requests: it is replaced", worker.number)
        self._to_reload.append(place)
        if self._newcomer is None:
            self._reload_next()

    def _reload_next(self) -> None:
        while self._to_reload:
            number, worker = self._to_reload.pop(0)
            if worker is None or self._workers.get(number) is worker:
                self._spawn(number, newcomer=True)
                return
        if self._reloading:
            self._reloading = False
            log.info("reloaded")
            notify_ready()

    # --- stop ---------------------------------------------------------------------------------

    def _give_up(self, reason: str, exit_code: int = 1) -> None:
        if self.problem is None:
            self.problem = StartError(reason, exit_code)
        self.stop("giving up")

    def stop(self, why: str) -> None:
        """Let all workers drain and end."""
        if self._stopping:
            return
        self._stopping = True
        self._announced = True
        notify_stopping()
        log.info("%s: stopping %d workers", why, len(self._all))
        if self.options.drain_delay and self.problem is None:
            self._reactor.callLater(self.options.drain_delay, self._close_sockets)
        else:
            self._close_sockets()
        for worker in list(self._all):
            self._retire(worker)
        self._stopped_if_empty()

    def _stopped_if_empty(self) -> None:
        if self._all:
            return
        if self.problem is None and self._exit_code == 0:
            log.info("all workers have ended; %d connections were cut", self._cut)
        ended, self._ended = self._ended, lambda: None
        ended()

    def _stop_reactor(self) -> None:
        if self._reactor.running:
            self._reactor.stop()

    def _at_once(self, number: int) -> None:
        log.warning("%s again: stopping at once", signal.Signals(number).name)
        self._exit_code = 128 + number
        for worker in list(self._all):
            worker.signal(signal.SIGKILL)
        self._stop_reactor()
