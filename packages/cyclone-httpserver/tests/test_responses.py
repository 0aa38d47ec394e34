"""Answers: framing, order, and what must not leave the house."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

import pytest
from http_support import HEADERS, Client, H, S, statuses
from twisted.internet.defer import CancelledError, Deferred

from cyclone.httpserver import HTTPRequest, StreamClosedError
from cyclone.httputil import HTTPHeaders, HTTPInputError, HTTPOutputError, ResponseStartLine

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
HEAD = b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n"
GET10 = b"GET / HTTP/1.0\r\n\r\n"
OK = ResponseStartLine("HTTP/1.1", 200, "OK")


def start(status: int) -> ResponseStartLine:
    return ResponseStartLine("HTTP/1.1", status, "Reason")


def respond(status: int, headers: dict[str, str], body: bytes) -> Callable[[HTTPRequest], None]:
    def callback(request: HTTPRequest) -> None:
        request.connection.write_response(request, status, None, HTTPHeaders(headers), body)

    return callback


def stream(
    status: int, headers: dict[str, str], *chunks: bytes, end: bool = True
) -> Callable[[HTTPRequest], None]:
    def callback(request: HTTPRequest) -> None:
        connection = request.connection
        connection.write_headers(start(status), HTTPHeaders(headers))
        for chunk in chunks:
            connection.write(chunk)
        if end:
            connection.finish()

    return callback


def parts(data: bytes) -> tuple[set[bytes], bytes]:
    head, _, body = data.partition(b"\r\n\r\n")
    return {line for line in head.split(b"\r\n")[1:] if not line.startswith(b"Date:")}, body


@pytest.mark.parametrize(
    ("request_bytes", "status", "headers", "body", "lines", "sent"),
    [
        pytest.param(GET, 200, {}, b"abc", {b"Content-Length: 3"}, b"abc", id="plain"),
        pytest.param(
            GET, 200, {"Content-Length": "3"}, b"abc", {b"Content-Length: 3"}, b"abc", id="declared"
        ),
        pytest.param(GET, 204, {}, b"abc", set(), b"", id="RI-09-204"),
        pytest.param(GET, 204, {"Content-Length": "3"}, b"abc", set(), b"", id="RI-09-204-CL"),
        pytest.param(GET, 304, {"Content-Length": "3"}, b"", set(), b"", id="RI-09-304"),
        pytest.param(HEAD, 200, {}, b"abc", {b"Content-Length: 3"}, b"", id="RI-09-HEAD"),
        pytest.param(
            HEAD, 200, {"Content-Length": "9"}, b"", {b"Content-Length: 9"}, b"", id="RI-09-HEAD-CL"
        ),
        pytest.param(
            GET10,
            200,
            {},
            b"abc",
            {b"Content-Length: 3"},
            b"abc",
            id="F-30-http10",
        ),
        pytest.param(
            b"GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n",
            200,
            {},
            b"abc",
            {b"Content-Length: 3", b"Connection: Keep-Alive"},
            b"abc",
            id="F-30-http10-keep-alive",
        ),
        pytest.param(
            GET,
            200,
            {"Connection": "close"},
            b"abc",
            {b"Content-Length: 3", b"Connection: close"},
            b"abc",
            id="handler-closes",
        ),
        pytest.param(
            GET,
            200,
            {"Transfer-Encoding": "chunked"},
            b"abc",
            {b"Content-Length: 3"},
            b"abc",
            id="no-foreign-framing",
        ),
    ],
)
def test_one_piece(
    request_bytes: bytes,
    status: int,
    headers: dict[str, str],
    body: bytes,
    lines: set[bytes],
    sent: bytes,
) -> None:
    client = Client(respond(status, headers, body))
    found, rest = parts(client.send(request_bytes))
    assert found == lines
    assert rest == sent
    assert client.wire.closing == (b"Connection: close" in lines or request_bytes == GET10)
    if not client.wire.closing:
        client.send(request_bytes)
        assert client.statuses == [status, status]


@pytest.mark.parametrize(
    ("request_bytes", "status", "headers", "chunks", "lines", "sent"),
    [
        pytest.param(
            GET,
            200,
            {},
            (b"abc", b"", b"de"),
            {b"Transfer-Encoding: chunked"},
            b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            id="chunked",
        ),
        pytest.param(
            GET,
            200,
            {"Content-Length": "5"},
            (b"abc", b"de"),
            {b"Content-Length: 5"},
            b"abcde",
            id="length",
        ),
        pytest.param(GET10, 200, {}, (b"abc",), set(), b"abc", id="RI-17"),
        pytest.param(HEAD, 200, {}, (b"abc",), set(), b"", id="RI-09-HEAD"),
        pytest.param(GET, 204, {"Content-Length": "3"}, (b"abc",), set(), b"", id="RI-09-204"),
        pytest.param(GET, 304, {}, (b"abc",), set(), b"", id="RI-09-304"),
    ],
)
def test_pieces(
    request_bytes: bytes,
    status: int,
    headers: dict[str, str],
    chunks: tuple[bytes, ...],
    lines: set[bytes],
    sent: bytes,
) -> None:
    client = Client(stream(status, headers, *chunks))
    found, rest = parts(client.send(request_bytes))
    assert found == lines
    assert rest == sent
    assert client.wire.closing == (request_bytes == GET10)


class TestMismatches:
    """RI-09: a body that is not what Content-Length said."""

    def test_short_is_aborted(self) -> None:
        errors: list[Exception] = []

        def callback(request: HTTPRequest) -> None:
            request.connection.write_headers(OK, HTTPHeaders({"Content-Length": "10"}))
            request.connection.write(b"abc")
            try:
                request.connection.finish()
            except HTTPOutputError as error:
                errors.append(error)

        client = Client(callback)
        client.send(GET + S)
        assert errors
        assert client.wire.closing
        assert client.received.endswith(b"abc")

    def test_long_is_refused(self) -> None:
        errors: list[Exception] = []

        def callback(request: HTTPRequest) -> None:
            request.connection.write_headers(OK, HTTPHeaders({"Content-Length": "3"}))
            try:
                request.connection.write(b"0123456789")
            except HTTPOutputError as error:
                errors.append(error)
            request.connection.write(b"abc")
            request.connection.finish()

        client = Client(callback)
        assert client.send(GET).endswith(b"\r\n\r\nabc")
        assert errors

    def test_one_piece(self) -> None:
        client = Client(respond(200, {"Content-Length": "3"}, b"abcd"))
        client.send(GET)
        assert client.statuses == [500]

    @pytest.mark.parametrize("value", ["-1", "x", "1_0", "", "+3"])
    def test_no_number(self, value: str) -> None:
        client = Client(respond(200, {"Content-Length": value}, b"abc"))
        client.send(GET)
        assert client.statuses == [500]


def test_the_same_without_asserts_RI10() -> None:
    """The framing rules are no asserts: they hold under ``python -O``."""
    code = """
