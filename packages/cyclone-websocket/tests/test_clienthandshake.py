"""The handshake from the client's side, in memory."""

from __future__ import annotations

from typing import Any

import pytest

from cyclone.httpclient import HTTPError, HTTPRequest
from cyclone.httputil import HTTPHeaders
from cyclone.websocket import WebSocketError
from cyclone.websocket._clienthandshake import (
    MAX_HEAD,
    MAX_INTERIM,
    ClientHandshake,
    Offer,
    parse_url,
)

# --- URLs -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ws://h", (False, "h", 80, "h", "/", None)),
        ("wss://h", (True, "h", 443, "h", "/", None)),
        ("ws://H:8080/a?b=c", (False, "h", 8080, "h:8080", "/a?b=c", None)),
        ("wss://h:80?x", (True, "h", 80, "h:80", "/?x", None)),
        ("ws://[::1]:9/", (False, "::1", 9, "[::1]:9", "/", None)),
        ("ws://h/ä b", (False, "h", 80, "h", "/%C3%A4%20b", None)),
        ("ws://h/%20%c3", (False, "h", 80, "h", "/%20%c3", None)),
        (
            "ws://bücher.example",
            (False, "xn--bcher-kva.example", 80, "xn--bcher-kva.example", "/", None),
        ),
        ("ws://user:pass@h", (False, "h", 80, "h", "/", "user:pass")),
        ("http://h", (False, "h", 80, "h", "/", None)),
    ],
)
def test_urls(url: str, expected: tuple[Any, ...]) -> None:
    assert tuple(parse_url(url)) == expected


@pytest.mark.parametrize(
    "url", ["", "h", "ftp://h", "ws://", "ws:///x", "ws://h/#frag", "ws://h:99999", "ws://[::1"]
)
def test_urls_that_cannot_be(url: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_url(url)


# --- the handshake in memory ------------------------------------------------------------------


class Outcome:
    """A handshake without a network."""

    def __init__(self, subprotocols: list[str] | None = None, **options: Any) -> None:
        from twisted.internet.testing import StringTransport

        request = HTTPRequest("ws://h/", **options)
        self.offer = Offer(parse_url("ws://h/"), request, subprotocols or [], None)
        self.accepted: list[tuple[HTTPHeaders, bytes]] = []
        self.errors: list[BaseException] = []
        self.handshake = ClientHandshake(
            self.offer,
            lambda _, headers, rest: self.accepted.append((headers, rest)),
            self.errors.append,
        )
        self.transport: Any = StringTransport()  # type: ignore[no-untyped-call]
        self.handshake.makeConnection(self.transport)  # type: ignore[no-untyped-call]


def test_the_request() -> None:
    outcome = Outcome(["a", "b"], headers={"X-Test": "1", "Connection": "close", "Host": "other"})
    head = outcome.transport.value().decode()
    assert head.startswith("GET / HTTP/1.1\r\n")
    assert head.endswith("\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.split("\r\n")[1:-2])
    key = fields.pop("Sec-Websocket-Key")
    assert len(key) == 24
    assert fields == {
        "Host": "other",
        "X-Test": "1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-Websocket-Version": "13",
        "Sec-Websocket-Protocol": "a, b",
    }


def test_credentials() -> None:
    outcome = Outcome(auth_username="Aladdin", auth_password="open sesame")
    assert b"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==\r\n" in outcome.transport.value()


GOOD_HEAD = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_an_answer_in_pieces(size: int) -> None:
    outcome = Outcome()
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" * MAX_INTERIM
    data = hints + GOOD_HEAD + b"\x81\x01x"
    for start in range(0, len(data), size):
        if not outcome.accepted:
            outcome.handshake.dataReceived(data[start : start + size])
    headers, rest = outcome.accepted[0]
    assert headers["Upgrade"] == "websocket"
    assert b"\x81\x01x".startswith(rest)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(b"HTTP/2 101 X\r\n\r\n", WebSocketError, id="other version"),
        pytest.param(b"SSH-2.0\r\n\r\n", WebSocketError, id="not HTTP"),
        pytest.param(b"HTTP/1.1 101 X\r\nbad\r\n\r\n", WebSocketError, id="bad header"),
        pytest.param(b"HTTP/1.1 101 X\r\nA: \x00\r\n\r\n", WebSocketError, id="NUL"),
        pytest.param(b"x" * (MAX_HEAD + 1), WebSocketError, id="endless"),
        pytest.param(b"HTTP/1.1 100 \r\n\r\n" * 4000, WebSocketError, id="endless interim"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", WebSocketError, id="a page"
        ),
        pytest.param(b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno", HTTPError, id="404"),
        pytest.param(
            b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n", HTTPError, id="302"
        ),
    ],
)
@pytest.mark.parametrize("split", [1, 100_000])
def test_bad_answers(answer: bytes, error: type[Exception], split: int) -> None:
    outcome = Outcome()
    step = max(split, len(answer) // 500)
    for start in range(0, len(answer), step):
        outcome.handshake.dataReceived(answer[start : start + step])
    assert [type(one) for one in outcome.errors] == [error]
    outcome.handshake.dataReceived(b"more")
    assert len(outcome.errors) == 1


def test_a_body_that_does_not_end_is_bounded() -> None:
    outcome = Outcome()
    outcome.handshake.dataReceived(b"HTTP/1.1 500 X\r\n\r\n")
    for _ in range(20):
        outcome.handshake.dataReceived(b"x" * 10_000)
    error = outcome.errors[0]
    assert isinstance(error, HTTPError)
    assert error.response is not None
    assert len(error.response.body) <= 65536


@pytest.mark.parametrize("begun", [False, True])
def test_a_server_that_closes(begun: bool) -> None:
    outcome = Outcome()
    if begun:
        outcome.handshake.dataReceived(b"HTTP/1.1 503 X\r\n\r\nbusy")
    outcome.handshake.connectionLost()
    error = outcome.errors[0]
    assert isinstance(error, HTTPError)
    assert error.code == (503 if begun else 599)
