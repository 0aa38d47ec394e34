"""A reactor that is late, and who made it so."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cyclone.web import RequestHandler
from cyclone.web._loop_monitor import LoopMonitor, Sample, sample_thread


class Reactor(Clock):
    """A clock whose calls from threads wait to be run."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Callable[[], None]] = []

    def callFromThread(self, function: Callable[[], None]) -> None:
        self.waiting.append(function)

    def turn(self) -> None:
        calls, self.waiting = self.waiting, []
        for call in calls:
            call()


class World:
    """A monitor whose time and samples are the test's."""

    def __init__(self, threshold: float | None = 0.1) -> None:
        self.now = 0.0
        self.lags: list[float] = []
        self.sampled = 0
        self.reactor = Reactor()
        self.monitor = LoopMonitor(
            self.reactor,
            interval=3600.0,
            threshold=threshold,
            on_lag=self.lags.append,
            monotonic=lambda: self.now,
            sample=self.sample,
        )

    def sample(self, ident: int) -> Sample:
        self.sampled += 1
        return Sample("app.Slow", ["app.py:3 in work", "app.py:9 in get"])

    def block(self, seconds: float) -> None:
        """The watching thread finds the reactor blocked for so long."""
        self.monitor.check()
        for _ in range(4):
            self.now += seconds / 4
            self.monitor.check()
        self.reactor.turn()


def messages(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "cyclone.application"]


