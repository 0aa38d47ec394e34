"""The queue of what arrived."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred

from cyclone.testing._inbox import Inbox


def results(*deferreds: Deferred[Any]) -> list[Any]:
    found: list[Any] = []
    for deferred in deferreds:
        deferred.addCallbacks(found.append, lambda failure: found.append(failure.value))
    return found


def test_first_in_first_out_in_both_directions() -> None:
    inbox: Inbox[int] = Inbox()
    inbox.put(1)
    found = results(inbox.get(), inbox.get(), inbox.get())
    inbox.put(2)
    assert found == [1, 2]
    inbox.put(3)
    inbox.put(4)
    assert (found, len(inbox)) == ([1, 2, 3], 1)


def test_the_end_comes_after_what_waits_and_stays() -> None:
    inbox: Inbox[int | None] = Inbox()
    inbox.put(1)
    inbox.end(None)
    inbox.end(7)
    assert results(inbox.get(), inbox.get(), inbox.get()) == [1, None, None]
    assert inbox.ended
    assert inbox.failure is None


def test_a_failure_at_the_end() -> None:
    inbox: Inbox[int] = Inbox()
    error = ValueError("broken")
    waiting = inbox.get()
    inbox.end(error)
    assert results(waiting, inbox.get()) == [error, error]
    assert inbox.failure is error


def test_a_cancelled_wait_takes_nothing() -> None:
    inbox: Inbox[int] = Inbox()
    first, second = inbox.get(), inbox.get()
    found = results(first, second)
    first.cancel()
    inbox.put(1)
    assert isinstance(found[0], CancelledError)
    assert found[1:] == [1]


def test_drain_takes_all_that_wait() -> None:
    inbox: Inbox[int] = Inbox()
    inbox.put(1)
    inbox.put(2)
    assert inbox.drain() == [1, 2]
    assert len(inbox) == 0


@pytest.mark.parametrize("waiting", [0, 1, 3])
def test_the_end_reaches_everybody_who_waits(waiting: int) -> None:
    inbox: Inbox[int] = Inbox()
    found = results(*(inbox.get() for _ in range(waiting)))
    inbox.end(0)
    assert found == [0] * waiting
