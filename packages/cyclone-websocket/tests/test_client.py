"""WebSocketClientConnection: reading at the reader's pace, and the end, in memory."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from ws_support import frame

from cyclone.websocket import WebSocketClientConnection, WebSocketClosedError, WebSocketConnection
from cyclone.websocket._deadlines import Deadlines
from cyclone.websocket._limits import Limits


class Transport(StringTransport):
    """A transport that knows whether it was closed, and how."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()  # type: ignore[no-untyped-call]


class Client:
    """An open client whose server is in the test."""

    def __init__(self, on_message_callback: Any = None, **limits: Any) -> None:
        self.clock = Clock()
        self.connection = WebSocketClientConnection(on_message_callback)
        self.protocol = WebSocketConnection(
            self.connection,
            deadlines=Deadlines(self.clock, self.clock.seconds),
            limits=Limits(**limits),
            client=True,
        )
        self.connection.protocol = self.protocol
        self.transport = Transport()  # type: ignore[no-untyped-call]
        self.protocol.makeConnection(self.transport)
        self.protocol.opened()
        self.server = ServerProtocol(state=OPEN, max_size=None)

    def feed(self, *frames: bytes) -> None:
        self.protocol.dataReceived(b"".join(frames))

    def text(self, *messages: str) -> None:
        self.feed(*(frame(0x81, message.encode(), None) for message in messages))

    def lose(self) -> None:
        self.protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]

    def sent(self) -> list[Any]:
        self.server.receive_data(self.transport.value())  # type: ignore[no-untyped-call]
        self.transport.clear()  # type: ignore[no-untyped-call]
        return self.server.events_received()


def result(deferred: Deferred[Any]) -> Any:
    found: list[Any] = []
    deferred.addBoth(found.append)
    return found[0] if found else "waiting"


def test_messages_before_and_after_somebody_reads() -> None:
    client = Client()
    client.text("1", "2", "3")
    assert [result(client.connection.read_message()) for _ in range(3)] == ["1", "2", "3"]
    waiting = client.connection.read_message()
    assert not waiting.called
    client.text("4")
    assert result(waiting) == "4"


def test_what_is_sent_is_masked_and_right() -> None:
    client = Client()
    client.connection.write_message("text")
    client.connection.write_message(b"\x00", binary=True)
    client.connection.write_message({"a": 1})
    client.connection.ping(b"p")
    assert [event.data for event in client.sent()] == [b"text", b"\x00", b'{"a": 1}', b"p"]


def test_unread_messages_stop_the_reading() -> None:
    client = Client(max_queue_size=10_000)
    client.text(*["x" * 1000] * 20)
    assert client.transport.producerState == "paused"
    for _ in range(20):
        assert result(client.connection.read_message()) == "x" * 1000
    assert client.transport.producerState == "producing"


def test_messages_that_came_before_a_loss_can_be_read() -> None:
    client = Client()
    client.text("1", "2")
    client.lose()
    assert result(client.connection.read_message()) == "1"
    assert result(client.connection.read_message()) == "2"
    assert result(client.connection.read_message()) is None
    assert client.connection.close_code == 1006


def test_readers_get_none_at_the_end() -> None:
    client = Client()
    first, second = client.connection.read_message(), client.connection.read_message()
    client.feed(frame(0x88, b"\x0f\xa0bye", None))
    client.lose()
    assert result(first) is result(second) is None
    assert (client.connection.close_code, client.connection.close_reason) == (4000, "bye")


def test_a_reader_may_be_cancelled() -> None:
    client = Client()
    first, second = client.connection.read_message(), client.connection.read_message()
    first.cancel()
    assert isinstance(result(first).value, CancelledError)
    client.text("1")
    assert result(second) == "1"


def test_a_callback_for_reading() -> None:
    client = Client()
    called: list[Any] = []
    client.connection.read_message(called.append)
    client.text("1")
    assert called[0].result() == "1"


def test_an_async_message_callback_delays_the_next_message() -> None:
    gates: list[Deferred[None]] = []
    messages: list[Any] = []

    async def on_message(message: str | bytes | None) -> None:
        messages.append(message)
        gates.append(Deferred())
        await gates[-1]

    client = Client(on_message)
    client.text("1", "2")
    assert messages == ["1"]
    gates[0].callback(None)
    assert messages == ["1", "2"]


def test_the_client_waits_for_the_server_to_close_the_transport() -> None:
    client = Client()
    client.feed(frame(0x88, b"\x03\xe8", None))
    (event,) = client.sent()
    assert event.data == b"\x03\xe8"
    assert not client.transport.disconnecting
    for _ in range(12):
        client.clock.advance(1)
    assert client.transport.aborted


def test_closing() -> None:
    client = Client()
    client.text("unread", "never read")
    assert client.connection.get_websocket_protocol() is client.protocol
    gone: Any = client.connection.close(4000, "bye")
    assert not gone.called
    for write in (
        lambda: client.connection.write_message("x"),
        lambda: client.connection.ping(),
    ):
        with pytest.raises(WebSocketClosedError):
            write()
    client.feed(frame(0x88, b"\x0f\xa0bye", None))
    client.lose()
    assert gone.called
    assert client.connection.close_code == 4000
    assert client.connection.close().called
    assert client.clock.getDelayedCalls() == []


def test_a_masked_frame_fails_the_connection() -> None:
    client = Client()
    client.feed(frame(0x81, b"x"))
    client.lose()
    assert client.connection.close_code == 1002
