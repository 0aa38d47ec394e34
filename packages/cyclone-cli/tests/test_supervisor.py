"""The supervisor, with workers that are only names and a clock that stands still."""

from __future__ import annotations

import signal
from typing import Any

import pytest
from twisted.internet.task import Clock

from cyclone.cli import _supervisor
from cyclone.cli._options import RunOptions
from cyclone.cli._supervisor import Supervisor
from cyclone.cli._workerprocess import State, WorkerProcess


class Fake(WorkerProcess):
    """A worker without a process."""

    made: list[Fake]

    def spawn(self, reactor: Any) -> None:
        self.made.append(self)
        self.pid = 1000 + len(self.made)
        self.signals: list[int] = []

    def signal(self, number: signal.Signals) -> None:
        self.signals.append(number)

    def is_ready(self) -> None:
        self.childDataReceived(4, b"ready\n")

    def dies(self, how: str = "killed by SIGKILL") -> None:
        before, self.state = self.state, State.GONE
        self._supervisor.worker_gone(self, before, how)


class Stage:
    def __init__(self, monkeypatch: pytest.MonkeyPatch, workers: int) -> None:
        self.now = 1000.0
        self.clock = Clock()
        self.fakes: list[Fake] = []
        self.ended: list[bool] = []
        self.announced: list[str] = []
        Fake.made = self.fakes
        monkeypatch.setattr(_supervisor, "WorkerProcess", Fake)
        monkeypatch.setattr(
            _supervisor, "announce", lambda target, urls, extra: self.announced.append(extra)
        )
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        self.supervisor = Supervisor(RunOptions("app", workers=workers), [])
        before = signal.getsignal(signal.SIGHUP)
        try:
            self.supervisor.begin(self.clock, lambda: self.ended.append(True))
        finally:
            signal.signal(signal.SIGHUP, before)

    def advance(self, seconds: float) -> None:
        self.now += seconds
        self.clock.advance(seconds)


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch, 2)


def test_ready_is_said_once_all_are(stage: Stage) -> None:
    first, second = stage.fakes
    first.is_ready()
    assert stage.announced == []
    second.is_ready()
    assert stage.announced == [" by 2 workers"]


def ready(stage: Stage) -> list[Fake]:
    for fake in stage.fakes:
        fake.is_ready()
    return stage.fakes


def test_a_dead_worker_is_replaced(stage: Stage) -> None:
    first, _ = ready(stage)
    stage.advance(20)
    first.dies()
    stage.advance(0)
    assert [fake.number for fake in stage.fakes] == [0, 1, 0]


def test_reload_is_one_by_one(stage: Stage) -> None:
    first, second = ready(stage)
    stage.supervisor.reload()
    assert len(stage.fakes) == 3
    assert first.signals == []
    stage.fakes[2].is_ready()
    assert first.signals == [signal.SIGTERM]
    assert second.signals == []
    first.dies("exit code 0")
    stage.fakes[3].is_ready()
    assert second.signals == [signal.SIGTERM]
    second.dies("exit code 0")
    stage.advance(100)
    assert len(stage.fakes) == 4


def test_a_reload_that_fails_is_given_up(stage: Stage) -> None:
    first, second = ready(stage)
    stage.supervisor.reload()
    stage.fakes[2].dies("exit code 1")
    stage.advance(15)
    assert len(stage.fakes) == 3
    assert first.signals + second.signals == []


def test_the_old_one_dies_during_a_reload(stage: Stage) -> None:
    first, _ = ready(stage)
    stage.supervisor.reload()
    first.dies()
    stage.advance(1)
    assert len(stage.fakes) == 3  # the newcomer takes its place
    stage.fakes[2].dies()
    stage.advance(1)
    assert [fake.number for fake in stage.fakes] == [0, 1, 0, 0]


def test_a_worker_that_has_had_its_requests_is_replaced(stage: Stage) -> None:
    first, second = ready(stage)
    for _ in range(2):
        first.childDataReceived(4, b"spent\n")
        second.childDataReceived(4, b"spent\n")
    assert [fake.number for fake in stage.fakes] == [0, 1, 0]  # one after the other
    stage.fakes[2].is_ready()
    assert first.signals == [signal.SIGTERM]
    assert [fake.number for fake in stage.fakes] == [0, 1, 0, 1]
    first.childDataReceived(4, b"spent\n")  # while it drains
    first.dies("exit code 0")
    stage.fakes[3].is_ready()
    assert second.signals == [signal.SIGTERM]
    second.dies("exit code 0")
    stage.advance(10)
    assert len(stage.fakes) == 4


def test_a_spent_worker_that_dies_first(stage: Stage) -> None:
    first, second = ready(stage)
    first.childDataReceived(4, b"spent\n")
    second.childDataReceived(4, b"spent\n")
    second.dies()
    stage.advance(0)
    assert [fake.number for fake in stage.fakes] == [0, 1, 0, 1]
    stage.fakes[3].is_ready()
    stage.fakes[2].is_ready()
    assert len(stage.fakes) == 4  # the successor of the second is new enough


def test_a_spent_worker_goes_on_if_its_successor_fails(stage: Stage) -> None:
    first, _ = ready(stage)
    first.childDataReceived(4, b"spent\n")
    stage.fakes[2].dies("exit code 1")
    assert first.signals == []
    first.childDataReceived(4, b"spent\n")  # after as many more
    stage.fakes[3].is_ready()
    assert first.signals == [signal.SIGTERM]


def test_f07_no_sign_of_life(stage: Stage) -> None:
    first, second = ready(stage)
    for _ in range(14):
        stage.advance(2.5)
        second.childDataReceived(4, b"beat\n")
    assert first.signals == [signal.SIGABRT, signal.SIGKILL]
    assert second.signals == []


def test_a_boot_that_takes_too_long(stage: Stage) -> None:
    for _ in range(30):
        stage.advance(2.5)
    assert stage.fakes[0].signals == [signal.SIGABRT, signal.SIGKILL]


def test_stop(stage: Stage) -> None:
    first, second = ready(stage)
    stage.supervisor.stop("SIGTERM")
    stage.supervisor.stop("SIGTERM")
    stage.supervisor.reload()
    assert first.signals == second.signals == [signal.SIGTERM]
    first.dies("exit code 0")
    assert stage.ended == []
    stage.advance(28.5)
    assert second.signals == [signal.SIGTERM, signal.SIGKILL]
    second.dies()
    assert stage.ended == [True]
    assert len(stage.fakes) == 2


def test_f06_why_it_cannot_start_ends_it(stage: Stage) -> None:
    first, second = stage.fakes
    first.childDataReceived(4, b"failed no database\n")
    first.exit_code = 2
    first.dies("exit code 2")
    assert second.signals == [signal.SIGTERM]
    second.dies()
    assert str(stage.supervisor.problem) == "no database"
    assert stage.supervisor.problem is not None
    assert stage.supervisor.problem.exit_code == 2
    assert stage.ended == [True]


def test_f06_deaths_at_boot_end_it(stage: Stage) -> None:
    for _ in range(10):
        for fake in list(stage.fakes):
            if fake.state is not State.GONE:
                fake.dies("exit code 9")
        stage.advance(3)
    assert str(stage.supervisor.problem) == "the workers die at start (exit code 9)"
    assert len(stage.fakes) <= 6
    assert stage.ended == [True]
