"""Running the reactor from synchronous code."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from reactor_support import coroutine, later
from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial import unittest

from cyclone.testing import get_async_test_timeout, run_sync
from cyclone.testing._reactor import Spinner, running_reactor, stop_thread_pool, turn

#: On the asyncio reactor a coroutine is a task.
CANCELLED = (CancelledError, asyncio.CancelledError)


def generator() -> Iterator[Any]:
    value = yield later(0, "generator")
    return value


@pytest.mark.parametrize(
    ("function", "result"),
    [
        (lambda: "value", "value"),
        (lambda: None, None),
        (lambda: succeed("fired"), "fired"),
        (lambda: later(0, "deferred"), "deferred"),
        (coroutine, "coroutine"),
        (generator, "generator"),
    ],
    ids=["value", "none", "fired", "deferred", "coroutine", "generator"],
)
def test_the_result_is_returned(function: Any, result: object) -> None:
    assert run_sync(function, timeout=5) == result


def raises() -> None:
    raise ZeroDivisionError


@pytest.mark.parametrize("function", [raises, lambda: fail(ZeroDivisionError())])
def test_failures_are_raised(function: Any) -> None:
    with pytest.raises(ZeroDivisionError):
        run_sync(function)


def test_as_often_as_wanted() -> None:
    numbers = list(range(50))
    assert [run_sync(functools.partial(later, 0, number)) for number in numbers] == numbers
    assert running_reactor() is None


def test_the_timeout_cancels_and_shows_where_it_waited() -> None:
    cancelled = list[str]()

    async def slow() -> None:
        try:
            await later(60)  # the line that waits
        except CANCELLED:
            cancelled.append("cancelled")
            raise

    with pytest.raises(TimeoutError, match=r"timed out after 0\.01 seconds") as caught:
        run_sync(slow, timeout=0.01)
    assert cancelled == ["cancelled"]
    assert "the line that waits" in "".join(traceback.format_exception(caught.value))


def test_an_operation_that_swallows_its_cancellation_timed_out_all_the_same() -> None:
    async def stubborn() -> str:
        with contextlib.suppress(*CANCELLED):
            await later(60)
        return "went on"

    with pytest.raises(TimeoutError):
        run_sync(stubborn, timeout=0.01)


def test_clean_up_after_the_timeout_may_take_a_moment() -> None:
    cleaned = list[str]()

    async def careful() -> None:
        try:
            await later(60)
        finally:
            await later(0.01)
            cleaned.append("up")

    with pytest.raises(TimeoutError):
        run_sync(careful, timeout=0.01)
    assert cleaned == ["up"]


def test_one_that_never_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cyclone.testing._reactor.GRACE", 0.01)

    async def never() -> None:
        while True:
            try:
                await Deferred()
            except CANCELLED:
                continue

    with pytest.raises(TimeoutError):
        run_sync(never, timeout=0.01)


def test_timers_are_left_as_they_were() -> None:
    from twisted.internet import reactor

    before = reactor.getDelayedCalls()
    run_sync(lambda: later(0), timeout=60)
    assert reactor.getDelayedCalls() == before


def test_reactor_stop_is_an_interruption_and_shuts_nothing_down() -> None:
    from twisted.internet import reactor

    before = vars(reactor).get("stop")
    with pytest.raises(KeyboardInterrupt):
        run_sync(lambda: later(0).addCallback(lambda _: reactor.stop()))
    assert run_sync(lambda: later(0, "goes on")) == "goes on"
    assert vars(reactor).get("stop") == before


def test_control_c() -> None:
    def interrupt() -> Deferred[None]:
        os.kill(os.getpid(), signal.SIGINT)
        waiting: Deferred[None] = Deferred()
        return waiting

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        run_sync(interrupt, timeout=5)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_in_another_thread() -> None:
    found = list[Any]()
    thread = threading.Thread(target=lambda: found.append(run_sync(coroutine, timeout=5)))
    thread.start()
    thread.join(10)
    assert found == ["coroutine"]
    assert run_sync(coroutine) == "coroutine"


def test_child_processes_are_noticed() -> None:
    from twisted.internet.utils import getProcessValue

    command = "/bin/sh", ["-c", "exit 3"]
    assert run_sync(lambda: getProcessValue(*command), timeout=5) == 3  # type: ignore[no-untyped-call]


def test_a_script_ends_though_there_were_threads() -> None:
    source = (
        "from cyclone.testing import run_sync\n"
        "from twisted.internet.threads import deferToThread\n"
        "print(run_sync(lambda: deferToThread(len, 'abc')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, timeout=30, check=False
    )
    assert (done.stdout.strip(), done.stderr, done.returncode) == (b"3", b"", 0)


def test_threads_end() -> None:
    from twisted.internet.threads import deferToThread

    before = threading.active_count()
    assert run_sync(lambda: deferToThread(lambda: 7), timeout=5) == 7
    stop_thread_pool()
    assert threading.active_count() == before
    assert run_sync(lambda: deferToThread(lambda: 8), timeout=5) == 8
    stop_thread_pool()


@pytest.mark.parametrize(("value", "seconds"), [(None, 5), ("0.25", 0.25), ("10", 10), ("soon", 5)])
def test_the_timeout_of_tests(
    monkeypatch: pytest.MonkeyPatch, value: str | None, seconds: float
) -> None:
    if value is None:
        monkeypatch.delenv("ASYNC_TEST_TIMEOUT", raising=False)
    else:
        monkeypatch.setenv("ASYNC_TEST_TIMEOUT", value)
    assert get_async_test_timeout() == seconds


class TestUnderTrial(unittest.TestCase):
    """Trial's own test cases may use it, too."""

    def test_in_a_synchronous_test(self) -> None:
        assert run_sync(coroutine) == "coroutine"

    async def test_not_in_a_running_reactor(self) -> None:
        await turn()
        with self.assertRaisesRegex(RuntimeError, "await the operation"):
            run_sync(coroutine)
        with self.assertRaisesRegex(RuntimeError, "runs already"):
            Spinner().run(lambda: None)
