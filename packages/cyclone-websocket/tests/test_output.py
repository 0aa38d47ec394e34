"""What a connection sends: messages, pings, and its patience with slow readers, in memory."""

from __future__ import annotations

from typing import Any

import pytest
from ws_support import Closer, Echo, Peer, Slow, close, closer, frame, text

from cyclone.websocket import WebSocketClosedError, WebSocketHandler

# --- pings ------------------------------------------------------------------------------------


def test_pings_are_sent_and_their_answers_keep_the_connection() -> None:
    peer = Peer(Echo, websocket_ping_interval=30)
    for number in range(1, 5):
        peer.advance(31)
        assert peer.frames() == [(0x89, b"")] * number
        peer.feed(frame(0x8A))
    assert not peer.lost


@pytest.mark.parametrize(("timeout", "ends"), [(None, 60), (10, 40), (100, 60)])
def test_ws13_without_an_answer_the_connection_ends(timeout: float | None, ends: float) -> None:
    Echo.events.clear()
    peer = Peer(Echo, websocket_ping_interval=30, websocket_ping_timeout=timeout)
    peer.advance(ends - 2)
    assert not peer.lost
    peer.advance(6)
    assert peer.lost
    assert Echo.events == [("close", 1006, None)]
    assert peer.close_frame() == (1000, "ping timed out")
    assert peer.clock.getDelayedCalls() == []


def test_a_timeout_of_zero_never_ends_it() -> None:
    peer = Peer(Echo, websocket_ping_interval=10, websocket_ping_timeout=0)
    peer.advance(100)
    assert not peer.lost
    assert len(peer.frames()) > 7


def test_no_pings_with_an_interval_of_zero() -> None:
    peer = Peer(Echo, websocket_ping_interval=0)
    peer.advance(100)
    assert peer.frames() == []


def test_a_pong_we_do_not_read_is_not_missed() -> None:
    peer = Peer(
        Slow, websocket_ping_interval=10, websocket_max_queue_size=1000, max_buffer_size=None
    )
    peer.feed(text("x"))
    peer.feed(frame(0x82, bytes(2000)))
    assert peer.paused
    peer.advance(100)
    assert not peer.lost
    Slow.gates[0].callback(None)
    peer.advance(30)
    assert peer.lost


def test_ws10_only_the_last_ping_is_answered_when_nothing_is_read() -> None:
    peer = Peer(Echo)
    before = len(peer.received)
    producer = peer.transport.producer
    producer.pauseProducing()
    peer.feed(text("fills the queue"))
    for number in range(1000):
        peer.feed(frame(0x89, str(number).encode()))
    assert len(peer.received) == before
    producer.resumeProducing()
    assert peer.frames() == [(0x81, b"fills the queue"), (0x8A, b"999")]


# --- slow readers (WS-17) ---------------------------------------------------------------------


def stuffed(**settings: Any) -> tuple[Peer, WebSocketHandler]:
    """A connection whose transport takes nothing."""
    peer, handler = closer(**settings)
    peer.transport.producer.pauseProducing()
    return peer, handler


def test_ws17_a_writer_waits_at_the_high_water_mark() -> None:
    peer, handler = stuffed()
    assert handler.write_message(b"x" * 60_000, binary=True).called
    waiting: Any = handler.write_message(b"x" * 60_000, binary=True)
    assert not waiting.called
    peer.transport.producer.resumeProducing()
    assert waiting.called
    assert len(peer.messages()) == 2


def test_ws17_a_writer_that_does_not_wait_loses_the_connection() -> None:
    peer, handler = stuffed(max_buffer_size=1_000_000)

    def flood() -> None:
        for _ in range(1000):
            handler.write_message(b"x" * 10_000, binary=True)

    with pytest.raises(WebSocketClosedError):
        flood()
    assert peer.transport.aborted
    assert Closer.events == [("close", 1006, None)]


def test_ws17_the_default_is_8_mib() -> None:
    handler = stuffed()[1]
    connection = handler.ws_connection
    assert connection is not None
    assert connection._limits.max_buffer_size == 8 * 1024 * 1024


def test_ws17_a_writer_who_waits_is_told_of_the_loss() -> None:
    peer, handler = stuffed()
    failed: list[Any] = []
    handler.write_message(b"x" * 100_000, binary=True).addErrback(failed.append)
    ignored = handler.write_message(b"x" * 100_000, binary=True)
    peer.lose()
    assert isinstance(failed[0].value, WebSocketClosedError)
    assert ignored.called


def test_a_reader_that_takes_nothing_is_cut_off() -> None:
    peer, handler = stuffed(write_timeout=60)
    handler.write_message("x")
    peer.advance(59)
    assert not peer.lost
    peer.advance(6)
    assert peer.transport.aborted


def test_a_close_is_sent_behind_what_waits() -> None:
    peer, handler = stuffed()
    handler.write_message("first")
    peer.feed(close(1000))
    assert not peer.transport.disconnecting
    peer.transport.producer.resumeProducing()
    assert [first for first, _ in peer.frames()] == [0x81, 0x88]
    assert peer.lost


# --- what may be sent -------------------------------------------------------------------------


def test_messages_of_all_kinds() -> None:
    peer, handler = closer()
    handler.write_message("text")
    handler.write_message(b"bytes as text")
    handler.write_message(b"\x00\xff", binary=True)
    handler.write_message(bytearray(b"array"), binary=True)  # type: ignore[arg-type]
    handler.write_message({"a": "</b>"})
    handler.write_message("x" * 126)
    handler.write_message("x" * 65536)
    assert peer.messages() == [
        "text",
        "bytes as text",
        b"\x00\xff",
        b"array",
        '{"a": "<\\/b>"}',
        "x" * 126,
        "x" * 65536,
    ]


def test_messages_that_cannot_be_sent() -> None:
    peer, handler = closer()
    for message in (5, None, ["x"]):
        with pytest.raises(TypeError):
            handler.write_message(message)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="binary=True"):
        handler.write_message(b"\xff")
    with pytest.raises(ValueError, match="125"):
        handler.ping(b"x" * 126)
    handler.ping("data")
    assert peer.frames() == [(0x89, b"data")]


def test_set_nodelay() -> None:
    peer, handler = closer()
    handler.set_nodelay(False)
    assert peer.transport.getTcpNoDelay() is False
