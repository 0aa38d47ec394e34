"""An open WebSocket in memory: order, back-pressure, pings, and every way it can end."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, inlineCallbacks, succeed
from twisted.internet.task import Clock
from websockets.client import ClientProtocol
from websockets.protocol import OPEN
from ws_support import SPLITS, Closer, Echo, Log, Peer, Recorder, Slow, close, closer, frame, text

from cyclone.websocket import WebSocketClosedError
from cyclone.websocket._connection import TURN

# --- messages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("split", SPLITS)
def test_echo(split: str) -> None:
    peer = Peer(Echo)
    for piece in SPLITS[split](text("hello") + frame(0x82, b"\x00") + text("é" * 100)):
        peer.feed(piece)
    assert peer.messages() == ["hello", b"\x00", "é" * 100]


def test_what_is_sent_while_input_is_worked_on_leaves_in_one_piece() -> None:
    peer = Peer(Echo)
    writes: list[bytes] = []
    peer.transport.write = writes.append
    peer.feed(text("a") * 100)
    assert len(writes) == 1


def test_frames_behind_the_handshake_are_not_lost() -> None:
    from ws_support import HANDSHAKE

    peer = Peer(Echo, open=False)
    peer.request(HANDSHAKE, after=text("early"))
    assert peer.messages() == ["early"]


def test_peers_of_another_make_understand() -> None:
    peer = Peer(Echo)
    theirs = ClientProtocol(None, state=OPEN, max_size=None)  # type: ignore[arg-type]
    seen = len(peer.received)
    for payload in (b"", b"x", b"y" * 126, b"z" * 70_000):
        theirs.send_binary(payload)
        peer.feed(b"".join(theirs.data_to_send()))
        theirs.receive_data(peer.received[seen:])
        seen = len(peer.received)
        (event,) = theirs.events_received()
        assert event.data == payload  # type: ignore[union-attr]
    theirs.send_close(1000, "done")
    peer.feed(b"".join(theirs.data_to_send()))
    theirs.receive_data(peer.received[seen:])
    theirs.receive_eof()
    assert theirs.close_code == 1000


def test_async_callbacks_run_one_at_a_time_and_in_order() -> None:
    peer = Peer(Slow)
    peer.feed(text("1") + text("2") + text("3"))
    assert Slow.events == ["1"]
    peer.feed(text("4"))
    for number in range(4):
        assert Slow.events == [str(n) for n in range(1, number + 2)]
        Slow.gates[number].callback(None)
    assert peer.messages() == [f"done '{n}'" for n in range(1, 5)]


def test_pings_are_answered_while_a_callback_runs() -> None:
    peer = Peer(Slow)
    peer.feed(text("1") + text("2") + frame(0x89, b"p"))
    assert peer.frames() == [(0x8A, b"p")]
    assert Slow.events == ["1", ("ping", b"p")]


def test_a_close_frame_waits_for_the_messages_before_it() -> None:
    peer = Peer(Slow)
    peer.feed(text("1") + text("2") + close(1000))
    Slow.gates[0].callback(None)
    assert peer.close_frame() is None
    Slow.gates[1].callback(None)
    assert peer.messages() == ["done '1'", "done '2'"]
    assert peer.close_frame() == (1000, "")


def test_messages_before_a_close_are_delivered_though_the_connection_is_gone() -> None:
    peer = Peer(Slow)
    peer.feed(text("1") + text("2") + close(1000))
    peer.lose()
    Slow.gates[0].callback(None)
    assert Slow.events == ["1", "2"]
    Slow.gates[1].callback(None)
    assert Slow.events == ["1", "2", ("close", 1000, None)]


def test_when_the_client_vanishes_on_close_does_not_wait() -> None:
    peer = Peer(Slow)
    peer.feed(text("1") + text("2"))
    peer.lose(clean=False)
    assert Slow.events == ["1", ("close", 1006, None)]
    Slow.gates[0].callback(None)
    assert Slow.events == ["1", ("close", 1006, None)]


def test_ws09_reading_pauses_while_too_much_waits() -> None:
    peer = Peer(Slow, websocket_max_queue_size=10_000)
    peer.feed(text("x"))
    assert not peer.paused
    peer.feed(frame(0x82, bytes(9000)) + frame(0x82, bytes(1000)))
    assert peer.paused
    Slow.gates[0].callback(None)
    assert not peer.paused


def test_ws09_small_messages_count_with_their_overhead() -> None:
    peer = Peer(Slow, websocket_max_queue_size=10_000)
    peer.feed(text("x") * 200)
    assert peer.paused


def test_a_long_queue_is_worked_off_in_linear_time() -> None:
    peer = Peer(Slow, websocket_max_queue_size=10_000_000)
    peer.feed(text("x") * 3000)
    for number in range(3000):
        Slow.gates[number].callback(None)
    assert len(peer.messages()) == 3000


def test_ws10_a_flood_of_small_messages_leaves_time_for_others() -> None:
    peer = Peer(Echo, clock=Clock())  # one whose calls wait for advance(), without a delay too
    peer.feed(text("x") * (3 * TURN + 1))
    assert len(peer.messages()) == TURN
    assert len(peer.clock.getDelayedCalls()) > 0
    peer.clock.advance(0)
    assert len(peer.messages()) == 3 * TURN + 1
    peer.feed(text("y"))
    assert peer.messages()[-1] == "y"


class Kinds(Recorder):
    """Answers each message in a way the message names."""

    def on_message(self, message: str | bytes) -> Any:
        return getattr(self, str(message))()

    async def coroutine(self) -> None:
        self.write_message("coroutine")

    def deferred(self) -> Deferred[None]:
        return self.write_message("deferred")

    @inlineCallbacks
    def generator(self) -> Any:
        yield self.write_message("generator")

    def later(self) -> Deferred[Any]:
        return succeed(None).addCallback(lambda _: self.write_message("later"))


@pytest.mark.parametrize("kind", ["coroutine", "deferred", "generator", "later"])
def test_what_a_callback_may_return(kind: str) -> None:
    peer = Peer(Kinds)
    peer.feed(text(kind))
    assert peer.messages() == [kind]
    assert peer.close_frame() is None


# --- errors (WS-15) ---------------------------------------------------------------------------


def _raise(error: BaseException) -> Any:
    raise error


def _raising(error: BaseException) -> dict[str, Callable[[], Any]]:
    async def coroutine() -> None:
        raise error

    async def later() -> None:
        await succeed(None)
        raise error

    def deferred() -> Deferred[None]:
        return succeed(None).addCallback(lambda _: _raise(error))

    return {
        "sync": lambda: _raise(error),
        "coroutine": coroutine,
        "later": later,
        "deferred": deferred,
    }


class Failing(Recorder):
    where = ""
    how: Callable[[], Any] = staticmethod(lambda: None)

    def _at(self, place: str) -> Any:
        return type(self).how() if self.where == place else None

    def open(self) -> Any:
        return self._at("open")

    def on_message(self, message: str | bytes) -> Any:
        self.events.append(message)
        return self._at("on_message")

    def on_ping(self, data: bytes) -> Any:
        return self._at("on_ping")

    def on_pong(self, data: bytes) -> Any:
        return self._at("on_pong")

    def on_close(self) -> Any:
        super().on_close()
        return self._at("on_close")


ERRORS = [ValueError("boom"), asyncio.CancelledError(), RecursionError("deep")]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("how", ["sync", "coroutine", "later", "deferred"])
@pytest.mark.parametrize("where", ["open", "on_message", "on_ping", "on_pong"])
def test_ws15_an_error_is_logged_once_and_closes_with_1011(
    where: str, how: str, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Failing, "where", where)
    monkeypatch.setattr(Failing, "how", staticmethod(_raising(error)[how]))
    Failing.events.clear()
    with Log() as log:
        peer = Peer(Failing)
        peer.feed(frame(0x89) + frame(0x8A) + text("a") + text("b"))
    assert peer.close_frame() == (1011, "")
    assert [record.getMessage()[:30] for record in log.records] == [
        "Uncaught exception GET /ws (12"
    ]
    assert Failing.events == (["a"] if where == "on_message" else [])
    peer.feed(close(1011))
    assert Failing.events[-1] == ("close", 1011, None)
    assert peer.lost


@pytest.mark.parametrize("how", ["sync", "coroutine"])
def test_ws15_an_error_in_on_close(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Failing, "where", "on_close")
    monkeypatch.setattr(Failing, "how", staticmethod(_raising(ValueError("boom"))[how]))
    Failing.events.clear()
    with Log() as log:
        peer = Peer(Failing)
        peer.feed(close(1000))
    assert len(log.records) == 1
    assert Failing.events == [("close", 1000, None)]


def test_something_that_cannot_be_awaited_is_an_error() -> None:
    class Odd(Recorder):
        def on_message(self, message: str | bytes) -> Any:
            return 5

    with Log() as log:
        peer = Peer(Odd)
        peer.feed(text("x"))
    assert peer.close_frame() == (1011, "")
    assert len(log.records) == 1


def test_writing_to_a_client_that_has_gone_is_no_error_worth_a_log() -> None:
    class Late(Slow):
        pass

    with Log() as log:
        peer = Peer(Late)
        peer.feed(text("1"))
        peer.lose()
        Late.gates[0].callback(None)
    assert log.records == []


def test_nothing_survives_the_end() -> None:
    peer = Peer(Echo)
    peer.feed(text("x"))
    connection = peer.transport.protocol
    handler = weakref.ref(connection._delegate)
    gone = weakref.ref(connection)
    peer.lose()
    del connection, peer
    gc.collect()
    assert handler() is None
    assert gone() is None


# --- the peer breaks the protocol (WS-07, WS-08) ----------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        pytest.param(frame(0x83, b"x"), 1002, id="WS-08"),
        pytest.param(frame(0x81, b"x", None), 1002, id="unmasked"),
        pytest.param(frame(0x81, b"\xff"), 1007, id="not UTF-8"),
        pytest.param(frame(0x81, b"x" * 101), 1009, id="too big"),
        pytest.param(close(1005), 1002, id="bad close"),
    ],
)
def test_ws08_the_connection_fails_with_the_right_code(data: bytes, code: int) -> None:
    Echo.events.clear()
    peer = Peer(Echo, websocket_max_message_size=100)
    peer.feed(text("ok") + data + text("not this"))
    assert peer.messages() == ["ok"]
    answer = peer.close_frame()
    assert answer is not None
    assert answer[0] == code
    assert peer.transport.disconnecting
    assert Echo.events == [("close", code, answer[1])]


def test_ws08_a_failure_does_not_wait_for_a_busy_handler() -> None:
    peer = Peer(Slow)
    peer.feed(text("1") + text("2") + frame(0x83))
    answer = peer.close_frame()
    assert answer is not None
    assert answer[0] == 1002
    assert Slow.events[:1] == ["1"]
    Slow.gates[0].callback(None)
    assert "2" not in Slow.events


# --- the close handshake (WS-14) --------------------------------------------------------------


def test_the_client_closes() -> None:
    peer, _ = closer()
    peer.feed(close(4001, "bye"))
    assert peer.close_frame() == (4001, "bye")
    assert peer.lost
    assert Closer.events == [("close", 4001, "bye")]


def test_the_client_closes_without_a_code() -> None:
    peer, _ = closer()
    peer.feed(close())
    assert peer.close_frame() == (None, "")
    assert Closer.events == [("close", None, None)]


def test_the_server_closes() -> None:
    peer, handler = closer()
    handler.close(4002, "enough")
    assert peer.close_frame() == (4002, "enough")
    assert not peer.transport.disconnecting
    peer.feed(text("ignored") + close(4002, "enough"))
    assert peer.lost
    assert Closer.events == [("close", 4002, "enough")]
    assert peer.clock.getDelayedCalls() == []


def test_ws14_the_client_ignores_the_close() -> None:
    peer, handler = closer()
    handler.close()
    peer.advance(9)
    assert not peer.lost
    peer.advance(2)
    assert peer.transport.aborted
    assert Closer.events == [("close", 1006, None)]
    assert peer.clock.getDelayedCalls() == []


def test_ws14_the_close_timeout_is_a_setting() -> None:
    peer, handler = closer(websocket_close_timeout=2)
    handler.close()
    peer.advance(3)
    assert peer.transport.aborted


def test_ws14_both_close() -> None:
    peer, handler = closer()
    handler.close(1000)
    peer.feed(close(1001))
    assert peer.close_frame() == (1000, "")
    assert Closer.events == [("close", 1001, None)]


def test_ws14_a_half_close_or_a_loss_without_a_close_frame() -> None:
    peer, _ = closer()
    peer.lose()
    assert Closer.events == [("close", 1006, None)]
    assert peer.clock.getDelayedCalls() == []


def test_ws14_closing_twice_does_nothing() -> None:
    peer, handler = closer()
    handler.close(1000)
    handler.close(1001)
    assert peer.close_frame() == (1000, "")
    peer.feed(close(1000))
    handler.close(1000)
    assert handler.close(1000).called


def test_ws14_nothing_can_be_written_after_a_close() -> None:
    peer, handler = closer()
    connection = handler.get_websocket_protocol()
    assert connection is not None
    handler.close()
    for write in (
        lambda: handler.write_message("x"),
        lambda: handler.ping(),
        lambda: connection.write_frame(b"\x81\x01x"),
    ):
        with pytest.raises(WebSocketClosedError):
            write()
    peer.feed(close())
    for write in (lambda: handler.write_message("x"), lambda: handler.ping()):
        with pytest.raises(WebSocketClosedError):
            write()
    assert peer.messages() == []


def test_the_deferred_of_close_fires_at_the_end() -> None:
    peer, handler = closer()
    fired: list[None] = []
    handler.close().addCallback(fired.append)
    assert not fired
    peer.feed(close())
    assert fired == [None]


@pytest.mark.parametrize(("code", "reason"), [(1005, None), (1006, ""), (1000, "x" * 124)])
def test_a_close_that_cannot_be_sent(code: int, reason: str | None) -> None:
    peer, handler = closer()
    with pytest.raises(ValueError, match="close frame"):
        handler.close(code, reason)
    assert peer.close_frame() is None


def test_ws14_close_in_open() -> None:
    class Shy(Recorder):
        def open(self) -> None:
            self.close(1001, "goodbye")

        def on_message(self, message: str | bytes) -> None:
            self.events.append(message)

    peer = Peer(Shy)
    assert peer.close_frame() == (1001, "goodbye")
    peer.feed(text("x") + close(1001))
    assert Shy.events == [("close", 1001, None)]


def test_closed_at_the_stop_of_the_server_with_1001() -> None:
    peer, _ = closer()
    stopped: list[int] = []
    peer.application.stop().addCallback(stopped.append)
    peer.advance(2)
    assert peer.close_frame() == (1001, "server shutdown")
    assert not stopped
    peer.feed(close(1001))
    assert stopped == [0]


def test_cut_at_the_end_of_the_time_for_stopping() -> None:
    peer, _ = closer(websocket_close_timeout=100)
    stopped: list[int] = []
    peer.application.stop(deadline=5).addCallback(stopped.append)
    peer.advance(6)
    assert peer.transport.aborted
    assert stopped == [1]
