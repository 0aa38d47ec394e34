"""Half-closed clients, and what is sent before the answer."""

# mypy: allow-untyped-calls, no-warn-unreachable

from __future__ import annotations

from typing import Any

import pytest
from http_support import HEADERS, Client, G, H, S, SlowClient, begin
from twisted.internet.defer import Deferred

from cyclone.httpserver import HTTPRequest
from cyclone.httputil import HTTPHeaders, ResponseStartLine

GET = G + H + b"\r\n"
OK = ResponseStartLine("HTTP/1.1", 200, "OK")


class TestHalfClose:
    """F-19, F-21: a client that closed its sending side may still be there."""

    def test_it_gets_its_answer(self) -> None:
        waiting: list[HTTPRequest] = []
        client = Client(waiting.append)
        client.send(GET)
        closed: list[int] = []
        waiting[0].connection.set_close_callback(lambda: closed.append(1))
        client.connection.readConnectionLost()
        assert closed == [1]
        assert not client.wire.closing
        client.echo(waiting[0])
        assert client.statuses == [200]
        assert client.wire.disconnecting
        client.hang_up()
        assert closed == [1]

    def test_pipelined_ones_too(self) -> None:
        waiting: list[HTTPRequest] = []
        client = Client(waiting.append)
        client.send(GET + S)
        client.connection.readConnectionLost()
        client.echo(waiting[0])
        assert not client.wire.closing
        client.echo(waiting[1])
        assert client.statuses == [200, 200]
        assert client.wire.disconnecting

    def test_not_for_ever_F27(self) -> None:
        client = Client(lambda request: None)
        client.send(GET)
        client.connection.readConnectionLost()
        client.advance(7)
        assert client.wire.aborted

    def test_an_answer_that_goes_on_is_not_cut(self) -> None:
        waiting: list[HTTPRequest] = []
        client = Client(waiting.append)
        client.send(GET)
        client.connection.readConnectionLost()
        connection = waiting[0].connection
        connection.write_headers(OK, HTTPHeaders())
        for _ in range(6):
            client.advance(3)
            connection.write(b"x")
        assert not client.wire.closing
        client.advance(7)
        assert client.wire.aborted

    def test_a_slow_reader_has_the_time_of_slow_readers(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        connection.write(b"x" * 100)
        client.connection.readConnectionLost()
        client.advance(30)
        assert not client.wire.closing
        client.advance(40)
        assert client.wire.aborted

    @pytest.mark.parametrize("data", [b"", G, GET])
    def test_idle(self, data: bytes) -> None:
        client = Client()
        client.send(data)
        client.connection.readConnectionLost()
        assert client.wire.disconnecting


def test_a_failing_close_callback_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    waiting: list[HTTPRequest] = []
    client = Client(waiting.append)
    client.send(GET)

    def fail() -> None:
        raise ValueError

    waiting[0].connection.set_close_callback(fail)
    client.hang_up()
    assert [record.name for record in caplog.records] == ["cyclone.application"]


def test_send_continue() -> None:
    gate: Deferred[None] = Deferred()

    class Application:
        def __call__(self, request: HTTPRequest) -> None:
            request.connection.write_response(request, 200, None, HEADERS, request.body)

        def headers_received(self, request: HTTPRequest) -> Any:
            request.connection.send_continue()
            request.connection.send_continue()
            return gate

    client = Client(Application())
    client.send(b"POST / HTTP/1.1\r\n" + H + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
    assert client.statuses == [100]
    gate.callback(None)
    client.send(b"abc")
    assert client.statuses == [100, 200]
