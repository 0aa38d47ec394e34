"""WebSockets in memory."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from client_support import make_app, outcome
from twisted.trial import unittest

from cyclone.httpclient import HTTPClientError, HTTPStreamClosedError
from cyclone.httpserver import HTTPRequest
from cyclone.testing import Client, MemoryWebSocket
from cyclone.testing._reactor import turn
from cyclone.web import Application
from cyclone.websocket import WebSocketHandler


class Echo(WebSocketHandler):
    current: Echo
    events: ClassVar[list[Any]] = []

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return "chat" if "chat" in subprotocols else None

    def open(self) -> None:
        type(self).current = self
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> Any:
        if message == "bye":
            self.close(4001, "as you wish")
            return None
        return self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self) -> None:
        self.events.append((self.close_code, self.close_reason))


class Whoami(WebSocketHandler):
    def open(self) -> Any:
        return self.write_message(
            {
                "cookie": self.get_cookie("who"),
                "header": self.request.headers.get("X-Test"),
                "ip": self.request.remote_ip,
                "protocol": self.request.protocol,
                "query": self.get_arguments("q"),
                "host": self.request.host,
            }
        )


def make_client(**settings: Any) -> Client:
    return Client(Application([("/ws", Echo), ("/who", Whoami)], **settings))


@pytest.fixture
def websocket() -> MemoryWebSocket:
    found = outcome(make_client().websocket("/ws"))
    assert isinstance(found, MemoryWebSocket)
    return found


@pytest.mark.parametrize("message", ["text é", b"\x00\xff", "", "x" * 200_000])
@pytest.mark.parametrize("compression", [False, True])
def test_messages(message: str | bytes, compression: bool) -> None:
    client = make_client(websocket_compression_options={})
    websocket = outcome(client.websocket("/ws", compression=compression))
    outcome(websocket.write_message(message))
    assert outcome(websocket.read_message()) == message
    assert ("permessage-deflate" in websocket.headers.get("Sec-WebSocket-Extensions", "")) in (
        compression,
        False,
    )


def test_dicts_and_binary_text(websocket: MemoryWebSocket) -> None:
    outcome(websocket.write_message({"a": 1}))
    outcome(websocket.write_message("text", binary=True))
    found = [outcome(websocket.read_message()) for _ in range(2)]
    assert found == ['{"a": 1}', b"text"]


def test_what_the_server_sends_by_itself(websocket: MemoryWebSocket) -> None:
    waiting = websocket.read_message()
    Echo.current.write_message("news")
    assert outcome(waiting) == "news"


def test_the_server_closes(websocket: MemoryWebSocket) -> None:
    outcome(websocket.write_message("bye"))
    assert outcome(websocket.read_message()) is None
    assert (websocket.close_code, websocket.close_reason) == (4001, "as you wish")
    assert websocket.closed
    with pytest.raises(HTTPStreamClosedError, match="is closed"):
        outcome(websocket.write_message("more"))


def test_the_client_closes(websocket: MemoryWebSocket) -> None:
    Echo.events.clear()
    assert outcome(websocket.close(4000, "enough")) is True
    assert Echo.events == [(4000, "enough")]
    with pytest.raises(HTTPStreamClosedError):
        outcome(websocket.write_message("more"))
    assert websocket.close_code == 4000
    assert outcome(websocket.close()) is True


def test_going_away_without_a_word(websocket: MemoryWebSocket) -> None:
    Echo.events.clear()
    websocket.abort()
    assert websocket.close_code == 1006
    assert len(Echo.events) == 1
    with pytest.raises(HTTPStreamClosedError):
        outcome(websocket.ping())


def test_ping(websocket: MemoryWebSocket) -> None:
    assert outcome(websocket.ping(b"data")) == b"data"


def test_subprotocols() -> None:
    client = make_client()
    websocket = outcome(client.websocket("/ws", subprotocols=["other", "chat"]))
    assert websocket.selected_subprotocol == "chat"
    assert outcome(client.websocket("/ws")).selected_subprotocol is None


def test_the_request() -> None:
    import json

    client = make_client()
    client.cookies["who"] = "me"
    websocket = outcome(
        client.websocket(
            "/who",
            {"q": ["1", "2"]},
            {"X-Test": "yes"},
            remote_ip="192.0.2.1",
            protocol="https",
            host="example.com",
        )
    )
    assert json.loads(outcome(websocket.read_message())) == {
        "cookie": "me",
        "header": "yes",
        "ip": "192.0.2.1",
        "protocol": "https",
        "query": ["1", "2"],
        "host": "example.com",
    }


@pytest.mark.parametrize(
    ("path", "headers", "code"),
    [("/none", {}, 404), ("/ws", {"Origin": "http://elsewhere.example"}, 403)],
)
def test_refused(path: str, headers: dict[str, str], code: int) -> None:
    with pytest.raises(HTTPClientError) as caught:
        outcome(make_client().websocket(path, headers=headers))
    assert caught.value.code == code


def test_not_a_websocket() -> None:
    with pytest.raises(HTTPClientError):
        outcome(Client(make_app()).websocket("/old"))


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"],
    ids=["closed", "nonsense", "no key"],
)
def test_a_server_that_fails_in_the_handshake(answer: bytes) -> None:
    def callback(request: HTTPRequest) -> None:
        transport = request.connection.detach()
        transport.write(answer)
        transport.loseConnection()

    with pytest.raises(HTTPClientError) as caught:
        outcome(Client(callback).websocket("/"))
    assert caught.value.code == 599


def test_pings_and_their_timeout_take_no_real_time() -> None:
    client = make_client(websocket_ping_interval=30, websocket_ping_timeout=10)
    alive, stalled = (outcome(client.websocket("/ws")) for _ in range(2))
    client.clock.advance(100)
    assert (alive.closed, stalled.closed) == (False, False)
    stalled.pause_reading()
    client.clock.advance(100)
    assert (alive.closed, stalled.connection.transport.connected) == (False, False)
    stalled.resume_reading()
    assert alive.close_code is None


def test_too_large_a_message_from_the_server() -> None:
    client = make_client()
    websocket = outcome(client.websocket("/ws", max_message_size=100))
    Echo.current.write_message("x" * 200)
    assert outcome(websocket.read_message()) is None
    assert websocket.error is not None


def test_text_that_is_not_utf_8(websocket: MemoryWebSocket) -> None:
    websocket.connection.transport.write(b"\x81\x01\xff")
    assert isinstance(websocket.error, UnicodeDecodeError)
    assert outcome(websocket.read_message()) is None


def test_fragments(websocket: MemoryWebSocket) -> None:
    websocket.connection.transport.write(b"\x01\x02ab\x89\x00\x80\x02cd")
    assert outcome(websocket.read_message()) == "abcd"


class TestAsynchronously(unittest.TestCase):
    async def test_async_for(self) -> None:
        await turn()
        websocket = await make_client().websocket("/ws")
        for message in ("one", "two", "bye"):
            await websocket.write_message(message)
        found = [message async for message in websocket]
        assert found == ["one", "two"], websocket.connection.received
        await websocket.close()
