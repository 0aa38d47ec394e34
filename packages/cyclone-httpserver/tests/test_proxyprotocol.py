"""The PROXY protocol, versions 1 and 2."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import Any

import pytest
from http_support import SPLITS, Client, G, H
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address

from cyclone.httpserver import RequestError
from cyclone.httpserver._proxyprotocol import ProxyHeader

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
GET = G + H + b"\r\n"


def v2(command: int, family: int, payload: bytes) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, family, len(payload)) + payload


FOUR = socket.inet_aton("192.0.2.1") + socket.inet_aton("10.0.0.1") + b"\x00\x01\x00\x02"
SIX = socket.inet_pton(socket.AF_INET6, "2001:db8::1") * 2 + b"\x00\x01\x00\x02"


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("header", "source"),
    [
        (b"PROXY TCP4 192.0.2.1 10.0.0.1 5 80\r\n", "192.0.2.1"),
        (b"PROXY TCP6 2001:db8::1 ::1 5 80\r\n", "2001:db8::1"),
        (b"PROXY TCP6 ::ffff:192.0.2.1 ::1 5 80\r\n", "192.0.2.1"),
        (b"PROXY UNKNOWN\r\n", None),
        (b"PROXY UNKNOWN ffff::1 whatever\r\n", None),
        (v2(0x21, 0x11, FOUR), "192.0.2.1"),
        (v2(0x21, 0x11, FOUR + b"\x04\x00\x01x"), "192.0.2.1"),
        (v2(0x21, 0x21, SIX), "2001:db8::1"),
        (v2(0x20, 0x00, b""), None),
        (v2(0x21, 0x31, b"x" * 216), None),
    ],
)
def test_good(header: bytes, source: str | None, split: str) -> None:
    client = Client(proxy_protocol=True)
    client.send(*SPLITS[split](header + GET + GET))
    assert [request.remote_ip for request in client.requests] == [source or "192.168.1.1"] * 2


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    "header",
    [
        GET,
        b"PROXY TCP4 192.0.2.1 10.0.0.1 5 80 9\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.1 5 65536\r\n",
        b"PROXY TCP4 192.0.2.1 10.0.0.1 5 -1\r\n",
        b"PROXY TCP4 2001:db8::1 ::1 5 80\r\n",
        b"PROXY TCP5 192.0.2.1 10.0.0.1 5 80\r\n",
        b"PROXY \r\n",
        b"PROXY UNKNOWN " + b"x" * 200 + b"\r\n",
        v2(0x31, 0x11, FOUR),
        v2(0x22, 0x11, FOUR),
        v2(0x21, 0x11, FOUR[:5]),
        SIGNATURE + b"\x21\x11\xff\xff",
    ],
)
def test_bad_closes_LG08(header: bytes, split: str) -> None:
    client = Client(proxy_protocol=True)
    client.send(*SPLITS[split](header + GET))
    assert client.requests == []
    assert client.received == b""
    assert client.wire.aborted


def test_only_from_listed_peers_LG08() -> None:
    options: dict[str, Any] = {"proxy_protocol": True, "trusted_downstream": ["10.0.0.1"]}
    header = b"PROXY TCP4 192.0.2.1 10.0.0.1 5 80\r\n"
    proxy = Client(peer=IPv4Address("TCP", "10.0.0.1", 1), **options)
    proxy.send(header + GET)
    assert proxy.requests[0].remote_ip == "192.0.2.1"
    stranger = Client(peer=IPv4Address("TCP", "10.0.0.2", 1), **options)
    stranger.send(header + GET)
    assert stranger.statuses == [400]


def test_silence_is_bounded() -> None:
    client = Client(proxy_protocol=True)
    client.send(b"PROXY ")
    client.advance(17)
    assert client.wire.aborted


@given(st.binary(max_size=40), st.booleans())
@settings(max_examples=200, deadline=None)
def test_anything(noise: bytes, second: bool) -> None:
    start = SIGNATURE if second else b"PROXY "
    header = ProxyHeader()
    data = start + noise
    with contextlib.suppress(RequestError):
        for i in range(len(data)):
            if header.feed(data[i : i + 1]) is not None:
                break
