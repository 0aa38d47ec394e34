"""Message delegates in place of a callback."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from cyclone.httpserver import HTTPServer
from cyclone.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    ResponseStartLine,
)


class Message(HTTPMessageDelegate):
    def __init__(self, connection: Any, seen: list[Any], wait: Any) -> None:
        self.connection = connection
        self.seen = seen
        self.wait = wait

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Any:
        self.seen.append((start_line.method, start_line.path, headers["Host"]))
        return self.wait() if self.wait else None

    def data_received(self, chunk: bytes) -> Any:
        self.seen.append(chunk)
        return self.wait() if self.wait else None

    def finish(self) -> None:
        self.seen.append("finish")
        headers = HTTPHeaders({"Content-Length": "2"})
        self.connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), headers, b"ok")
        self.connection.finish()

    def on_connection_close(self) -> None:
        self.seen.append("closed")


class Program(HTTPServerConnectionDelegate):
    def __init__(self, wait: Any = None) -> None:
        self.seen: list[Any] = []
        self.wait = wait

    def start_request(self, server_conn: object, request_conn: object) -> Message:
        return Message(request_conn, self.seen, self.wait)


def connect(program: Program) -> tuple[Any, Any]:
    protocol = HTTPServer(program).buildProtocol(None)
    transport = StringTransport()  # type: ignore[no-untyped-call]
    protocol.makeConnection(transport)
    return protocol, transport


def lose(protocol: Any) -> None:
    protocol.connectionLost(Failure(ConnectionLost()))  # type: ignore[no-untyped-call]


async def at_once() -> None:
    pass


@pytest.mark.parametrize("wait", [None, at_once], ids=["plain", "async"])
def test_requests_come_message_by_message(wait: Any) -> None:
    program = Program(wait)
    protocol, transport = connect(program)
    protocol.dataReceived(b"GET /a?b HTTP/1.1\r\nHost: x\r\n\r\n")
    protocol.dataReceived(b"POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
    protocol.dataReceived(b"cd")
    assert program.seen == [
        ("GET", "/a?b", "x"),
        "finish",
        ("POST", "/c", "x"),
        b"ab",
        b"cd",
        "finish",
    ]
    assert transport.value().count(b"HTTP/1.1 200 OK") == 2
    lose(protocol)


def test_a_deferred_is_waited_for() -> None:
    waits: list[Deferred[None]] = []

    def wait() -> Deferred[None]:
        waits.append(Deferred())
        return waits[-1]

    program = Program(wait)
    protocol, _ = connect(program)
    protocol.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\na")
    assert program.seen == [("POST", "/", "x")]
    waits[0].callback(None)
    assert program.seen[1:] == [b"a"]
    waits[1].callback(None)
    assert program.seen[2:] == ["finish"]
    lose(protocol)


def test_a_client_that_leaves() -> None:
    program = Program()
    protocol, _ = connect(program)
    protocol.dataReceived(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
    lose(protocol)
    assert program.seen == [("POST", "/", "x"), b"a", "closed"]


@pytest.mark.parametrize("target", [None, "app", object()])
def test_what_is_neither_is_refused_at_once(target: Any) -> None:
    with pytest.raises(TypeError, match="start_request"):
        HTTPServer(target)


def test_a_delegate_returns_something_else(caplog: pytest.LogCaptureFixture) -> None:
    protocol, transport = connect(Program(lambda: "text"))
    protocol.dataReceived(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert transport.value().startswith(b"HTTP/1.1 500")
    assert "A delegate returned str" in caplog.text
    lose(protocol)
