"""What Tornado's programs ask a connection about its client."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from http_support import Client, G, H
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.protocol import Protocol

from cyclone.httpserver import HTTPConnection, HTTPRequest

REQUEST = G + H + b"\r\n"


@pytest.mark.parametrize(
    ("peer", "family", "address", "ip"),
    [
        (IPv4Address("TCP", "192.0.2.1", 81), socket.AF_INET, ("192.0.2.1", 81), "192.0.2.1"),
        (IPv6Address("TCP", "::1", 82, 0, 0), socket.AF_INET6, ("::1", 82, 0, 0), "::1"),
        (UNIXAddress(b"/run/x"), socket.AF_UNIX, b"/run/x", "unix:/run/x"),
    ],
    ids=["IPv4", "IPv6", "UNIX"],
)
def test_context(peer: object, family: int, address: object, ip: str) -> None:
    client = Client(peer=peer)
    client.send(REQUEST)
    context = client.connection.context
    assert context.address_family == family
    assert context.address == address
    assert (context.remote_ip, str(context), context.protocol) == (ip, ip, "http")
    assert context.trusted_downstream == ()


def test_context_knows_what_the_proxy_says() -> None:
    seen: list[tuple[str, str, str, str]] = []

    def callback(request: HTTPRequest) -> None:
        context = request.connection.context
        seen.append(
            (context.remote_ip, context.protocol, context._orig_remote_ip, context._orig_protocol)
        )

    peer = IPv4Address("TCP", "192.0.2.1", 81)
    client = Client(callback, peer=peer, xheaders=True, trusted_downstream=["192.0.2.1"])
    client.send(G + H + b"X-Real-Ip: 203.0.113.7\r\nX-Scheme: https\r\n\r\n")
    assert seen == [("203.0.113.7", "https", "192.0.2.1", "http")]


def _hang_up(client: Client) -> None:
    client.hang_up()


def _half_close(client: Client) -> None:
    client.connection.readConnectionLost()


@pytest.mark.parametrize("leave", [_hang_up, _half_close])
def test_stream_tells_that_the_client_is_gone(leave: Callable[[Client], None]) -> None:
    waiting: list[HTTPRequest] = []
    told: list[bool] = []
    client = Client(waiting.append)
    client.send(REQUEST)
    stream = waiting[0].connection.stream
    stream.set_close_callback(lambda: told.append(stream.closed()))
    assert not stream.closed()
    assert not stream.writing()
    leave(client)
    assert stream.closed()
    assert told == [True]


def test_stream_of_a_connection_that_was_answered() -> None:
    client = Client()
    client.send(REQUEST)
    assert not client.connection.stream.closed()
    client.requests[0].connection.stream.close()
    assert client.wire.disconnecting
    assert not client.wire.aborted
    assert client.received.endswith(b"/ 0")
    assert client.connection.stream.closed()


def test_stream_of_a_transport_given_away() -> None:
    waiting: list[HTTPConnection] = []
    client = Client(lambda request: waiting.append(request.connection))
    client.send(REQUEST)
    waiting[0].detach(Protocol())
    stream = waiting[0].stream
    assert not stream.closed()
    stream.close()
    assert client.wire.disconnecting
    client.wire.connected = False
    assert stream.closed()


def test_stream_hands_on_to_the_transport() -> None:
    client = Client()
    stream = client.connection.stream
    stream.set_nodelay(True)  # this transport knows of no such thing
    set_to: list[bool] = []
    vars(client.wire).update(getHandle=lambda: "the socket", setTcpNoDelay=set_to.append)
    stream.set_nodelay(True)
    assert set_to == [True]
    assert stream.socket == "the socket"
    client.hang_up()
    assert stream.socket is None