def test_a_reactor_on_time(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.block(0.04)
    assert world.lags == pytest.approx([0.04])
    assert (world.sampled, messages(caplog)) == (0, [])


def test_a_blocked_reactor_is_logged_once_with_the_handler(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    world.block(0.25)
    assert messages(caplog) == [
        "The reactor was blocked for 250 ms by app.Slow, seen at app.py:3 in work < app.py:9 in get"
    ]
    assert world.sampled == 1
    assert world.lags == pytest.approx([0.25])
    world.block(0.01)
    assert len(messages(caplog)) == 1


def test_a_sample_of_a_short_delay_is_forgotten(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.block(0.08)
    assert world.sampled == 1
    world.monitor.check()
    world.now += 0.2
    world.reactor.turn()
    assert messages(caplog) == ["The reactor was blocked for 200 ms by what is no request handler"]


def test_without_a_threshold_only_the_lag_is_told(caplog: pytest.LogCaptureFixture) -> None:
    world = World(threshold=None)
    world.block(5.0)
    assert world.lags == pytest.approx([5.0])
    assert (world.sampled, messages(caplog)) == (0, [])


class Named:
    """Stands for a handler."""


def test_a_step_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    monitor = world.monitor
    monitor.check()
    started, logged = world.now, monitor.logged
    world.now += 0.3
    monitor.stepped(Named, started, logged)  # the inner step
    monitor.stepped(None, started, logged)  # the one around it
    world.reactor.turn()
    (message,) = messages(caplog)
    assert message.startswith("The reactor was blocked for 300 ms by ")
    assert message.endswith(".Named")


def test_short_steps_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    world = World()
    world.now = 0.09
    world.monitor.stepped(Named, 0.0, 0)
    assert messages(caplog) == []


@pytest.mark.parametrize("name", ["first", "second", "failing"])
def test_the_steps_of_a_coroutine_are_timed(caplog: pytest.LogCaptureFixture, name: str) -> None:
    world = World()
    waiting: Deferred[int] = Deferred()

    async def work() -> int:
        world.now += 0.2 if name == "first" else 0.0
        try:
            result = await waiting
        except ValueError:
            result = 2
        world.now += 0.2 if name != "first" else 0.0
        return result

    done: Deferred[int] = Deferred.fromCoroutine(world.monitor.timed(Named, work()))
    if name == "failing":
        waiting.errback(ValueError())
    else:
        waiting.callback(1)
    results: list[int] = []
    done.addCallback(results.append)
    assert results == [2 if name == "failing" else 1]
    assert len(messages(caplog)) == 1


def test_a_timed_coroutine_that_is_dropped_is_closed() -> None:
    closed: list[bool] = []

    async def work() -> None:
        try:
            await Deferred()
        finally:
            closed.append(True)

    coroutine = World().monitor.timed(Named, work())
    coroutine.send(None)
    coroutine.close()
    assert closed == [True]


class Blocking(RequestHandler):
    """Blocks for as long as the path says, on the test's own clock."""

    times: list[float]

    def get(self) -> None:
        self.application.settings["advance"](0.3)

    async def post(self) -> None:
        await self.application.settings["waiting"]
        self.application.settings["advance"](0.3)


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("setting", [{"debug": True}, {"blocked_reactor_after": 0.2}], ids=repr)
def test_in_an_application(
    serve: Any, caplog: pytest.LogCaptureFixture, method: str, setting: Any
) -> None:
    now = [0.0]

    def advance(seconds: float) -> None:
        now[0] += seconds

    waiting: Deferred[None] = Deferred()
    settings = {"autoreload": False, "monotonic": lambda: now[0], **setting}
    client = serve([("/", Blocking)], advance=advance, waiting=waiting, **settings)
    client.start(method, "/", body=None if method == "GET" else b"")
    waiting.callback(None)
    (message,) = messages(caplog)
    assert message.startswith("The reactor was blocked for 300 ms by ")
    assert message.endswith("Blocking")


@pytest.mark.parametrize("setting", [{}, {"debug": True, "blocked_reactor_after": None}], ids=repr)
def test_not_in_production_nor_when_turned_off(serve: Any, setting: Any) -> None:
    application = serve([("/", Blocking)], autoreload=False, **setting).app
    assert application._observer is None


def test_a_sample_names_the_handler_that_runs() -> None:
    ready, go_on = threading.Event(), threading.Event()

    class Busy(RequestHandler):
        def __init__(self) -> None:
            """Not a real request."""

        def get(self) -> None:
            ready.set()
            go_on.wait(10)

    thread = threading.Thread(target=Busy().get)
    thread.start()
    try:
        assert ready.wait(10)
        assert thread.ident is not None
        sample = sample_thread(thread.ident)
    finally:
        go_on.set()
        thread.join()
    assert sample is not None
    assert sample.handler is not None
    assert sample.handler.endswith("Busy")
    assert any(line.endswith("in get") for line in sample.lines)
    assert sample_thread(thread.ident) is None


def test_a_sample_of_other_code() -> None:
    sample = sample_thread(threading.get_ident())
    assert sample is not None
    assert len(sample.lines) <= 6
    assert sample.handler is None


def test_the_thread_asks_and_ends_with_its_monitor() -> None:
    asked = threading.Event()

    class Asked(Reactor):
        def callFromThread(self, function: Callable[[], None]) -> None:
            super().callFromThread(function)
            asked.set()

    reactor = Asked()
    monitor = LoopMonitor(reactor, interval=0.01)
    monitor.start()
    monitor.start()
    thread = monitor._thread
    assert thread is not None
    assert asked.wait(10)
    assert threading.active_count() >= 2
    reactor.waiting.clear()
    del monitor
    gc.collect()
    thread.join(10)
    assert not thread.is_alive()


def test_the_thread_ends_with_the_reactor() -> None:
    class Closed(Reactor):
        def callFromThread(self, function: Callable[[], None]) -> None:
            raise RuntimeError("Event loop is closed")

    monitor = LoopMonitor(Closed(), interval=3600.0)
    monitor.start()
    assert monitor._thread is not None
    monitor._thread.join(10)
    assert not monitor._thread.is_alive()


def test_a_clock_is_not_watched() -> None:
    monitor = LoopMonitor(Clock(), interval=0.01)
    monitor.start()
    assert monitor._thread is None
