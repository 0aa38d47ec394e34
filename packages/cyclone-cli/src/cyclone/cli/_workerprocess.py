"""A worker as its supervisor sees it."""

from __future__ import annotations

import contextlib
import enum
import logging
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

from twisted.internet.error import ProcessExitedAlready
from twisted.internet.protocol import ProcessProtocol

from ._channel import CONTROL, FIRST_SOCKET, STATUS, Lines
from ._worker import VARIABLE, task
from .process import TASK_VARIABLE

if TYPE_CHECKING:
    from ._supervisor import Supervisor

log = logging.getLogger("cyclone.general")
#: What is for the supervisor alone.
_PRIVATE = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class State(enum.Enum):
    """BOOTING -> READY -> STOPPING -> GONE; any state may be left out but the last."""

    BOOTING = enum.auto()
    READY = enum.auto()
    STOPPING = enum.auto()
    GONE = enum.auto()


class WorkerProcess(ProcessProtocol):
    """One worker process; tells *supervisor* when it is ready and when it is gone."""

    def __init__(self, supervisor: Supervisor, number: int) -> None:
        self.number = number
        self.state = State.BOOTING
        self.ready_since: float | None = None
        self.last_sign = time.monotonic()
        #: Why it could not start, in its own words.
        self.reason: str | None = None
        #: How many connections it cut at its end.
        self.cut = 0
        self.pid: int | None = None
        #: With what it ended, if it did by itself.
        self.exit_code: int | None = None
        self._supervisor = supervisor
        self._lines = Lines()

    def spawn(self, reactor: Any) -> None:
        """Start the process. OSError if that is impossible."""
        supervisor = self._supervisor
        listeners = supervisor.listeners
        environ = {name: value for name, value in os.environ.items() if name not in _PRIVATE}
        counts = supervisor.counts
        environ[VARIABLE] = task(
            supervisor.options,
            self.number,
            [one.tls for one in listeners],
            counts=counts is not None,
        )
        environ[TASK_VARIABLE] = str(self.number)
        flags = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]
        descriptors: dict[int, Any] = {0: 0, 1: 1, 2: 2, CONTROL: "w", STATUS: "r"}
        for index, listener in enumerate(listeners):
            descriptors[FIRST_SOCKET + index] = listener.sock.fileno()
        if counts is not None:
            descriptors[FIRST_SOCKET + len(listeners)] = counts.descriptor
        transport = reactor.spawnProcess(
            self,
            sys.executable,
            [sys.executable, *flags, "-m", "cyclone.cli._worker"],
            env=environ,
            path=os.getcwd(),
            childFDs=descriptors,
        )
        self.pid = transport.pid

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Twisted: the worker said something."""
        for line in self._lines.feed(data):
            self.last_sign = time.monotonic()
            word, _, rest = line.partition(" ")
            if word == "ready" and self.state is State.BOOTING:
                self.state = State.READY
                self.ready_since = self.last_sign
                self._supervisor.worker_ready(self)
            elif word == "spent" and self.state is State.READY:
                self._supervisor.worker_spent(self)
            elif word == "failed":
                self.reason = rest
            elif word == "drained" and rest.isdecimal():
                self.cut = int(rest)

    def processExited(self, reason: Any) -> None:
        """Twisted: the process is gone, though somebody may still hold its pipes."""
        self.pid = None
        self.exit_code = getattr(reason.value, "exitCode", None)
        before, self.state = self.state, State.GONE
        self._supervisor.worker_gone(self, before, exit_text(reason.value))

    def stop(self) -> None:
        """Let it drain and end, once: told again it would end at once."""
        if self.state in (State.BOOTING, State.READY):
            self.state = State.STOPPING
            self.signal(signal.SIGTERM)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.transport is not None and self.state is not State.GONE:
            with contextlib.suppress(ProcessExitedAlready, OSError):
                self.transport.signalProcess(int(number))


def exit_text(status: Any) -> str:
    """How a process ended, in words."""
    if getattr(status, "signal", None) is not None:
        try:
            return f"killed by {signal.Signals(status.signal).name}"
        except ValueError:
            return f"killed by signal {status.signal}"
    return f"exit code {status.exitCode}"
