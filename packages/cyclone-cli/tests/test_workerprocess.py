"""A worker, as seen by a supervisor that only takes notes."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from twisted.internet import error
from twisted.python import failure

from cyclone.cli._channel import STATUS
from cyclone.cli._workerprocess import State, WorkerProcess, exit_text

# Twisted has no types for these.
Failure: Any = failure.Failure
ProcessDone: Any = error.ProcessDone
ProcessTerminated: Any = error.ProcessTerminated


class Notes:
    def __init__(self) -> None:
        self.seen: list[Any] = []

    def worker_ready(self, worker: WorkerProcess) -> None:
        self.seen.append("ready")

    def worker_gone(self, worker: WorkerProcess, before: State, how: str) -> None:
        self.seen.append((before, how))


class Transport:
    def __init__(self, gone: bool = False) -> None:
        self.signals: list[int] = []
        self.gone = gone

    def signalProcess(self, number: int) -> None:
        if self.gone:
            raise error.ProcessExitedAlready
        self.signals.append(number)


def make() -> tuple[WorkerProcess, Notes, Transport]:
    notes, transport = Notes(), Transport()
    worker = WorkerProcess(notes, 3)  # type: ignore[arg-type]
    worker.transport = transport  # type: ignore[assignment]
    return worker, notes, transport


def test_a_life() -> None:
    worker, notes, transport = make()
    worker.childDataReceived(STATUS, b"rea")
    worker.childDataReceived(STATUS, b"dy\nbeat\nready\nnonsense\n")
    assert (worker.state, notes.seen) == (State.READY, ["ready"])
    worker.stop()
    assert (worker.state, transport.signals) == (State.STOPPING, [signal.SIGTERM])
    worker.stop()  # the supervisor stops while the worker drains
    assert transport.signals == [signal.SIGTERM]
    worker.childDataReceived(STATUS, b"drained 4\ndrained x\n")
    assert worker.cut == 4
    worker.processExited(Failure(ProcessDone(0)))
    assert notes.seen[1] == (State.STOPPING, "exit code 0")
    worker.stop()
    worker.signal(signal.SIGKILL)
    assert transport.signals == [signal.SIGTERM]


def test_a_failure_at_start() -> None:
    worker, notes, _ = make()
    worker.childDataReceived(STATUS, b"failed no database\n")
    worker.processExited(Failure(ProcessTerminated(1)))
    assert (worker.reason, worker.state) == ("no database", State.GONE)
    assert worker.exit_code == 1
    assert notes.seen == [(State.BOOTING, "exit code 1")]


def test_a_process_that_is_gone_already() -> None:
    worker, _, transport = make()
    transport.gone = True
    worker.signal(signal.SIGKILL)


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (ProcessDone(0), "exit code 0"),
        (ProcessTerminated(3), "exit code 3"),
        (ProcessTerminated(None, 9), "killed by SIGKILL"),
        (ProcessTerminated(None, 200), "killed by signal 200"),
    ],
)
def test_exit_text(status: Exception, text: str) -> None:
    assert exit_text(status) == text
