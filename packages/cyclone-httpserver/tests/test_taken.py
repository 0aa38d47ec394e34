"""The Deferred that waits when somebody looks at it."""

# mypy: allow-untyped-calls, no-warn-unreachable

from __future__ import annotations

import gc
from typing import Any

import pytest
from http_support import Client, begin
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    ensureDeferred,
    inlineCallbacks,
    succeed,
)
from twisted.logger import globalLogPublisher

from cyclone.httpserver import HTTPRequest, StreamClosedError, Taken


class Output:
    """Holds up whoever waits, until told otherwise."""

    def __init__(self) -> None:
        self.waiting: list[Taken] = []
        self.size = 10
        self.error: Exception | None = None

    def is_settled(self, waiter: Taken) -> bool:
        return self.error is not None or self.size <= waiter.size

    def join(self, waiter: Taken) -> None:
        self.waiting.append(waiter)
        if self.is_settled(waiter):
            self._tell()

    def leave(self, waiter: Taken) -> None:
        self.waiting.remove(waiter)

    def settle(self, error: Exception | None = None) -> None:
        self.size, self.error = 0, error
        self._tell()

    def _tell(self) -> None:
        waiting, self.waiting = self.waiting, []
        for waiter in waiting:
            if self.error is None:
                waiter.callback(None)
            else:
                waiter.errback(self.error)


@pytest.fixture
def output() -> Output:
    return Output()


def chained(taken: Taken) -> Deferred[None]:
    return succeed(None).addCallback(lambda _: taken)


async def _awaits(taken: Taken) -> None:
    await taken


@inlineCallbacks
def _yields(taken: Taken) -> Any:
    yield taken


WAYS: dict[str, Any] = {
    "addCallback": lambda taken: taken.addCallback(lambda _: None),
    "addCallbacks": lambda taken: taken.addCallbacks(lambda _: None, lambda failure: failure),
    "addErrback": lambda taken: taken.addErrback(lambda failure: failure),
    "addBoth": lambda taken: taken.addBoth(lambda result: result),
    "chained": chained,
    "awaited": lambda taken: ensureDeferred(_awaits(taken)),
    "yielded": _yields,
}


@pytest.mark.parametrize("late", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [None, StreamClosedError()], ids=["taken", "lost"])
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_whoever_looks_hears_of_it(
    output: Output, way: Any, error: Exception | None, late: bool
) -> None:
    taken = Taken(output)
    assert output.waiting == []
    if late:
        output.settle(error)
    heard: list[Any] = []
    way(taken).addBoth(heard.append)
    if not late:
        assert output.waiting == [taken]
        assert heard == []
        output.settle(error)
    assert len(heard) == 1
    assert getattr(heard[0], "value", None) is error


def test_called_tells_the_truth(output: Output) -> None:
    taken, small, other = Taken(output), Taken(output, size=20), Taken(output)
    assert not taken.called
    assert small.called
    output.settle()
    assert taken.called
    assert taken.result is None
    assert other.addCallback(lambda _: None).called


def test_nobody_looks(output: Output, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        Taken(output)
    gc.collect()
    assert output.waiting == []
    output.settle(StreamClosedError())
    gc.collect()
    assert caplog.records == []


@pytest.mark.parametrize("looked", [False, True])
def test_cancelling(output: Output, looked: bool) -> None:
    taken = Taken(output)
    failures: list[Any] = []
    if looked:
        taken.addErrback(failures.append)
    taken.cancel()
    assert output.waiting == []
    output.settle()
    if not looked:
        taken.addErrback(failures.append)
    assert failures[0].check(CancelledError)


def test_it_has_no_other_attributes(output: Output) -> None:
    with pytest.raises(AttributeError):
        Taken(output).nothing  # type: ignore[attr-defined]  # noqa: B018


def test_output_for_a_client_that_is_gone_is_no_unhandled_error_F20() -> None:
    """A writer who looks at no answer is not the cause of a traceback for each piece."""
    logged: list[Any] = []
    globalLogPublisher.addObserver(logged.append)  # type: ignore[arg-type]
    try:
        waiting: list[HTTPRequest] = []
        client = Client(waiting.append)
        connection = begin(client, waiting)
        client.hang_up()
        for _ in range(3):
            connection.write(b"x")
        connection.finish()
        gc.collect()
        assert not [event for event in logged if event["log_namespace"].startswith("twisted")]
    finally:
        globalLogPublisher.removeObserver(logged.append)  # type: ignore[arg-type]


def test_who_looks_is_told_that_the_client_is_gone() -> None:
    waiting: list[HTTPRequest] = []
    client = Client(waiting.append)
    connection = begin(client, waiting)
    client.hang_up()
    failures: list[Any] = []
    for sent in (connection.write(b"x"), connection.finish()):
        sent.addErrback(failures.append)
    over = connection.write(b"x")
    assert over.called
    over.addErrback(failures.append)
    assert [failure.type for failure in failures] == [StreamClosedError] * 3
