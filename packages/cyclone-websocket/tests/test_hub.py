"""WebSockets in the channels of a hub."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest
from twisted.internet.task import Clock
from ws_support import Peer

from cyclone.web import Application, Hub, HubMixin
from cyclone.websocket import WebSocketHandler


class Member(HubMixin, WebSocketHandler):
    handlers: ClassVar[list[Any]] = []

    def open(self) -> None:
        self.handlers.append(self)
        self.join("room", self.get_query_argument("after", None))

    def get_compression_options(self) -> dict[str, Any] | None:
        return {}


class Room:
    """A hub, and clients in its channel."""

    def __init__(self, count: int = 2, **options: Any) -> None:
        Member.handlers.clear()
        self.clock = Clock()
        self.hub = Hub(reactor=self.clock, **options)
        self.application = Application(
            [("/ws", Member)],
            hub=self.hub,
            reactor=self.clock,
            monotonic=self.clock.seconds,
            websocket_ping_interval=0,
        )
        self.peers = [self.enter() for _ in range(count)]

    def enter(self, headers: dict[str, str] | None = None, path: str = "/ws") -> Peer:
        return Peer(self.application, headers, clock=self.clock, path=path)


def test_what_is_published_arrives() -> None:
    room = Room()
    packed = room.enter({"Sec-WebSocket-Extensions": "permessage-deflate"})
    room.hub.publish("room", {"a": 1})
    room.hub.publish("room", "grüße")
    assert [peer.messages() for peer in room.peers] == [['{"a": 1}', "grüße"]] * 2
    assert [first for first, _ in packed.frames()] == [0xC1, 0xC1]


def test_a_frame_is_made_once_for_all() -> None:
    room = Room(3)
    sent: list[bytes] = []
    for peer in room.peers:
        peer.transport.write = sent.append
    room.hub.publish("room", "x" * 1000)
    assert sent[0] is sent[1] is sent[2]


def test_what_was_missed_comes_first() -> None:
    room = Room(0)
    for number in range(3):
        room.hub.publish("room", number)
    assert room.enter(path="/ws?after=0").messages() == ["0", "1", "2"]
    assert room.enter(path=f"/ws?after={room.hub.last_id - 1}").messages() == ["2"]
    assert room.enter().messages() == []


@pytest.mark.parametrize("how", ["lost", "closed"])
def test_who_leaves_is_not_in_the_channel(how: str) -> None:
    room = Room()
    assert room.hub.count("room") == 2
    if how == "lost":
        room.peers[0].lose()
        assert room.hub.count("room") == 1
        Member.handlers[0].join("room")
        assert room.hub.count("room") == 1
    else:
        Member.handlers[0].close()
    room.hub.publish("room", "x")
    assert room.peers[1].messages() == ["x"]
    assert [first for first, _ in room.peers[0].frames()] in ([], [0x88])


def test_ws_17_a_stalled_client_misses_messages_and_delays_nobody() -> None:
    room = Room(max_queue=5, history=0)
    stalled, other = room.peers
    producer: Any = stalled.transport.producer
    producer.pauseProducing()
    for number in range(100):
        room.hub.publish("room", f"{number} " + "x" * 10_000)
    assert len(other.messages()) == 100
    connection = Member.handlers[0].ws_connection
    assert connection._outlet.size < 100_000
    producer.resumeProducing()
    got = [int(str(message).split()[0]) for message in stalled.messages()]
    assert got[-5:] == [95, 96, 97, 98, 99]
    assert len(got) < 20


def test_ws_17_or_is_disconnected() -> None:
    room = Room(max_queue=5, history=0, slow="disconnect")
    stalled, other = room.peers
    producer: Any = stalled.transport.producer
    producer.pauseProducing()
    for number in range(100):
        room.hub.publish("room", f"{number} " + "x" * 10_000)
    assert len(other.messages()) == 100
    assert room.hub.count("room") == 1
    for _ in range(70):
        stalled.advance(1)
    assert stalled.lost
