"""Bytes out: back-pressure, slow readers, producers, and closing."""

# mypy: allow-untyped-calls, no-warn-unreachable

from __future__ import annotations

from typing import Any

import pytest
from http_support import HEADERS, Client, G, H, S
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from cyclone.httpserver import HTTPRequest, StreamClosedError
from cyclone.httputil import HTTPHeaders, ResponseStartLine

GET = G + H + b"\r\n"
OK = ResponseStartLine("HTTP/1.1", 200, "OK")


class SlowClient(Client):
    """A client that takes nothing until it is told to; the transport says so (as TLS does)."""

    def __init__(self, callback: Any, **options: Any) -> None:
        super().__init__(callback, **options)
        self.slow = True
        write = self.wire.write

        def slow_write(data: bytes) -> None:
            write(data)
            producer = self.wire.producer
            if self.slow and producer is not None:
                producer.pauseProducing()

        self.wire.write = slow_write  # type: ignore[method-assign]

    def drain(self) -> None:
        """Take what the transport has."""
        producer: Any = self.wire.producer
        if producer is not None:
            producer.resumeProducing()


def begin(client: Client, waiting: list[HTTPRequest]) -> Any:
    client.send(GET)
    connection = waiting[0].connection
    connection.write_headers(OK, HTTPHeaders())
    return connection


class TestBackPressure:
    def test_a_writer_who_waits(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        client.slow = False
        connection = begin(client, waiting)
        client.slow = True
        done: list[str] = []
        connection.write(b"a" * 10).addCallback(lambda _: done.append("a"))
        connection.write(b"b" * 10).addCallback(lambda _: done.append("b"))
        assert done == []
        assert b"bbb" not in client.received
        client.drain()
        assert b"bbb" in client.received
        client.drain()
        assert done == ["a", "b"]

    def test_order_is_kept(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        for i in range(10):
            connection.write(b"%d" % i)
        connection.finish()
        while client.wire.producer is not None:
            client.drain()
        body = client.received.partition(b"\r\n\r\n")[2]
        assert body == b"".join(b"1\r\n%d\r\n" % i for i in range(10)) + b"0\r\n\r\n"

    def test_a_large_body_goes_in_pieces_CN15(self) -> None:
        def callback(request: HTTPRequest) -> None:
            request.connection.write_response(request, 200, None, HEADERS, bytes(1_000_000))

        client = SlowClient(callback)
        client.send(GET)
        pieces = 0
        before = len(client.received)
        assert before <= 65536
        while client.wire.producer is not None:
            client.drain()
            assert len(client.received) - before <= 65536
            before = len(client.received)
            pieces += 1
        assert pieces >= 15
        assert client.received.endswith(bytes(1000))

    def test_the_next_request_waits_for_the_reader(self) -> None:
        """Responses do not pile up for a client that sends but does not read."""
        served: list[str] = []

        def callback(request: HTTPRequest) -> None:
            served.append(request.path)
            request.connection.write_response(request, 200, None, HEADERS, bytes(200_000))

        client = SlowClient(callback)
        client.send(GET * 50)
        assert len(served) == 1
        client.drain()
        assert len(served) == 1
        for _ in range(5):
            client.drain()
        assert len(served) == 2

    def test_a_writer_who_does_not_wait(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append, max_buffer_size=1_000_000)
        connection = begin(client, waiting)
        failures: list[Any] = []
        for _ in range(30):
            connection.write(b"x" * 100_000).addErrback(failures.append)
        assert client.wire.aborted
        client.hang_up()
        assert len(failures) == 30
        assert all(failure.check(StreamClosedError) for failure in failures)

    def test_stalled_reader_F13(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        failures: list[Any] = []
        connection.write(b"x").addErrback(failures.append)
        client.advance(59)
        assert not client.wire.aborted
        client.advance(3)
        assert client.wire.aborted
        client.hang_up()
        assert len(failures) == 1

    def test_progress_is_enough(self) -> None:
        def callback(request: HTTPRequest) -> None:
            request.connection.write_response(request, 200, None, HEADERS, bytes(500_000))

        client = SlowClient(callback)
        client.send(GET)
        while client.wire.producer is not None:
            client.advance(40)
            client.drain()
        assert not client.wire.aborted
        assert client.received.endswith(bytes(1000))

    def test_lost_while_waiting_F20(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        closed: list[int] = []
        connection.set_close_callback(lambda: closed.append(1))
        failures: list[Any] = []
        connection.write(b"x").addErrback(failures.append)
        client.hang_up(clean=False)
        assert failures[0].check(StreamClosedError)
        assert closed == [1]

    def test_cancelled_wait(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        result: Deferred[None] = connection.write(b"x")
        result.addErrback(lambda failure: None)
        result.cancel()
        client.drain()
        client.drain()
        connection.finish()


@implementer(IPushProducer)
class Push:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def pauseProducing(self) -> None:
        self.calls.append("pause")

    def resumeProducing(self) -> None:
        self.calls.append("resume")

    def stopProducing(self) -> None:
        self.calls.append("stop")


class TestProducers:
    def test_push(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        client.slow = False
        connection = begin(client, waiting)
        client.slow = True
        producer = Push()
        connection.registerProducer(producer, True)
        with pytest.raises(RuntimeError):
            connection.registerProducer(producer, True)
        connection.write(b"x")
        assert producer.calls == ["pause"]
        client.drain()
        assert producer.calls == ["pause", "resume"]
        connection.unregisterProducer()
        connection.write(b"x")
        client.drain()
        assert producer.calls == ["pause", "resume"]

    def test_pull(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        client.slow = False
        connection = begin(client, waiting)
        client.slow = True

        class Pull:
            left = 3

            def resumeProducing(self) -> None:
                if not self.left:
                    connection.unregisterProducer()
                    connection.finish()
                    return
                self.left -= 1
                connection.write(b"x")

            def stopProducing(self) -> None:
                raise AssertionError

        producer = Pull()
        connection.registerProducer(producer, False)
        for left in (2, 1, 0):
            client.clock.advance(0)
            client.clock.advance(0)
            assert producer.left == left
            client.drain()
        client.clock.advance(0)
        client.drain()
        assert client.received.endswith(b"1\r\nx\r\n0\r\n\r\n")

    def test_lost(self) -> None:
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        producer = Push()
        connection.registerProducer(producer, True)
        client.hang_up()
        assert producer.calls == ["pause", "stop"]
        connection.registerProducer(producer, True)
        assert producer.calls == ["pause", "stop", "stop"]


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
