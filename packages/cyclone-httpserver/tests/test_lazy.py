"""What a Deferred is told of who looks at it."""

# mypy: no-warn-unreachable

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import succeed

from cyclone.httpserver import LazyDeferred


class Noting(LazyDeferred):
    """Notes what it is told; one that is ``due`` fires when it is."""

    def __init__(self, due: bool = False) -> None:
        super().__init__()
        self.told: list[str] = []
        self.due = due

    def _note(self, what: str) -> None:
        self.told.append(what)
        if self.due:
            self.due = False
            self.callback(None)

    def on_wait(self) -> None:
        self._note("wait")

    def on_ask(self) -> None:
        if self.due:
            self._note("ask")

    def on_chain(self) -> None:
        self._note("chain")


@pytest.mark.parametrize("due", [False, True])
@pytest.mark.parametrize(
    "way",
    [
        lambda d: d.addCallback(lambda _: None),
        lambda d: d.addCallbacks(lambda _: None, lambda failure: None),
        lambda d: d.addErrback(lambda failure: None),
        lambda d: d.addBoth(lambda _: None),
    ],
    ids=["addCallback", "addCallbacks", "addErrback", "addBoth"],
)
def test_each_way_to_wait_is_told_once(way: Any, due: bool) -> None:
    deferred = Noting(due)
    assert deferred.told == []
    assert way(deferred) is deferred
    assert deferred.told == ["wait"]
    assert deferred.called is due


def test_asking() -> None:
    deferred = Noting(due=True)
    assert deferred.called
    assert deferred.told == ["ask"]
    assert not Noting().called


@pytest.mark.parametrize("due", [False, True])
def test_returning_it_from_a_callback(due: bool) -> None:
    deferred = Noting(due)
    got: list[object] = []
    succeed(None).addCallback(lambda _: deferred).addCallback(got.append)
    assert deferred.told[0] == "chain"
    assert got == [None] * due


def test_it_does_nothing_by_itself() -> None:
    deferred = LazyDeferred()
    got: list[object] = []
    assert not deferred.called
    assert not hasattr(deferred, "result")
    deferred.addCallback(got.append)
    deferred.callback(None)
    assert deferred.called
    assert got == [None]
