"""The Deferred of something sent."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from twisted.internet.defer import (
    CancelledError,
    Deferred,
    ensureDeferred,
    fail,
    inlineCallbacks,
    succeed,
)
from twisted.logger import globalLogPublisher

from cyclone.web import RequestHandler
from cyclone.web._coroutines import start
from cyclone.web._sent import quietly


@pytest.fixture
def complaints() -> Any:
    """What Twisted logs as errors while the test runs."""
    found: list[Any] = []

    def observe(event: Any) -> None:
        if event.get("log_failure") is not None:
            found.append(event)

    publisher: Any = globalLogPublisher
    publisher.addObserver(observe)
    yield found
    publisher.removeObserver(observe)


def test_success_is_passed_on() -> None:
    done = succeed(None)
    assert quietly(done) is done
    waiting: Deferred[None] = Deferred()
    got: list[object] = []
    quietly(waiting).addCallback(got.append)
    waiting.callback(None)
    assert got == [None]


@pytest.mark.parametrize("late", [False, True])
def test_a_failure_nobody_looks_at(complaints: list[Any], late: bool) -> None:
    sending: Deferred[None] = Deferred() if late else fail(ValueError())
    sent = quietly(sending)
    if late:
        sending.errback(ValueError())
    del sent, sending
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("drive", [start, ensureDeferred])
def test_a_failure_somebody_awaits(drive: Any, late: bool) -> None:
    sending: Deferred[None] = Deferred() if late else fail(ValueError("gone"))

    async def body() -> str:
        try:
            await quietly(sending)
        except ValueError as error:
            return str(error)
        return "never"

    running = drive(body())
    if late:
        sending.errback(ValueError("gone"))
    got: list[object] = []
    running.addBoth(got.append)
    assert got == ["gone"]


def test_a_failure_somebody_yields() -> None:
    @inlineCallbacks
    def body() -> Any:
        yield quietly(fail(ValueError("gone")))

    got: list[Any] = []
    body().addErrback(lambda failure: got.append(failure.type))
    assert got == [ValueError]


def test_looking_later() -> None:
    sent = quietly(fail(ValueError()))
    got: list[object] = []
    sent.addErrback(lambda failure: got.append(failure.type))
    assert got == [ValueError]


def test_cancelling() -> None:
    cancelled: list[object] = []
    sent = quietly(Deferred(cancelled.append))
    got: list[Any] = []
    sent.addErrback(lambda failure: got.append(failure.type))
    sent.cancel()
    assert len(cancelled) == 1
    assert got == [CancelledError]


def test_f_20_flushing_to_a_client_that_left(serve: Any, complaints: list[Any]) -> None:
    waiting: list[Deferred[None]] = []

    class Ignoring(RequestHandler):
        async def get(self) -> None:
            self.write("a")
            self.flush()
            waiting.append(Deferred())
            await waiting[0]
            self.write("b")
            self.flush()
            self.finish("c")

    connection = serve([("/", Ignoring)]).start("GET", "/")
    connection.lose()
    waiting[0].callback(None)
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("late", [False, True])
def test_a_chain_goes_on(complaints: list[Any], late: bool) -> None:
    sending: Deferred[None] = Deferred() if late else fail(ValueError())
    sents = [quietly(sending)]
    got: list[Any] = []
    succeed(None).addCallback(lambda _: sents.pop()).addBoth(got.append)
    if late:
        sending.errback(ValueError())
    assert got == [None]
    gc.collect()
    assert complaints == []


def test_other_attributes_are_missing_as_ever() -> None:
    with pytest.raises(AttributeError):
        _ = quietly(Deferred()).nothing  # type: ignore[attr-defined]
