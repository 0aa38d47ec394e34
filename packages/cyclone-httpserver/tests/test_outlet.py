"""Output that waits: back-pressure and slow readers."""

# mypy: allow-untyped-calls, no-warn-unreachable

from __future__ import annotations

import tracemalloc
from typing import Any

from http_support import HEADERS, G, H, SlowClient, begin
from twisted.internet.defer import CancelledError, Deferred

from cyclone.httpserver import HTTPRequest, StreamClosedError

GET = G + H + b"\r\n"


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

    def test_what_waits_costs_little_more_than_its_bytes(self) -> None:
        """Small pieces whose writer does not wait, for a client that does not read."""
        waiting: list[HTTPRequest] = []
        client = SlowClient(waiting.append)
        connection = begin(client, waiting)
        connection.write(b"first")
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            for number in range(20_000):
                connection.write(b"%05d" % number)
            used = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
        size = connection.buffered
        assert size > 20_000 * len(b"5\r\n00000\r\n")
        assert used < 2 * size
        connection.finish()
        while client.wire.producer is not None:
            client.drain()
        assert connection.buffered == 0
        numbers = b"".join(b"5\r\n%05d\r\n" % number for number in range(20_000))
        assert client.received.endswith(b"5\r\nfirst\r\n" + numbers + b"0\r\n\r\n")

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
        failures: list[Any] = []
        result.addErrback(failures.append)
        result.cancel()
        assert failures[0].check(CancelledError)
        client.drain()
        client.drain()
        connection.finish()
        client.drain()
        # What was written is sent all the same
        assert client.received.endswith(b"1\r\nx\r\n0\r\n\r\n")
        assert len(failures) == 1
