"""The connection itself: what it does when things end in the wrong order."""

from __future__ import annotations

from typing import Any

import pytest
from httpclient_support import ok
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from cyclone.httpclient import (
    HTTPProtocolError,
    HTTPResponseTooLargeError,
    HTTPStreamClosedError,
)
from cyclone.httpclient._connection import HTTP1Connection
from cyclone.httpclient._parser import ResponseHead
from cyclone.httpclient._route import Route
from cyclone.httpclient._twisted import failure_of


class Transport(StringTransport):
    """Remembers how it was closed."""

    lost = ""

    def loseConnection(self) -> None:
        self.lost = self.lost or "closed"

    def abortConnection(self) -> None:
        self.lost = "aborted"


class Request:
    def __init__(self, method: str = "GET", body: Any = None, **options: Any) -> None:
        self.method = method
        self.head = f"{method} / HTTP/1.1\r\n\r\n".encode()
        self.body = body
        self.length: int | None = options.get("length")
        self.wait_for_continue = options.get("wait", False)
        self.close = options.get("close", False)


class Sink:
    def __init__(self) -> None:
        self.events: list[object] = []
        self.wait: Deferred[object] | None = None

    def head_received(self, head: ResponseHead) -> None:
        self.events.append(head.code)

    def body_received(self, data: bytes) -> Deferred[object] | None:
        self.events.append(data)
        return self.wait

    def response_complete(self) -> None:
        self.events.append("complete")

    def exchange_failed(self, error: Exception) -> None:
        self.events.append(type(error))


def connected(**options: Any) -> tuple[HTTP1Connection, Any, list[bool]]:
    connection = HTTP1Connection(Route("http", "h", 80, **options))
    transport: Any = Transport()  # type: ignore[no-untyped-call]
    connection.makeConnection(transport)  # type: ignore[no-untyped-call]
    freed: list[bool] = []

    def free(_: HTTP1Connection, reusable: bool) -> bool:
        freed.append(reusable)
        return False

    connection.on_free = free
    return connection, transport, freed


def lost(kind: type[Exception] = ConnectionDone) -> Failure:
    return failure_of(kind())


def test_an_exchange_and_another() -> None:
    connection, transport, freed = connected()
    for count in (1, 2):
        sink = Sink()
        connection.start(Request(), sink)
        connection.dataReceived(ok())
        assert sink.events == [200, b"ok", "complete"]
        assert freed == [True] * count
    assert transport.value() == b"GET / HTTP/1.1\r\n\r\n" * 2
    assert transport.lost == ""


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"nonsense!", HTTPProtocolError),
        (b"HTTP/1.1 200 OK\r\nA: " + b"x" * 70_000, HTTPResponseTooLargeError),
    ],
)
def test_CL_10_protocol_errors_abort(data: bytes, error: type[Exception]) -> None:
    connection, transport, freed = connected()
    sink = Sink()
    connection.start(Request(), sink)
    connection.dataReceived(data)
    connection.dataReceived(ok())
    connection.connectionLost(lost())
    assert sink.events == [error]
    assert freed == [False]
    assert transport.lost == "aborted"


@pytest.mark.parametrize(("kind", "whole"), [(ConnectionDone, True), (ConnectionLost, False)])
def test_CL_11_only_an_orderly_end_ends_a_body(kind: type[Exception], whole: bool) -> None:
    connection, _, freed = connected()
    sink = Sink()
    connection.start(Request(), sink)
    connection.dataReceived(b"HTTP/1.1 200 OK\r\n\r\npart")
    connection.connectionLost(lost(kind))
    assert sink.events == [200, b"part", "complete" if whole else HTTPStreamClosedError]
    assert freed == [False]


def test_reading_stops_while_the_sink_waits() -> None:
    connection, transport, _ = connected()
    sink = Sink()
    sink.wait = Deferred()
    connection.start(Request(), sink)
    connection.dataReceived(ok(b"ab")[:-1])
    assert transport.producerState == "paused"
    connection.dataReceived(b"b")
    assert sink.events == [200, b"a"]
    waiting, sink.wait = sink.wait, None
    waiting.callback(None)
    assert transport.producerState == "producing"
    assert sink.events == [200, b"a", b"b", "complete"]


