"""Whether the peer is still there, as Tornado's programs ask."""

from __future__ import annotations

from ws_support import Peer, close

from cyclone.websocket import WebSocketHandler
from cyclone.websocket._connection import WebSocketConnection


def _open() -> tuple[Peer, WebSocketConnection]:
    connections: list[WebSocketConnection] = []

    class Handler(WebSocketHandler):
        def open(self) -> None:
            assert self.ws_connection is not None
            connections.append(self.ws_connection)

    return Peer(Handler), connections[0]


def test_stream_of_an_open_connection() -> None:
    peer, connection = _open()
    vars(peer.transport).update(getHandle=lambda: "the socket")
    stream = connection.stream
    stream.set_nodelay(True)
    assert not stream.closed()
    assert stream.socket == "the socket"
    assert not connection.client_terminated
    assert not connection.server_terminated


def test_stream_when_the_peer_is_gone() -> None:
    peer, connection = _open()
    stream = connection.stream
    peer.lose()
    assert stream.closed()
    assert stream.socket is None
    assert connection.client_terminated
    assert connection.server_terminated


def test_stream_that_is_closed_here() -> None:
    peer, connection = _open()
    connection.stream.close()
    assert peer.lost
    assert connection.close_code == 1006


def test_who_terminated() -> None:
    peer, connection = _open()
    connection.close()
    assert connection.server_terminated
    assert not connection.client_terminated
    peer.feed(close(1000))
    assert connection.client_terminated
