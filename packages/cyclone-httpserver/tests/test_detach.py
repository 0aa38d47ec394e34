"""Giving the transport away."""

from __future__ import annotations

from typing import Any

import pytest
from http_support import HEADERS, Client, G, H
from twisted.internet.protocol import Protocol

from cyclone.httpserver import HTTPRequest
from cyclone.httputil import HTTPHeaders, ResponseStartLine

UPGRADE = G + H + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Other(Protocol):
    def __init__(self) -> None:
        self.received: list[bytes] = []

    def dataReceived(self, data: bytes) -> None:
        self.received.append(data)


@pytest.mark.parametrize("given", [True, False])
def test_upgrade(given: bool) -> None:
    other = Other()
    transports: list[Any] = []

    def callback(request: HTTPRequest) -> None:
        connection = request.connection
        start = ResponseStartLine("HTTP/1.1", 101, "Switching Protocols")
        connection.write_headers(start, HTTPHeaders({"Upgrade": "websocket"}))
        transports.append(connection.detach(other if given else None))
        if not given:
            transports[0].protocol = other

    client = Client(callback)
    client.send(UPGRADE + b"frames")
    client.clock.advance(0)
    assert transports == [client.wire]
    assert client.statuses == [101]
    assert client.received.endswith(b"Upgrade: websocket\r\n\r\n")
    assert b"Content-Length" not in client.received
    assert b"Connection: close" not in client.received
    assert other.received == [b"frames"]
    assert not client.server.connections
    assert client.connection.closed
    # The server does nothing more with it
    client.advance(200)
    assert not client.wire.closing
    client.hang_up()


def test_later_with_reading_paused() -> None:
    waiting: list[HTTPRequest] = []
    client = Client(waiting.append)
    client.send(UPGRADE, b"x" * 70_000)
    assert client.wire.producerState == "paused"
    other = Other()
    client.connection.detach(other)
    assert b"".join(other.received) == b"x" * 70_000
    assert client.wire.producerState == "producing"


def test_waiting_output_comes_first() -> None:
    def callback(request: HTTPRequest) -> None:
        connection = request.connection
        start = ResponseStartLine("HTTP/1.1", 101, "Switching Protocols")
        connection.write_headers(start, HTTPHeaders())
        connection.write(b"a" * 200_000).addErrback(lambda failure: None)
        transport = connection.detach(Other())
        transport.write(b"b")

    client = Client(callback)
    client.send(UPGRADE)
    assert client.received.endswith(b"aab")


def test_a_detached_request_is_over() -> None:
    ended: list[Any] = []

    def callback(request: HTTPRequest) -> None:
        request.notifyFinish().addCallback(ended.append)
        request.connection.detach(Other())
        with pytest.raises(RuntimeError):
            request.connection.write_response(request, 200, None, HEADERS, b"")

    client = Client(callback)
    client.send(UPGRADE)
    assert ended == [None]
