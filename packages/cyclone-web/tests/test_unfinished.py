"""Requests that wait for their answer."""

from __future__ import annotations

import gc
import re
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from cyclone.testing import Client
from cyclone.web import Application, RequestHandler, asynchronous


class Forgetful(RequestHandler):
    @asynchronous
    def get(self) -> None:
        pass


def test_f_24_a_request_nobody_can_finish_gets_a_500(
    serve: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    client = serve([("/", Forgetful)])
    connection = client.start("GET", "/?a=b")
    gc.collect()
    clock.advance(0)
    (response,) = connection.responses()
    assert response.status == 500
    assert "Internal Server Error" in response.text
    (message,) = [r.getMessage() for r in caplog.records if r.name == "cyclone.application"]
    assert re.search(r"will never be finished.*Forgetful for GET /\?a=b .*, open for \d", message)
    assert client.app.open_requests() == []


def test_a_failed_callback_gives_a_500(serve: Any, clock: Clock) -> None:
    class Failing(RequestHandler):
        @asynchronous
        def get(self) -> None:
            fail(ValueError()).addCallback(self.finish)

    connection = serve([("/", Failing)]).start("GET", "/")
    gc.collect()
    clock.advance(0)
    assert connection.responses()[0].status == 500


def test_a_handler_somebody_holds_is_left_alone(serve: Any, clock: Clock) -> None:
    held: list[RequestHandler] = []

    class Held(RequestHandler):
        @asynchronous
        def get(self) -> None:
            held.append(self)

    connection = serve([("/", Held)]).start("GET", "/")
    gc.collect()
    clock.advance(100)
    assert connection.received == b""
    held.pop().finish("at last")
    assert connection.responses()[0].body == b"at last"


def test_a_handler_that_wants_to_hear_of_the_close_is_held(serve: Any, clock: Clock) -> None:
    closed: list[str] = []

    class Listening(RequestHandler):
        @asynchronous
        def get(self) -> None:
            pass

        def on_connection_close(self) -> None:
            closed.append("yes")

    connection = serve([("/", Listening)]).start("GET", "/")
    gc.collect()
    clock.advance(0)
    assert connection.received == b""
    connection.lose()
    assert closed == ["yes"]


def test_a_handler_that_hung_up_by_itself(
    serve: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Raw(RequestHandler):
        @asynchronous
        def get(self) -> None:
            transport = self.request.connection.transport
            transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")
            transport.loseConnection()

    client = serve([("/", Raw)])
    connection = client.connect()
    connection.pause_reading()
    connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    gc.collect()
    clock.advance(0)
    assert not connection.closed
    connection.resume_reading()
    assert connection.received == b"HTTP/1.1 204 No Content\r\n\r\n"
    assert not [record for record in caplog.records if record.name == "cyclone.application"]


def test_a_handler_whose_client_left_owes_no_answer(
    serve: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    class Told(RequestHandler):
        @asynchronous
        def get(self) -> None:
            pass

        def on_connection_close(self) -> None:
            told.append("gone")

    connection = serve([("/", Told)]).start("GET", "/")
    connection.half_close()
    gc.collect()
    clock.advance(0)
    assert told == ["gone"]
    assert connection.received == b""
    assert not [record for record in caplog.records if record.name == "cyclone.application"]


def test_an_answer_that_was_begun_is_held(serve: Any, clock: Clock) -> None:
    class Begun(RequestHandler):
        @asynchronous
        def get(self) -> None:
            self.write("begin")
            self.flush()

    connection = serve([("/", Begun)]).start("GET", "/")
    gc.collect()
    clock.advance(0)
    assert not connection.closed


class Held(RequestHandler):
    held: Any = None

    def initialize(self, held: list[Any]) -> None:
        held.append(self)

    async def get(self) -> None:
        await Deferred()


@pytest.mark.parametrize(
    ("settings", "after"),
    [({"debug": True, "autoreload": False}, 10.0), ({"warn_unfinished_after": 3}, 3.0)],
)
def test_f_24_an_old_request_is_named_once(
    serve: Any,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    settings: dict[str, Any],
    after: float,
) -> None:
    held: list[Any] = []
    client = serve([("/slow", Held, {"held": held})], monotonic=clock.seconds, **settings)
    client.start("GET", "/slow")

    def lines() -> list[str]:
        return [r.getMessage() for r in caplog.records if "is not finished" in r.getMessage()]

    clock.pump([1.0] * int(after - 1))
    assert lines() == []
    clock.pump([1.0] * 20)
    (line,) = lines()
    assert re.search(r"Held for GET /slow \(127\.0\.0\.1\), open for \d+\.\ds", line)


def test_nothing_is_swept_without_a_setting(serve: Any, clock: Clock) -> None:
    held: list[Any] = []
    client = serve([("/", Held, {"held": held})])
    client.start("GET", "/")
    assert client.app.open_requests()[0].handler is held[0]
    assert client.app._open_requests._timer is None


@pytest.mark.parametrize("how", ["setting", "attribute"])
def test_f_24_handler_timeout(serve: Any, clock: Clock, how: str) -> None:
    held: list[Any] = []
    cancelled: list[Any] = []

    class Timed(Held):
        handler_timeout = 5 if how == "attribute" else None

        async def get(self) -> None:
            await Deferred(cancelled.append)

    settings = {"handler_timeout": 5} if how == "setting" else {}
    client = serve([("/", Timed, {"held": held})], monotonic=clock.seconds, **settings)
    connection = client.start("GET", "/")
    clock.pump([1.0] * 4)
    assert connection.received == b""
    clock.pump([1.0] * 2)
    (response,) = connection.responses()
    assert response.status == 503
    assert len(cancelled) == 1


def test_the_clock_of_a_test_counts_for_the_timeout() -> None:
    waiting: Deferred[None] = Deferred()

    class Timed(RequestHandler):
        handler_timeout = 5

        async def get(self) -> None:
            await waiting

    client = Client(Application([("/", Timed)]))
    connection = client.start("GET", "/")
    client.clock.advance(6)
    assert [response.status for response in connection.responses()] == [503]


def test_what_one_raises_at_its_timeout_keeps_no_other_waiting(
    serve: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    waiting: list[Deferred[None]] = []

    class Raising(RequestHandler):
        handler_timeout = 5

        async def get(self) -> None:
            waiting.append(Deferred())
            await waiting[-1]

        def on_finish(self) -> None:
            raise ZeroDivisionError

    client = serve([("/", Raising)])
    connections = [client.start("GET", "/") for _ in range(3)]
    clock.pump([1] * 6)
    assert [one.responses()[0].status for one in connections] == [503] * 3
    assert "ZeroDivisionError" in caplog.text


def test_the_sweep_ends_with_the_last_limit(serve: Any, clock: Clock) -> None:
    """What stays open has none: there is nothing to look at it for."""
    waiting: list[Deferred[None]] = []

    class Waiting(RequestHandler):
        async def get(self) -> None:
            waiting.append(Deferred())
            await waiting[-1]
            self.finish("late")

    class Limited(Waiting):
        handler_timeout = 5

    client = serve([("/free", Waiting), ("/limited", Limited)])
    free = client.start("GET", "/free")
    limited = client.start("GET", "/limited")
    clock.pump([1] * 6)
    assert limited.responses()[0].status == 503
    assert client.app._open_requests._timer is None
    # And begins again with the next one
    limited = client.start("GET", "/limited")
    clock.pump([1] * 6)
    assert limited.responses()[0].status == 503
    waiting[0].callback(None)
    assert free.responses()[0].body == b"late"


def test_the_sweep_ends_with_the_last_open_request(serve: Any, clock: Clock) -> None:
    waiting: Deferred[None] = Deferred()

    class Waits(RequestHandler):
        async def get(self) -> None:
            await waiting

    client = serve([("/", Waits)], warn_unfinished_after=100)
    connection = client.start("GET", "/")
    assert client.app._open_requests._timer is not None
    waiting.callback(None)
    assert client.app._open_requests._timer is None
    assert connection.responses()[0].status == 200


def test_a_stream_may_stay_open(serve: Any, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    class Stream(RequestHandler):
        handler_timeout = 0

        @asynchronous
        def get(self) -> None:
            self.flush()

    client = serve([("/", Stream)], handler_timeout=5, warn_unfinished_after=2)
    connection = client.start("GET", "/")
    clock.advance(100)
    assert not connection.closed
    assert client.app.open_requests() == []
    assert not caplog.records
