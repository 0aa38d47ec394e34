"""Context variables: what one connection sets is seen by all its callbacks, and by no other's."""

from __future__ import annotations

import contextvars
from typing import Any, ClassVar

import pytest
from twisted.internet.defer import Deferred
from ws_support import SPLITS, Log, Peer, Recorder, close, frame, text

from cyclone.httpserver import EventLogger
from cyclone.web import Application
from cyclone.websocket import WebSocketHandler

user: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")
log = EventLogger("cyclone.application")


class Seen(Recorder):
    """Notes who the user is wherever it is called."""

    async_prepare: ClassVar[Deferred[None] | None] = None

    async def prepare(self) -> None:
        user.set(self.get_argument("user"))
        if self.async_prepare is not None:
            await self.async_prepare

    def see(self, what: str) -> None:
        self.events.append((what, user.get()))

    def open(self) -> Any:
        self.see("open")

    def on_message(self, message: str | bytes) -> Any:
        self.see("on_message")

    def on_ping(self, data: bytes) -> None:
        self.see("on_ping")

    def on_close(self) -> None:
        self.see("on_close")


@pytest.mark.parametrize("later", [False, True], ids=["at once", "after an await"])
@pytest.mark.parametrize("split", SPLITS)
def test_what_prepare_sets_is_seen_by_all_callbacks(split: str, later: bool) -> None:
    class Handler(Seen):
        async_prepare = Deferred() if later else None

    peer = Peer(Handler, path="/ws?user=ann")
    if Handler.async_prepare is not None:
        Handler.async_prepare.callback(None)
    for piece in SPLITS[split](text("a") + text("b") + frame(0x89) + close(1000)):
        peer.feed(piece)
    peer.lose()
    called = ["open", "on_message", "on_message", "on_ping", "on_close"]
    assert [name for name, _ in Handler.events] == called
    assert {who for _, who in Handler.events} == {"ann"}
    assert user.get() == "nobody"


def test_connections_do_not_see_each_others() -> None:
    class Handler(Seen):
        def on_message(self, message: str | bytes) -> None:
            self.see("before")
            user.set(str(message))

    ann, bob = (Peer(Handler, path=f"/ws?user={name}") for name in ("ann", "bob"))
    Handler.events.clear()
    for peer, name in ((ann, "Ann"), (bob, "Bob"), (ann, ""), (bob, "")):
        peer.feed(text(name))
    assert [who for _, who in Handler.events] == ["ann", "bob", "Ann", "Bob"]
    assert user.get() == "nobody"


def test_what_open_sets_stays() -> None:
    class Handler(Seen):
        def open(self) -> None:
            user.set("opened")

    peer = Peer(Handler, path="/ws?user=ann")
    peer.feed(text("a"))
    assert Handler.events == [("on_message", "opened")]


def test_messages_that_waited_and_what_comes_after_an_await() -> None:
    class Handler(Seen):
        gates: ClassVar[list[Deferred[None]]] = []

        async def on_message(self, message: str | bytes) -> None:
            self.see(f"{message!r} began")
            gate: Deferred[None] = Deferred()
            self.gates.append(gate)
            await gate
            self.see(f"{message!r} ended")

    peer = Peer(Handler, path="/ws?user=ann")
    peer.feed(text("a") + text("b") + text("c"))
    while Handler.gates:
        Handler.gates.pop().callback(None)
    assert len(Handler.events) == 7
    assert {who for _, who in Handler.events} == {"ann"}


def test_a_callback_that_lets_another_one_go_on() -> None:
    """The queue is worked off inside a callback: the context is in use already."""

    class Handler(Seen):
        gates: ClassVar[list[Deferred[None]]] = []

        async def on_message(self, message: str | bytes) -> None:
            self.see(str(message))
            gate: Deferred[None] = Deferred()
            self.gates.append(gate)
            await gate
            self.write_message(message)

        def on_ping(self, data: bytes) -> None:
            while self.gates:
                self.gates.pop(0).callback(None)
            self.write_message("pinged")

    peer = Peer(Handler, path="/ws?user=ann")
    Handler.events.clear()
    peer.feed(text("a") + text("b"))
    peer.feed(frame(0x89) + text("c"))
    assert Handler.events == [("a", "ann"), ("b", "ann"), ("c", "ann")]
    assert peer.messages() == ["a", "b", "pinged"]
    peer.feed(frame(0x89))
    assert peer.messages() == ["a", "b", "pinged", "c", "pinged"]


def test_a_transport_that_delivers_inside_a_callback() -> None:
    class Handler(Seen):
        def on_message(self, message: str | bytes) -> None:
            super().on_message(message)
            if message == "a":
                peer.transport.protocol.dataReceived(text("b"))
            self.write_message(message)

    peer = Peer(Handler, path="/ws?user=ann")
    peer.feed(text("a"))
    assert peer.messages() == ["b", "a"]
    assert {who for _, who in Handler.events} == {"ann"}


def test_on_close_inside_a_callback() -> None:
    class Handler(Seen):
        def on_message(self, message: str | bytes) -> None:
            peer.lose()

    peer = Peer(Handler, path="/ws?user=ann")
    peer.feed(text("a"))
    assert Handler.events == [("open", "ann"), ("on_close", "ann")]


class Logging(WebSocketHandler):
    gates: ClassVar[list[Deferred[None]]] = []

    def open(self) -> None:
        log.warning("open")

    async def on_message(self, message: str | bytes) -> None:
        log.warning("message")
        gate: Deferred[None] = Deferred()
        self.gates.append(gate)
        await gate
        if message == "fail":
            raise ValueError("as you wish")
        log.warning("after an await")

    def on_close(self) -> None:
        log.warning("close")


def test_what_is_logged_after_the_upgrade_has_the_request_id() -> None:
    application = Application(
        [("/ws", Logging)], request_id_header="X-Request-ID", websocket_ping_interval=0
    )
    peers = [Peer(application, {"X-Request-ID": name}) for name in ("first", "second")]
    with Log() as logged:
        for peer in peers:
            peer.feed(text("a") + text("fail"))
        for _ in range(2):
            gates, Logging.gates = Logging.gates, []
            for gate in gates:
                gate.callback(None)
        for peer in peers:
            peer.feed(close(1000))
    found: dict[str, list[str]] = {}
    for record in logged.records:
        event: Any = record.__dict__["event"]
        found.setdefault(event["request_id"], []).append(record.getMessage().split()[0])
    assert found == {
        name: ["message", "after", "message", "Uncaught", "close"] for name in ("first", "second")
    }