from http_support import Client
from test_responses import GET, stream, respond
c = Client(stream(204, {}, b"abc")); c.send(GET)
if not c.received.endswith(b"\\r\\n\\r\\n"): raise SystemExit("204 with a body")
c = Client(respond(200, {"Content-Length": "3"}, b"abcd")); c.send(GET)
if c.statuses != [500]: raise SystemExit("mismatch")
"""
    from pathlib import Path

    result = subprocess.run(
        [sys.executable, "-O", "-c", code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (200, "x\r\nSet-Cookie: a=b"),
        (200, "a\nb"),
        (200, "\x00"),
        (99, None),
        (1000, None),
        (100, None),
        (200, "Ā"),
    ],
)
def test_bad_status_lines_RI02(status: int, reason: str | None) -> None:
    def callback(request: HTTPRequest) -> None:
        request.connection.write_response(request, status, reason, HEADERS, b"abc")

    client = Client(callback)
    client.send(GET)
    assert client.statuses == [500]
    assert b"Set-Cookie" not in client.received


def test_a_custom_reason() -> None:
    def callback(request: HTTPRequest) -> None:
        request.connection.write_response(request, 299, "Fine, really", HEADERS, b"")

    assert Client(callback).send(GET).startswith(b"HTTP/1.1 299 Fine, really\r\n")


def test_headers_in_wire_form() -> None:
    wire = HTTPHeaders({"X-A": "b"}).wire()

    def callback(request: HTTPRequest) -> None:
        request.connection.write_response(request, 200, None, wire, b"hi")

    client = Client(callback)
    assert parts(client.send(GET)) == ({b"X-A: b", b"Content-Length: 2"}, b"hi")


def test_date_once() -> None:
    client = Client(respond(200, {"Date": "Sun, 06 Nov 1994 08:49:37 GMT"}, b""))
    assert client.send(GET).count(b"Date:") == 1


class TestOrder:
    """CN-01: one request at a time, answered in order."""

    def test_slow_first(self) -> None:
        waiting: list[HTTPRequest] = []
        client = Client(waiting.append)
        client.send(GET + S)
        assert [request.path for request in waiting] == ["/"]
        client.echo(waiting[0])
        assert [request.path for request in waiting] == ["/", "/smug"]
        client.echo(waiting[1])
        bodies = client.received.split(b"\r\n\r\n")
        assert bodies[1].startswith(b"/ 0")
        assert bodies[2].startswith(b"/smug 0")

    @pytest.mark.parametrize("body", [b"", b"abc"], ids=["next", "its-body"])
    def test_in_a_context_of_its_own(self, body: bytes) -> None:
        """What one handler keeps in context variables is not there for the next."""
        user: ContextVar[str] = ContextVar("user", default="nobody")
        waiting: list[HTTPRequest] = []
        seen: list[str] = []

        def callback(request: HTTPRequest) -> None:
            seen.append(user.get())
            waiting.append(request)

        def answer() -> None:
            user.set("somebody")
            client.echo(waiting[0])

        client = Client(callback)
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
        client.send(GET + head + body + GET)
        copy_context().run(answer)
        assert seen == ["nobody", "nobody"]
        copy_context().run(client.echo, waiting[1])
        assert seen == ["nobody"] * 3

    def test_stale_request_is_refused(self) -> None:
        waiting: list[HTTPRequest] = []
        client = Client(waiting.append)
        client.send(GET + S)
        client.echo(waiting[0])
        for call in (waiting[0].finish, lambda: waiting[0].write(b"x")):
            with pytest.raises(RuntimeError):
                call()
        with pytest.raises(RuntimeError):
            client.echo(waiting[0])

    def test_first_raises(self) -> None:
        def callback(request: HTTPRequest) -> None:
            raise ValueError("no")

        client = Client(callback)
        client.send(GET + S)
        assert client.statuses == [500]
        assert client.wire.closing
        assert b"no" not in client.received.partition(b"\r\n\r\n")[2]

    @pytest.mark.parametrize("count", [1000])
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_many_in_one_segment_F31(self, count: int, method: str) -> None:
        one = f"{method} / HTTP/1.1\r\nHost: x\r\n".encode()
        one += b"\r\n" if method == "GET" else b"Content-Length: 3\r\n\r\nabc"
        client = Client()
        client.send(one * count)
        assert client.statuses == [200] * count

    def test_many_behind_a_slow_handler_CN02(self) -> None:
        waiting: list[HTTPRequest] = []
        client = Client(waiting.append)
        sent = 0
        while client.wire.producerState == "producing" and sent < 10_000:
            client.send(GET * 100)
            sent += 100
        assert client.wire.producerState == "paused"
        assert sent * len(GET) < 65536 + 100 * len(GET)
        answered = 0
        while answered < sent:
            client.echo(waiting[answered])
            answered += 1
        assert client.statuses == [200] * sent
        assert client.wire.producerState == "producing"


class TestStreamedFailures:
    """RI-11, F-23: a response that breaks off is never finished politely."""

    @pytest.mark.parametrize("headers", [{}, {"Content-Length": "100"}])
    def test_raise_after_flush(self, headers: dict[str, str]) -> None:
        def callback(request: HTTPRequest) -> None:
            request.connection.write_headers(OK, HTTPHeaders(headers))
            request.connection.write(b"0123456789")
            raise ValueError

        client = Client(callback)
        client.send(GET + S)
        assert b"0123456789" in client.received
        assert b"0\r\n\r\n" not in client.received
        assert client.wire.closing
        assert client.statuses == [200]

    def test_close_delimited_is_reset(self) -> None:
        def callback(request: HTTPRequest) -> None:
            request.connection.write_headers(OK, HTTPHeaders())
            request.connection.write(b"0123456789")
            raise ValueError

        client = Client(callback)
        client.send(GET10)
        assert client.wire.aborted

    @pytest.mark.parametrize(
        "error",
        [ValueError, CancelledError, GeneratorExit, StopIteration, RecursionError, MemoryError],
    )
    def test_any_exception_F22(self, error: type[BaseException]) -> None:
        def callback(request: HTTPRequest) -> None:
            raise error

        client = Client(callback)
        client.send(GET)
        assert client.statuses == [500]
        assert client.wire.closing

    @pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
    def test_exits_are_passed_on_F22(self, error: type[BaseException]) -> None:
        def callback(request: HTTPRequest) -> None:
            raise error

        client = Client(callback)
        with pytest.raises(error):
            client.send(GET)
        assert client.statuses == [500]

    def test_input_error_is_the_clients(self) -> None:
        def callback(request: HTTPRequest) -> None:
            raise HTTPInputError("bad", 413)

        client = Client(callback)
        client.send(GET)
        assert client.statuses == [413]


class TestAwaitables:
    def test_failed_deferred(self) -> None:
        results: list[Deferred[None]] = []

        def callback(request: HTTPRequest) -> Deferred[None]:
            results.append(Deferred())
            return results[0]

        client = Client(callback)
        client.send(GET)
        assert client.statuses == []
        results[0].errback(ValueError())
        assert client.statuses == [500]

    def test_coroutine(self) -> None:
        gate: Deferred[None] = Deferred()

        async def callback(request: HTTPRequest) -> None:
            await gate
            request.connection.write_response(request, 200, None, HEADERS, b"later")

        client = Client(callback)
        client.send(GET)
        gate.callback(None)
        assert client.received.endswith(b"later")

    def test_anything_else_is_an_error(self) -> None:
        client = Client(lambda request: "text")
        client.send(GET)
        assert client.statuses == [500]


class TestInformational:
    def test_early_hints_RI12(self) -> None:
        def callback(request: HTTPRequest) -> None:
            connection = request.connection
            connection.write_headers(start(103), HTTPHeaders({"Link": "</a>"}))
            connection.write_headers(OK, HTTPHeaders(), b"x")
            with pytest.raises(RuntimeError):
                connection.write_headers(start(103), HTTPHeaders())
            connection.finish()

        client = Client(callback)
        client.send(GET)
        assert client.statuses == [103, 200]

    def test_not_for_http10(self) -> None:
        def callback(request: HTTPRequest) -> None:
            request.connection.write_headers(start(103), HTTPHeaders({"Link": "</a>"}))
            request.connection.write_response(request, 200, None, HEADERS, b"")

        client = Client(callback)
        client.send(GET10)
        assert client.statuses == [200]


class TestRaw:
    """Cyclone 1.3's own examples write the response themselves."""

    def test_with_a_length(self) -> None:
        def callback(request: HTTPRequest) -> None:
            request.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            request.finish()

        client = Client(callback)
        assert client.send(GET) == b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        assert not client.wire.closing

    def test_without(self) -> None:
        def callback(request: HTTPRequest) -> None:
            request.write("HTTP/1.1 200 OK\r\n\r\nhi")
            request.finish()

        client = Client(callback)
        client.send(GET)
        assert client.wire.closing

    def test_finish_without_a_response(self) -> None:
        client = Client(lambda request: request.finish())
        client.send(GET)
        assert client.statuses == [500]


