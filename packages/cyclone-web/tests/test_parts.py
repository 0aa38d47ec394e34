"""The parts of a page: concurrent, ended by the first failure."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred, fail, succeed

from cyclone.web._coroutines import start
from cyclone.web._parts import PageParts


@pytest.fixture
def parts() -> PageParts:
    return PageParts(start)


def results(*deferreds: Deferred[Any]) -> list[object]:
    found: list[object] = []
    for deferred in deferreds:
        deferred.addErrback(lambda failure: failure.value)
        found.append(deferred.result if deferred.called else "waiting")
    return found


def test_each_part_gives_its_own_result(parts: PageParts) -> None:
    async def coroutine() -> str:
        return "coroutine"

    slow: Deferred[str] = Deferred()
    given = [parts.spawn(slow), parts.spawn(succeed("done")), parts.spawn(coroutine())]
    assert results(*given) == ["waiting", "done", "coroutine"]
    slow.callback("slow")
    assert results(*given) == ["slow", "done", "coroutine"]


def test_the_first_failure_stops_the_others(parts: PageParts) -> None:
    cancelled: list[object] = []
    sources: list[Deferred[str]] = [Deferred(cancelled.append) for _ in range(3)]
    given = [parts.spawn(source) for source in sources]
    error = ValueError("second")
    sources[1].errback(error)
    assert cancelled == [sources[0], sources[2]]
    assert results(*given) == ["", error, ""]


def test_a_failure_before_the_others_begin(parts: PageParts) -> None:
    log: list[str] = []

    async def wait() -> None:
        log.append("began")
        try:
            await Deferred()
        except CancelledError:
            log.append("stopped")
            raise

    error = ValueError("first")
    given = [parts.spawn(fail(error)), parts.spawn(wait()), parts.spawn(fail(KeyError("late")))]
    assert log == ["began", "stopped"]
    assert results(*given) == [error, "", ""]


def test_cancelling_one_cancels_all(parts: PageParts) -> None:
    sources: list[Deferred[str]] = [Deferred(), Deferred()]
    given = [parts.spawn(source) for source in sources]
    given[0].cancel()
    assert [source.called for source in sources] == [True, True]
    assert results(given[1]) == [""]


def test_a_part_given_up_does_not_complain(
    parts: PageParts, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    part = parts.spawn(fail(ValueError("nobody hears")))
    part.cancel()
    del part
    gc.collect()
    assert "nobody hears" not in caplog.text + capsys.readouterr().err
