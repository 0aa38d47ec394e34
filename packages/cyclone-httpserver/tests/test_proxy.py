"""Whose word is believed about who asked."""

from __future__ import annotations

from typing import Any

import pytest
from http_support import Client
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress

from cyclone.httpserver import ServerOptions
from cyclone.httpserver._proxy import ProxyRules, TrustedPeers, plain_address

PROXY = IPv4Address("TCP", "10.0.0.1", 1)


def ask(peer: Any, *lines: str, **options: Any) -> tuple[str, str, str]:
    client = Client(peer=peer, **options)
    head = "".join(f"{line}\r\n" for line in ("Host: x", *lines))
    client.send(f"GET / HTTP/1.1\r\n{head}\r\n".encode("latin-1"))
    request = client.requests[0]
    return request.remote_ip, request.protocol, request.host


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        (IPv4Address("TCP", "192.0.2.1", 1), "192.0.2.1"),
        (IPv6Address("TCP", "2001:db8::1", 1), "2001:db8::1"),
        (IPv6Address("TCP", "::ffff:192.0.2.1", 1), "192.0.2.1"),
        (UNIXAddress("/run/x"), "unix:/run/x"),
    ],
    ids=["IPv4", "IPv6", "F-47", "unix"],
)
def test_peer(peer: Any, expected: str) -> None:
    assert ask(peer, "X-Real-Ip: 9.9.9.9")[0] == expected


def test_unix_peer_without_a_name() -> None:
    from cyclone.httpserver._proxy import peer_address

    class Transport:
        def getPeer(self) -> UNIXAddress:
            return UNIXAddress(None)

        def getHost(self) -> UNIXAddress:
            return UNIXAddress(b"/run/server.sock")

    assert peer_address(Transport()) == "unix:/run/server.sock"


TRUSTED = {"xheaders": True, "trusted_downstream": ["10.0.0.0/8", "2001:db8::/32"]}


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["X-Real-Ip: 4.4.4.4"], "4.4.4.4", id="real"),
        pytest.param(["X-Forwarded-For: 4.4.4.4"], "4.4.4.4", id="one"),
        pytest.param(["X-Forwarded-For: 6.6.6.6, 4.4.4.4"], "4.4.4.4", id="last"),
        pytest.param(["X-Forwarded-For: 6.6.6.6, 4.4.4.4, 10.1.1.1"], "4.4.4.4", id="past ours"),
        pytest.param(["X-Forwarded-For: 10.2.2.2, 10.1.1.1"], "10.2.2.2", id="only ours"),
        pytest.param(["X-Forwarded-For: 4.4.4.4, unknown"], "10.0.0.1", id="unknown"),
        pytest.param(["X-Forwarded-For: 4.4.4.4, unknown, 10.1.1.1"], "10.1.1.1", id="gap"),
        pytest.param(["X-Forwarded-For: 4.4.4.4:80"], "4.4.4.4", id="port"),
        pytest.param(["X-Forwarded-For: [::1]:80"], "::1", id="IPv6 port"),
        pytest.param(["X-Forwarded-For: ::ffff:4.4.4.4"], "4.4.4.4", id="mapped"),
        pytest.param(["X-Forwarded-For: <script>"], "10.0.0.1", id="garbage"),
        pytest.param(["X-Forwarded-For: " + "1.1.1.1, " * 1000 + "4.4.4.4"], "4.4.4.4", id="many"),
        pytest.param(
            ["X-Forwarded-For: 6.6.6.6", "X-Forwarded-For: 4.4.4.4"], "4.4.4.4", id="two headers"
        ),
        pytest.param(["X-Real-Ip: 4.4.4.4", "X-Forwarded-For: 6.6.6.6"], "4.4.4.4", id="order"),
        pytest.param(["X-Real-Ip: no", "X-Forwarded-For: 4.4.4.4"], "4.4.4.4", id="bad real"),
        pytest.param(
            ['Forwarded: for=6.6.6.6, for="4.4.4.4:1";proto=https'], "4.4.4.4", id="Forwarded"
        ),
        pytest.param(["Forwarded: for=_hidden"], "10.0.0.1", id="obfuscated"),
        pytest.param([], "10.0.0.1", id="nothing"),
    ],
)
def test_remote_ip_LG05(lines: list[str], expected: str) -> None:
    assert ask(PROXY, *lines, **TRUSTED)[0] == expected
    # From anybody else, and without the setting, none of it counts
    stranger = IPv4Address("TCP", "192.0.2.1", 1)
    assert ask(stranger, *lines, **TRUSTED)[0] == "192.0.2.1"
    assert ask(PROXY, *lines)[0] == "10.0.0.1"


def test_everybody_is_believed_without_a_list() -> None:
    assert ask(PROXY, "X-Forwarded-For: 6.6.6.6, 4.4.4.4", xheaders=True)[0] == "4.4.4.4"


def test_unix_sockets_can_be_trusted() -> None:
    peer = UNIXAddress("/run/nginx")
    options: dict[str, Any] = {"xheaders": True, "trusted_downstream": ["unix:"]}
    assert ask(peer, "X-Real-Ip: 4.4.4.4", **options)[0] == "4.4.4.4"
    options["trusted_downstream"] = ["10.0.0.1"]
    assert ask(peer, "X-Real-Ip: 4.4.4.4", **options)[0] == "unix:/run/nginx"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["X-Scheme: https"], "https"),
        (["X-Forwarded-Proto: https"], "https"),
        (["X-Forwarded-Proto: http, HTTPS"], "https"),
        (["X-Forwarded-Proto: https, http"], "http"),
        (["X-Scheme: javascript"], "http"),
        (["Forwarded: proto=https"], "https"),
        (["Forwarded: for=1.1.1.1;proto=https, for=2.2.2.2"], "http"),
    ],
)
def test_protocol(lines: list[str], expected: str) -> None:
    assert ask(PROXY, *lines, **TRUSTED)[1] == expected
    assert ask(IPv4Address("TCP", "192.0.2.1", 1), *lines, **TRUSTED)[1] == "http"


def test_protocol_option() -> None:
    assert ask(PROXY, protocol="https")[1] == "https"


def test_absolute_form_says_nothing_about_the_scheme_HV04() -> None:
    client = Client()
    client.send(b"GET https://x/ HTTP/1.1\r\nHost: x\r\n\r\n")
    assert client.requests[0].protocol == "http"
    assert client.requests[0].full_url() == "http://x/"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["X-Forwarded-Host: example.com"], "example.com"),
        (["X-Forwarded-Host: example.com", "X-Forwarded-Port: 8443"], "example.com:8443"),
        (["X-Forwarded-Host: a, example.com"], "example.com"),
        (["X-Forwarded-Host: evil/x"], "x"),
        (["X-Forwarded-Host: example.com", "X-Forwarded-Port: 99999"], "x"),
        (["Forwarded: host=example.com"], "example.com"),
        ([], "x"),
    ],
)
def test_host_when_asked_for(lines: list[str], expected: str) -> None:
    assert ask(PROXY, *lines, xheaders_host=True, **TRUSTED)[2] == expected
    assert ask(PROXY, *lines, **TRUSTED)[2] == "x"


def test_trusted_peers() -> None:
    peers = TrustedPeers(("10.0.0.0/8", "::1"))
    assert "10.9.9.9" in peers
    assert "::1" in peers
    assert "nonsense" not in peers
    with pytest.raises(ValueError, match="does not appear"):
        ProxyRules(ServerOptions(trusted_downstream=("nonsense",)))


def test_plain_address() -> None:
    assert plain_address("fe80::1%eth0") == "fe80::1"
