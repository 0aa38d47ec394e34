"""One message to many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.task import Clock
from ws_support import Peer, Recorder

from cyclone.web import Application
from cyclone.websocket import WebSocketHandler, broadcast

members: list[WebSocketHandler] = []


class Member(Recorder):
    def open(self) -> None:
        members.append(self)

    def get_compression_options(self) -> dict[str, Any] | None:
        return {}


@pytest.fixture
def peers() -> list[Peer]:
    members.clear()
    clock = Clock()
    application = Application([("/ws", Member)], reactor=clock, websocket_ping_interval=0)
    plain = [Peer(application, clock=clock) for _ in range(3)]
    packed = Peer(application, {"Sec-WebSocket-Extensions": "permessage-deflate"}, clock=clock)
    return [*plain, packed]


def test_all_get_it(peers: list[Peer]) -> None:
    assert broadcast(members, "hello") == 4
    assert [peer.messages() for peer in peers[:3]] == [["hello"]] * 3
    assert peers[3].frames()[0][0] == 0xC1
    broadcast(members, {"a": 1})
    broadcast(iter(members), b"\x00", binary=True)
    assert peers[0].messages() == ["hello", '{"a": 1}', b"\x00"]


def test_an_encoder_put_in_the_place_of_ours(
    peers: list[Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs for Tornado replace ``escape.json_encode``, to send dates and the like."""
    monkeypatch.setattr("cyclone.escape.json_encode", lambda value: f"mine: {sorted(value)}")
    broadcast(members, {"a": object()})
    members[0].write_message({"b": object()})
    assert peers[0].messages() == ["mine: ['a']", "mine: ['b']"]


def test_the_frame_is_made_once(peers: list[Peer]) -> None:
    sent: list[bytes] = []
    for peer in peers[:3]:
        peer.transport.write = sent.append
    broadcast(members[:3], "x" * 1000)
    assert sent[0] is sent[1] is sent[2]


def test_the_closed_are_passed_over(peers: list[Peer]) -> None:
    peers[0].lose()
    members[1].close()
    assert broadcast(members, "hello") == 2


def test_one_stalled_client_delays_nobody_and_is_cut_off(peers: list[Peer]) -> None:
    producer: Any = peers[0].transport.producer
    producer.pauseProducing()
    for _ in range(200):
        broadcast(members[:3], b"x" * 50_000, binary=True)
    assert peers[0].transport.aborted
    assert len(peers[1].messages()) == 200


def test_members_may_change_while_it_is_sent(peers: list[Peer]) -> None:
    current = set(members)

    def leaving() -> Iterator[WebSocketHandler]:
        for member in list(current):
            current.discard(member)
            yield member

    assert broadcast(leaving(), "x") == 4


@pytest.mark.parametrize(("message", "error"), [(5, TypeError), (b"\xff", ValueError)])
def test_what_cannot_be_sent(peers: list[Peer], message: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        broadcast(members, message)
