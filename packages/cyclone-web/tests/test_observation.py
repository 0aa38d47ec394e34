"""What is noted of requests, and that noting it changes nothing."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cyclone.web import (
    Application,
    FallbackHandler,
    RequestHandler,
    asynchronous,
    stream_request_body,
)


class Numbers:
    """Stands for the metrics: a list of what ended."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str | None, str]] = []

    def request(self, method: str, route: str | None, status: str, seconds: float) -> None:
        assert seconds >= 0
        self.ended.append((method, route, status))

    def seen(self, server: object) -> None:
        """Nothing is done with servers."""

    def lagged(self, seconds: float) -> None:
        """Nothing is done with lags."""


@pytest.fixture
def watched(serve: Any) -> Any:
    """``watched(handlers, **settings)``: a client and what ended of its requests."""

    def make(handlers: Any, **settings: Any) -> tuple[Any, list[tuple[str, str | None, str]]]:
        client = serve(handlers, metrics=CollectorRegistry(), trace_context=True, **settings)
        numbers = client.app._observer.metrics = Numbers()
        return client, numbers.ended

    return make


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("hello")


class Silent(Hello):
    def _log(self) -> None:
        """No line in the access log."""


class Streaming(RequestHandler):
    async def get(self) -> None:
        self.write("a")
        await self.flush()
        self.write("b")


class Made(RequestHandler):
    def initialize(self) -> None:
        raise ValueError("never made")


@pytest.mark.parametrize(
    ("handler", "ended"),
    [
        pytest.param(Hello, ("GET", "/", "200"), id="whole"),
        pytest.param(Silent, ("GET", "/", "200"), id="not-logged"),
        pytest.param(Streaming, ("GET", "/", "200"), id="streamed"),
        pytest.param(Made, ("GET", "RequestHandler", "500"), id="never-made"),
    ],
)
def test_each_request_ends_once(watched: Any, handler: Any, ended: Any) -> None:
    client, found = watched([("/", handler)])
    client.fetch()
    assert found == [ended]


def test_a_fallback_answers_with_a_status_of_its_own(watched: Any) -> None:
    def answer(request: Any) -> None:
        request.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        request.finish()

    client, found = watched([("/", FallbackHandler, {"fallback": answer})])
    assert client.fetch().status == 404
    assert found == [("GET", "/", "unknown")]


def test_a_delegates_handler_goes_by_its_class(serve: Any) -> None:
    class Finding(Application):
        def find_handler(self, request: Any, **kwargs: Any) -> Any:
            return self.get_handler_delegate(request, Hello)

    client = serve([], application=Finding, metrics=CollectorRegistry())
    numbers = client.app._observer.metrics = Numbers()
    client.fetch(uri="/anything")
    assert numbers.ended == [("GET", "Hello", "200")]


def test_pipelined_requests_are_told_apart(watched: Any) -> None:
    client, found = watched([("/", Hello), ("/late", Streaming)])
    connection = client.connect()
    connection.send(b"".join(b"GET %b HTTP/1.1\r\nHost: h\r\n\r\n" % p for p in (b"/late", b"/")))
    assert found == [("GET", "/late", "200"), ("GET", "/", "200")]


def test_a_request_nobody_can_finish_is_still_found(watched: Any, clock: Clock) -> None:
    held: list[RequestHandler] = []

    class Forgetful(RequestHandler):
        @asynchronous
        def get(self) -> None:
            held.append(self)

    client, found = watched([("/", Forgetful)])
    connection = client.start()
    held.clear()
    gc.collect()
    clock.advance(0)
    assert connection.responses()[0].status == 500
    assert found == [("GET", "/", "500")]


@pytest.mark.parametrize("waits", [False, True])
def test_a_streamed_body(watched: Any, waits: bool) -> None:
    prepared: Deferred[None] = Deferred()

    @stream_request_body
    class Upload(RequestHandler):
        size = 0

        def prepare(self) -> Any:
            return prepared if waits else None

        def data_received(self, chunk: bytes) -> None:
            self.size += len(chunk)

        def post(self) -> None:
            self.write(str(self.size))

    client, found = watched([("/", Upload)])
    connection = client.start("POST", "/", body=b"abcd")
    prepared.callback(None)
    assert connection.responses()[0].body == b"4"
    assert found == [("POST", "/", "200")]


def test_a_collected_body_is_one_request(watched: Any) -> None:
    class Form(RequestHandler):
        def post(self) -> None:
            self.write(self.get_body_argument("a"))

    client, found = watched([("/", Form)])
    connection = client.connect()
    head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n"
    connection.send(head + b"Content-Type: application/x-www-form-urlencoded\r\n\r\na")
    assert found == []
    connection.send(b"=1")
    assert connection.received.endswith(b"\r\n\r\n1")
    assert found == [("POST", "/", "200")]


def test_a_client_that_leaves_during_its_body(watched: Any) -> None:
    @stream_request_body
    class Upload(RequestHandler):
        def data_received(self, chunk: bytes) -> None:
            """The body is of no interest."""

    client, found = watched([("/", Upload)])
    connection = client.connect()
    connection.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")
    connection.lose()
    assert found == [("POST", "/", "499")]


def test_no_observer_unless_a_setting_asks() -> None:
    assert Application()._observer is None
    assert Application(trace_context=False, metrics=False, opentelemetry=False)._observer is None
    assert Application(request_id_header="")._observer is None
    assert Application(trace_context=True)._observer is not None
