"""What callbacks are given."""

# mypy: allow-untyped-calls

from __future__ import annotations

from typing import Any

import pytest
from twisted.python.failure import Failure

from cyclone.web import Outcome


def test_a_value() -> None:
    outcome, seen = Outcome("a"), list[Any]()
    assert outcome.result() == "a"
    assert outcome.exception() is None
    assert outcome.done()
    assert not outcome.cancelled()
    outcome.add_done_callback(seen.append)
    assert seen == [outcome]


def test_a_failure() -> None:
    error = ValueError("no")
    outcome = Outcome(Failure(error))
    assert outcome.exception() is error
    with pytest.raises(ValueError, match="no"):
        outcome.result()


def test_awaiting() -> None:
    async def coroutine() -> Any:
        return await Outcome("a")

    with pytest.raises(StopIteration, match="a"):
        coroutine().send(None)