class TestKeepAlive:
    @pytest.mark.parametrize(
        ("options", "count"),
        [({"no_keep_alive": True}, 1), ({"max_requests_per_connection": 3}, 3)],
    )
    def test_server_closes_F32(self, options: dict[str, Any], count: int) -> None:
        client = Client(**options)
        client.send(GET * 5)
        assert client.statuses == [200] * count
        assert client.received.count(b"Connection: close") == 1
        assert client.wire.closing

    @pytest.mark.parametrize(
        ("value", "kept"),
        [
            (b"close", False),
            (b"Close", False),
            (b"foo, CLOSE", False),
            (b"keep-alive", True),
            (b"closed", True),
            (b"close\r\nConnection: keep-alive", False),
        ],
    )
    def test_tokens_SM24(self, value: bytes, kept: bool) -> None:
        client = Client()
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: " + value + b"\r\n\r\n" + S)
        assert statuses(client.received) == [200] * (2 if kept else 1)

    def test_refused_upgrade_closes_WS03(self) -> None:
        def callback(request: HTTPRequest) -> None:
            request.connection.write_response(request, 403, None, HEADERS, b"")

        client = Client(callback)
        client.send(
            b"GET / HTTP/1.1\r\n" + H + b"Connection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n" + S
        )
        assert client.statuses == [403]
        assert client.wire.closing


def test_a_dead_connection_errbacks() -> None:
    waiting: list[HTTPRequest] = []
    client = Client(waiting.append)
    client.send(GET)
    connection = waiting[0].connection
    client.hang_up()
    failures: list[Any] = []
    for result in (
        connection.write_headers(OK, HTTPHeaders()),
        connection.write(b"x"),
        connection.finish(),
    ):
        result.addErrback(failures.append)
    assert [bool(failure.check(StreamClosedError)) for failure in failures] == [True] * 3
