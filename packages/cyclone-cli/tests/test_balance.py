"""Which worker accepts: with a memory they share, ports that only count, and a clock."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from cyclone.cli._balance import BATCH, NEGLECT, PATIENCE, PAUSE, SLACK, Balance, Counts
from cyclone.httpserver import HTTPServer


class Port:
    """A listening port on which *waiting* clients wait, as all workers see it."""

    connected = True
    disconnecting = False

    def __init__(self, worker: Worker, waiting: list[int]) -> None:
        self.worker = worker
        self.waiting = waiting
        self.numberAccepts = 100
        self.reading = True

    def doRead(self) -> None:
        for _ in range(min(self.numberAccepts, len(self.waiting))):
            connection: Any = self.waiting.pop()
            self.worker.server.connections.add(connection)

    def stopReading(self) -> None:
        self.reading = False

    def startReading(self) -> None:
        self.reading = True


class Worker:
    def __init__(self, stage: Stage, number: int) -> None:
        self.draining = False
        self.server = HTTPServer(lambda request: None, reactor=stage.clock)
        self.server.monotonic = stage.clock.seconds
        self.port = Port(self, stage.waiting)
        self.server.gate.ports.add(self.port)
        self.balance = Balance(self.server, stage.counts, number, lambda: self.draining)
        self.balance.start()

    @property
    def count(self) -> int:
        return len(self.server.connections)

    def turn(self) -> None:
        if self.port.reading and self.port.waiting:
            self.port.doRead()


class Stage:
    def __init__(self, workers: int) -> None:
        self.clock = Clock()
        self.waiting: list[int] = []
        self.counts = Counts(workers)
        self.workers = [Worker(self, number) for number in range(workers)]
        self._names = iter(range(100_000))

    def come(self, clients: int) -> None:
        self.waiting.extend(next(self._names) for _ in range(clients))

    def run(self, *workers: Worker, turns: int = 100) -> list[int]:
        for _ in range(turns):
            for worker in workers or self.workers:
                worker.turn()
            self.clock.advance(PAUSE / 2)
        return [worker.count for worker in self.workers]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage(2)
    yield stage
    stage.counts.close()


@pytest.mark.parametrize("at_once", [1, 2, 64], ids=str)
def test_shares_are_even(stage: Stage, at_once: int) -> None:
    first, second = stage.workers
    for _ in range(64 // at_once):
        stage.come(at_once)
        first.turn()  # it always comes first
        stage.run()
    assert abs(first.count - second.count) <= SLACK + 1
    assert first.count + second.count == 64


def test_nobody_waits_long_for_a_worker_that_does_not_come(stage: Stage) -> None:
    first, _ = stage.workers
    stage.come(SLACK + 1)
    first.turn()
    assert first.count == SLACK + 1
    stage.come(50)
    for _ in range(PATIENCE):
        first.turn()
        assert (first.count, first.port.reading) == (SLACK + 1, False)
        stage.clock.advance(PAUSE)
    first.turn()
    assert first.count == SLACK + 1 + BATCH
    for batch in (2, 3):  # now with one pause each
        first.turn()
        stage.clock.advance(PAUSE)
        first.turn()
        assert first.count == SLACK + 1 + batch * BATCH
    # In a while it may be back
    stage.clock.advance(NEGLECT)
    for _ in range(PATIENCE):
        first.turn()
        assert not first.port.reading
        stage.clock.advance(PAUSE)
    assert first.count == SLACK + 1 + 3 * BATCH


def test_one_that_comes_back_gets_its_share(stage: Stage) -> None:
    first, second = stage.workers
    stage.come(30)
    stage.run(first)
    assert (first.count, second.count) == (30, 0)
    stage.clock.advance(NEGLECT)
    stage.come(30)
    assert stage.run() == [30, 30]


def test_a_connection_that_ends_is_shown(stage: Stage) -> None:
    first, second = stage.workers
    stage.come(20)
    stage.run()
    for connection in list(second.server.connections):
        second.server.connection_lost(connection)
    assert next(iter(stage.counts.others(0)))[:2] == (1, 0)
    stage.come(4)
    stage.run()
    assert (first.count, second.count) == (10, 4)


def test_a_worker_that_is_gone_is_no_rival(stage: Stage) -> None:
    stage.counts.clear(1)
    stage.come(3 * BATCH)
    for _ in range(3):
        stage.workers[0].turn()
    assert stage.workers[0].count == 3 * BATCH


def test_one_that_drains_takes_all_and_shows_nothing(stage: Stage) -> None:
    first, second = stage.workers
    stage.come(60)
    first.draining = True
    before = list(stage.counts.others(1))
    first.port.numberAccepts = 1024
    first.turn()
    assert first.count == 60
    assert list(stage.counts.others(1)) == before
    first.server.connection_lost(next(iter(first.server.connections)))
    assert list(stage.counts.others(1)) == before
    assert second.port.reading


@pytest.mark.parametrize("why", ["paused", "disconnecting", "closed"])
def test_a_pause_that_ends_too_late(stage: Stage, why: str) -> None:
    first, _ = stage.workers
    stage.come(10)
    first.turn()
    first.turn()
    assert not first.port.reading
    first.server.gate.paused = why == "paused"
    first.port.disconnecting = why == "disconnecting"
    first.port.connected = why != "closed"
    stage.clock.advance(PAUSE)
    assert not first.port.reading


def test_the_memory_is_shared() -> None:
    made = Counts(3)
    opened = Counts(3, os.dup(made.descriptor))
    made.show(2, 7)
    assert [item[:2] for item in opened.others(0)] == [(2, 7)]
    opened.close()
    made.close()


@given(
    st.lists(st.tuples(st.integers(0, 40), st.lists(st.integers(0, 3), max_size=8)), max_size=12)
)
def test_nobody_is_left_waiting(events: list[tuple[int, list[int]]]) -> None:
    """Whatever comes, and whoever has its turn: all are accepted in the end, and evenly."""
    stage = Stage(4)
    for clients, turns in events:
        stage.come(clients)
        for number in turns:
            stage.workers[number].turn()
        stage.clock.advance(PAUSE)
    counts = stage.run(turns=60)
    assert not stage.waiting
    assert sum(counts) == sum(clients for clients, _ in events)
    assert max(counts) - min(counts) <= BATCH
    stage.counts.close()
