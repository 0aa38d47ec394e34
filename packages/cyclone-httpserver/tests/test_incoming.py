"""Bodies: who receives them, limits, rates, back-pressure, and what happens when they break off."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest
from bodies_support import Application, chunked, post, streaming
from http_support import HEADERS, SPLITS, Client, H, P, S

from cyclone.httpserver import BodyReceiver, HTTPRequest


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    "data",
    [post(b"x" * 1000), chunked(b"x" * 999, b"x"), chunked(*[b"x"] * 1000)],
    ids=["length", "chunks", "tiny chunks"],
)
def test_streaming_and_buffering_see_the_same(data: bytes, split: str) -> None:
    application = Application(streaming)
    client = Client(application)
    client.send(*SPLITS[split](data + S))
    assert b"".join(application.receivers[0].chunks) == b"x" * 1000
    assert application.receivers[0].events == ["finish"]
    assert [request.path for request in application.called] == ["/smug"]
    client = Client()
    client.send(*SPLITS[split](data + S))
    assert client.requests[0].body == b"x" * 1000


def test_chunk_size() -> None:
    application = Application(streaming)
    client = Client(application, chunk_size=300)
    client.send(post(b"x" * 1000))
    assert [len(chunk) for chunk in application.receivers[0].chunks] == [300, 300, 300, 100]


class TestBackPressure:
    def test_reading_stops_until_the_receiver_took_it(self) -> None:
        application = Application(streaming)
        client = Client(application)
        head = P + H + b"Content-Length: 30\r\n\r\n"
        client.send(head)
        receiver = application.receivers[0]
        receiver.blocking = True
        client.send(b"a" * 10)
        client.send(b"b" * 10)
        assert receiver.chunks == [b"a" * 10]
        assert client.wire.producerState == "paused"
        receiver.answers[0].callback(None)
        assert receiver.chunks == [b"a" * 10, b"b" * 10]
        receiver.answers[1].callback(None)
        assert client.wire.producerState == "producing"
        client.send(b"c" * 10)
        assert receiver.events == []
        receiver.answers[2].callback(None)
        assert receiver.events == ["finish"]
        assert client.received.endswith(b"30")

    def test_a_blocked_receiver_is_no_slow_client(self) -> None:
        application = Application(streaming)
        client = Client(application)
        client.send(P + H + b"Content-Length: 30\r\n\r\n")
        receiver = application.receivers[0]
        receiver.blocking = True
        client.send(b"a" * 10)
        client.advance(100)
        assert receiver.events == []
        receiver.answers[0].callback(None)
        client.send(b"a" * 20)
        receiver.answers[1].callback(None)
        assert receiver.events == ["finish"]

    def test_the_last_request_behind_a_blocked_receiver(self) -> None:
        application = Application(streaming)
        client = Client(application)
        client.send(P + H + b"Content-Length: 30\r\n\r\n")
        application.receivers[0].blocking = True
        # It ends the connection: a transport that closes cannot go on reading
        client.send(b"a" * 30 + b"GET / HTTP/1.0\r\n\r\n")
        answer = application.receivers[0].answers[0]
        answer.callback(None)
        assert answer.result is None
        assert client.statuses == [200, 200]
        assert client.wire.disconnecting

    @pytest.mark.parametrize("error", [ValueError(), FileNotFoundError(2, "its own file")])
    def test_a_failing_receiver(self, error: Exception, caplog: pytest.LogCaptureFixture) -> None:
        application = Application(streaming)
        client = Client(application)
        client.send(P + H + b"Content-Length: 30\r\n\r\n")
        application.receivers[0].blocking = True
        client.send(b"a" * 10)
        application.receivers[0].answers[0].errback(error)
        assert client.statuses == [500]
        assert application.receivers[0].events == ["close"]
        # With a traceback: it is the program's
        assert [record.name for record in caplog.records] == ["cyclone.application"]


class TestUnread:
    """SM-15: an answer before the body was read; the rest is never a request."""

    @staticmethod
    def early(application: Application, request: HTTPRequest) -> BodyReceiver:
        receiver = streaming(application, request)
        request.connection.write_response(request, 200, None, HEADERS, b"early")
        return receiver

    def test_small_is_drained(self) -> None:
        client = Client(Application(self.early))
        head = P + H + b"Content-Length: %d\r\n\r\n" % len(S)
        client.send(head, S, S)
        assert client.statuses == [200, 200]

    def test_large_closes(self) -> None:
        client = Client(Application(self.early))
        client.send(P + H + b"Content-Length: 1000000\r\n\r\n", S)
        assert client.statuses == [200]
        assert b"Connection: close" in client.received
        assert client.wire.write_closed

    def test_endless_chunks_close(self) -> None:
        client = Client(Application(self.early))
        client.send(P + H + b"Transfer-Encoding: chunked\r\n\r\n")
        for _ in range(20):
            client.send(b"2000\r\n" + b"x" * 0x2000 + b"\r\n")
        assert client.statuses == [200]
        assert client.wire.closing

    def test_slow_drain_closes(self) -> None:
        client = Client(Application(self.early))
        client.send(P + H + b"Content-Length: 1000\r\n\r\n")
        client.advance(7)
        assert client.wire.closing
        assert client.statuses == [200]


class TestLimits:
    @pytest.mark.parametrize(("size", "status"), [(99, 200), (100, 200), (101, 413)])
    @pytest.mark.parametrize("form", ["length", "chunks"])
    def test_max_body_size(self, form: str, size: int, status: int) -> None:
        client = Client(max_body_size=100)
        body = b"x" * size
        client.send(post(body) if form == "length" else chunked(body[:50], body[50:]))
        assert client.statuses == [status]

    def test_declared_is_refused_before_it_is_sent(self) -> None:
        client = Client(max_body_size=100)
        client.send(P + H + b"Expect: 100-continue\r\nContent-Length: 101\r\n\r\n")
        assert client.statuses == [413]

    @pytest.mark.parametrize(("limit", "status"), [(10, 413), (2000, 200)])
    def test_per_request(self, limit: int, status: int) -> None:
        def choose(application: Application, request: HTTPRequest) -> None:
            request.connection.set_max_body_size(limit)

        client = Client(Application(choose), max_body_size=1000)
        client.send(post(b"x" * 1500))
        assert client.statuses == [status]

    def test_many_tiny_chunks_are_linear_CN03(self) -> None:
        data = b"1\r\na\r\n" * 200_000
        client = Client()
        client.send(P + H + b"Transfer-Encoding: chunked\r\n\r\n")
        started = time.process_time()
        for begin in range(0, len(data), 65536):
            client.send(data[begin : begin + 65536])
        client.send(b"0\r\n\r\n")
        assert time.process_time() - started < 2
        assert client.received.endswith(b"/ 200000")

    @pytest.mark.parametrize("body", [post(b"x" * 200_000), chunked(b"x" * 200_000)])
    def test_byte_by_byte_is_linear(self, body: bytes) -> None:
        client = Client()
        started = time.process_time()
        client.send(*SPLITS["bytewise"](body))
        assert time.process_time() - started < 4
        assert client.received.endswith(b"/ 200000")

    def test_chunk_line_R3(self) -> None:
        """CN-07: an endless chunk-size line ends at its limit."""
        client = Client()
        client.send(P + H + b"Transfer-Encoding: chunked\r\n\r\n3;a=")
        sent = 0
        while not client.wire.closing and sent < 10_000:
            client.send(b"b")
            sent += 1
        assert sent <= 256
        assert client.statuses == [400]


class TestTimeouts:
    def test_stalled_F12(self) -> None:
        application = Application(streaming)
        client = Client(application)
        client.send(P + H + b"Content-Length: 1000\r\n\r\nabc")
        client.advance(29)
        assert client.statuses == []
        client.advance(3)
        assert client.statuses == [408]
        assert application.receivers[0].events == ["close"]

    def test_dribble_F15(self) -> None:
        client = Client()
        client.send(P + H + b"Content-Length: 100000\r\n\r\n")
        for _ in range(60):
            if client.wire.closing:
                break
            client.send(b"x" * 100)
            client.advance(1)
        assert client.statuses == [408]

    def test_slow_enough_is_served(self) -> None:
        client = Client()
        client.send(P + H + b"Content-Length: 30000\r\n\r\n")
        for _ in range(100):
            client.send(b"x" * 300)
            client.advance(1)
        assert client.statuses == [200]

    def test_own_timeout(self) -> None:
        def choose(application: Application, request: HTTPRequest) -> None:
            request.connection.set_body_timeout(5)

        client = Client(Application(choose))
        client.send(P + H + b"Content-Length: 1000\r\n\r\nabc")
        client.advance(7)
        assert client.statuses == [408]


class TestGzip:
    """BP-15 to BP-17: inflated within bounds, a step at a time."""

    GZIP = b"Content-Encoding: gzip"

    def test_inflated(self) -> None:
        client = Client(decompress_request=True)
        client.send(post(gzip.compress(b"hello" * 1000), self.GZIP))
        request = client.requests[0]
        assert request.body == b"hello" * 1000
        assert "Content-Encoding" not in request.headers
        assert request.headers["X-Consumed-Content-Encoding"] == "gzip"

    def test_streamed_in_steps(self) -> None:
        application = Application(streaming)
        client = Client(application, decompress_request=True)
        client.send(post(gzip.compress(bytes(1_000_000)), self.GZIP))
        chunks = application.receivers[0].chunks
        assert sum(map(len, chunks)) == 1_000_000
        assert max(map(len, chunks)) <= 65536

    def test_off_by_default(self) -> None:
        client = Client()
        client.send(post(gzip.compress(b"hello"), self.GZIP))
        assert client.requests[0].body == gzip.compress(b"hello")

    def test_bomb(self) -> None:
        inflated = zlib.compressobj(9, wbits=31)
        bomb = inflated.compress(bytes(20_000_000)) + inflated.flush()
        client = Client(decompress_request=True, max_body_size=1_000_000)
        client.send(post(bomb, self.GZIP))
        assert client.statuses == [413]

    @pytest.mark.parametrize(
        "body",
        [
            pytest.param(gzip.compress(b"hello")[:-3], id="truncated"),
            pytest.param(b"hello", id="no gzip"),
            pytest.param(gzip.compress(b"hello") + b"garbage", id="garbage behind"),
            pytest.param(gzip.compress(b"") * 100_000, id="BP-17-members"),
            pytest.param(gzip.compress(b"hello")[:-5] + b"xxxxx", id="checksum"),
            pytest.param(b"\x1f\x8b\x08\x00", id="head only"),
        ],
    )
    def test_malformed(self, body: bytes) -> None:
        client = Client(decompress_request=True)
        client.send(post(body, self.GZIP))
        assert client.statuses == [400]

    @pytest.mark.parametrize(
        "codings", ["gzip, gzip", ",".join(["gzip"] * 10), "gzip;q=1", "identity, gzip", "deflate"]
    )
    def test_other_codings_are_the_handlers_BP_15(self, codings: str) -> None:
        """BP-15: one gzip is taken off, and of several none."""
        body = b"hello"
        for _ in range(codings.count("gzip")):
            body = gzip.compress(body)
        client = Client(decompress_request=True)
        client.send(post(body, b"Content-Encoding: " + codings.encode()))
        assert client.requests[0].body == body
        assert client.requests[0].headers["Content-Encoding"] == codings

    def test_each_bit_that_is_flipped_BP_17(self) -> None:
        """BP-17: it is an error, or a bit that says nothing about the body."""
        content = b"hello world" * 20
        body = gzip.compress(content)
        for place in range(len(body) * 8):
            flipped = bytearray(body)
            flipped[place // 8] ^= 1 << place % 8
            client = Client(decompress_request=True)
            client.send(post(bytes(flipped), self.GZIP))
            if client.statuses == [200]:
                assert client.requests[0].body == content
            else:
                assert client.statuses == [400]

    def test_two_members(self) -> None:
        client = Client(decompress_request=True)
        client.send(post(gzip.compress(b"hello ") + gzip.compress(b"world"), self.GZIP))
        assert client.requests[0].body == b"hello world"

    def test_blocked_between_steps(self) -> None:
        application = Application(streaming)
        client = Client(application, decompress_request=True)
        body = gzip.compress(bytes(300_000))
        client.send(P + H + self.GZIP + b"\r\nContent-Length: %d\r\n\r\n" % len(body))
        receiver = application.receivers[0]
        receiver.blocking = True
        client.send(body)
        steps = 0
        while receiver.answers[steps:]:
            receiver.answers[steps].callback(None)
            steps += 1
        assert steps >= 5
        assert receiver.events == ["finish"]

    def test_unread_is_not_inflated_BP16(self) -> None:
        client = Client(Application(TestUnread.early), decompress_request=True)
        client.send(post(b"x" * 100, self.GZIP), S)
        assert client.statuses == [200, 200]