def test_the_peer_closes_while_the_sink_waits() -> None:
    connection, _, freed = connected()
    sink = Sink()
    sink.wait = Deferred()
    connection.start(Request(), sink)
    connection.dataReceived(b"HTTP/1.1 200 OK\r\n\r\na")
    connection.dataReceived(b"b")
    connection.connectionLost(lost())
    assert sink.events == [200, b"a"]
    first, sink.wait = sink.wait, Deferred()
    first.callback(None)
    assert sink.events == [200, b"a", b"b"]
    second, sink.wait = sink.wait, None
    second.callback(None)
    assert sink.events[-1] == "complete"
    assert freed == [False]


def test_a_sink_whose_wait_fails() -> None:
    connection, transport, freed = connected()
    sink = Sink()
    sink.wait = Deferred()
    connection.start(Request(), sink)
    connection.dataReceived(ok())
    sink.wait.errback(ZeroDivisionError())
    assert sink.events[-1] is ZeroDivisionError
    assert transport.lost == "aborted"
    assert freed == [False]


def test_CL_12_nothing_reaches_the_sink_after_abort() -> None:
    connection, transport, freed = connected()
    sink = Sink()
    connection.start(Request(), sink)
    connection.dataReceived(ok()[:-1])
    connection.abort()
    connection.dataReceived(b"k")
    connection.connectionLost(lost())
    assert sink.events == [200, b"o"]
    assert freed == []
    assert transport.lost == "aborted"


class Body:
    length: int | None = None

    def __init__(self) -> None:
        self.gate: Deferred[None] = Deferred()
        self.cancelled = False

    def rewind(self) -> bool:
        return False

    async def send(self, write: Any) -> None:
        await write(b"abc")
        try:
            await self.gate
        except BaseException:
            self.cancelled = True
            raise
        await write(b"")
        await write(b"d")


def test_an_upload_in_chunks() -> None:
    connection, transport, freed = connected()
    sink, body = Sink(), Body()
    connection.start(Request("POST", body), sink)
    body.gate.callback(None)
    assert transport.value().endswith(b"\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n")
    assert transport.producer is None
    connection.dataReceived(ok())
    assert sink.events[-1] == "complete"
    assert freed == [True]


def test_an_early_answer_ends_the_upload_and_the_connection() -> None:
    connection, transport, freed = connected()
    sink, body = Sink(), Body()
    connection.start(Request("POST", body), sink)
    connection.dataReceived(ok())
    assert body.cancelled
    assert sink.events[-1] == "complete"
    assert freed == [False]
    assert transport.lost == "aborted"


def test_an_upload_waits_while_the_transport_is_full() -> None:
    connection, transport, _ = connected()
    sink, body = Sink(), Body()
    connection.pauseProducing()
    connection.start(Request("POST", body), sink)
    body.gate.callback(None)
    assert transport.value().endswith(b"3\r\nabc\r\n")
    connection.resumeProducing()
    assert transport.value().endswith(b"0\r\n\r\n")


def test_the_connection_goes_while_the_upload_waits() -> None:
    connection, _, freed = connected()
    sink, body = Sink(), Body()
    connection.start(Request("POST", body), sink)
    connection.pauseProducing()
    body.gate.callback(None)
    connection.connectionLost(lost())
    assert sink.events == [HTTPStreamClosedError]
    assert freed == [False]


def test_a_body_waits_for_100_continue() -> None:
    connection, transport, _ = connected()
    sink, body = Sink(), Body()
    body.gate.callback(None)
    connection.start(Request("POST", body, wait=True), sink)
    assert b"abc" not in transport.value()
    connection.dataReceived(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert b"abc" in transport.value()
    connection.dataReceived(b"HTTP/1.1 100 Continue\r\n\r\n" + ok())
    assert sink.events == [200, b"ok", "complete"]
    assert transport.value().count(b"abc") == 1


def test_unix_and_tcp_transports_have_what_is_used() -> None:
    connection, transport, _ = connected(unix_socket="/s")
    connection.close()
    connection.close()
    assert transport.lost == "closed"
