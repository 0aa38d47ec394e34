"""Proxies: absolute URLs for http, a tunnel for https, credentials that stay with the proxy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trustme
from httpclient_support import (
    Received,
    Reply,
    failure,
    new_client,
    ok,
    options_of,
    reactor,
    reactor_test,
    serving,
    until,
)
from twisted.internet.defer import CancelledError
from twisted.internet.protocol import Factory, Protocol

from cyclone.httpclient import (
    HTTPConnectError,
    HTTPProxyError,
    HTTPTimeoutError,
    OptionConflictError,
)
from cyclone.httpclient._proxy import MAX_TUNNEL_ANSWER, bypasses, split_proxy
from cyclone.httpclient._url import parse_url


@reactor_test
async def test_http_goes_through_in_absolute_form() -> None:
    async with serving(ok(b"via")) as proxy, new_client() as client:
        options: Any = {"proxy_host": "127.0.0.1", "proxy_port": proxy.port}
        response = await client.fetch("http://origin.example:81/p?q", **options)
        assert response.body == b"via"
        request = proxy.requests[0]
        assert request.target == "http://origin.example:81/p?q"
        assert request.header("Host") == "origin.example:81"
        assert request.header("Proxy-Authorization") is None


@reactor_test
async def test_credentials_for_the_proxy() -> None:
    async with serving(ok()) as proxy, new_client() as client:
        await client.fetch("http://o.example/", proxy=f"http://u:p@127.0.0.1:{proxy.port}")
        assert proxy.requests[0].header("Proxy-Authorization") == "Basic dTpw"
        await client.fetch("http://o.example/", proxy=("127.0.0.1", proxy.port))
        assert proxy.requests[1].header("Proxy-Authorization") is None
        # CL-14: not on the connection of the other credentials
        assert [request.connection for request in proxy.requests] == [1, 2]


@reactor_test
async def test_no_proxy() -> None:
    async with (
        serving(ok(b"proxy")) as proxy,
        serving(ok(b"direct")) as origin,
        new_client(defaults={"proxy": ("127.0.0.1", proxy.port)}) as client,
    ):
        assert (await client.fetch(origin.url)).body == b"proxy"
        response = await client.fetch(origin.url, no_proxy="10.0.0.0/8, 127.0.0.0/8")
        assert response.body == b"direct"


@pytest.mark.parametrize("upper", [False, True], ids=["lower", "UPPER"])
@pytest.mark.parametrize("scheme", ["http", "https"])
@reactor_test
async def test_CL_21_the_environment_names_no_proxy(scheme: str, upper: bool) -> None:
    """``HTTP_PROXY`` may be the ``Proxy`` header of a request to a CGI program (httpoxy)."""
    tls = options_of(trustme.CA().issue_cert("127.0.0.1")) if scheme == "https" else None
    async with serving(ok(b"proxy")) as proxy, serving(ok(b"direct"), tls=tls) as origin:
        names = [f"{kind}_proxy" for kind in ("http", "https", "all", "cgi_http")]
        with pytest.MonkeyPatch.context() as patch:
            for name in names:
                patch.setenv(name.upper() if upper else name, proxy.url)
            patch.setenv("REQUEST_METHOD", "GET")
            async with new_client() as client:
                response = await client.fetch(origin.url, validate_cert=False)
        assert response.body == b"direct"
        assert proxy.accepted == 0


class Tunnel:
    """A CONNECT proxy: after its answer it passes bytes on to a port."""

    def __init__(self, port: int, answer: bytes = b"HTTP/1.1 200 Connected\r\n\r\n") -> None:
        self.port = port
        self.answer = answer
        self.heads: list[bytes] = []


class TunnelEnd(Protocol):
    transport: Any

    def __init__(self, tunnel: Tunnel) -> None:
        self._tunnel = tunnel
        self._buffer = b""
        self._onward: Any = None

    def dataReceived(self, data: bytes) -> None:
        if self._onward is not None:
            self._onward.transport.write(data)
            return
        self._buffer += data
        if b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            self._tunnel.heads.append(head)
            end = self

            class Onward(Protocol):
                transport: Any

                def connectionMade(self) -> None:
                    end._onward = self
                    end.transport.write(end._tunnel.answer)

                def dataReceived(self, data: bytes) -> None:
                    end.transport.write(data)

                def connectionLost(self, reason: Any = None) -> None:
                    end.transport.loseConnection()

            factory = Factory.forProtocol(Onward)
            factory.noisy = False
            from twisted.internet.endpoints import TCP4ClientEndpoint

            TCP4ClientEndpoint(reactor, "127.0.0.1", self._tunnel.port).connect(factory)

    def connectionLost(self, reason: Any = None) -> None:
        if self._onward is not None:
            self._onward.transport.loseConnection()


@reactor_test
async def test_https_goes_through_a_tunnel(tmp_path: Path) -> None:
    ca = trustme.CA()
    ca.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    tls = options_of(ca.issue_cert("o.example"))
    async with serving(ok(b"secret"), tls=tls) as origin, new_client() as client:
        tunnel = Tunnel(origin.port)

        class Ends(Factory):
            noisy = False

            def buildProtocol(self, addr: object) -> TunnelEnd:
                return TunnelEnd(tunnel)

        listening = reactor.listenTCP(0, Ends(), interface="127.0.0.1")
        options: Any = {
            "proxy": f"u:p@127.0.0.1:{listening.getHost().port}",
            "ca_certs": tmp_path / "ca.pem",
        }
        for _ in range(2):
            response = await client.fetch(
                "https://o.example/x", headers={"Proxy-Authorization": "mine"}, **options
            )
            assert response.body == b"secret"
        assert tunnel.heads == [
            b"CONNECT o.example:443 HTTP/1.1\r\nHost: o.example:443\r\n"
            b"Proxy-Authorization: Basic dTpw"
        ]
        assert origin.requests[0].target == "/x"
        assert origin.requests[0].header("Proxy-Authorization") is None
        client.close()
        await until(lambda: not origin.open)
        await listening.stopListening()


REFUSALS = {
    "403": (ok(b"no", status="403 Forbidden"), 403, "403 Forbidden"),
    "407": (ok(b"no", status="407 Auth"), 407, "credentials"),
    "302": (ok(b"", "Location: http://evil/", status="302 Found"), 302, "302"),
    "escape": (ok(b"", status="500 \xff\xff"), 500, "500"),
    "noise": (b"nonsense", None, "HTTP"),
    "closed": (Reply(b"", "close"), None, "closed"),
    "early": (b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 200 OK", None, "before"),
    "endless": (b"HTTP/1.1 200 " + b"x" * MAX_TUNNEL_ANSWER * 2, None, "too large"),
    "1xx": (b"HTTP/1.1 100 Go\r\n\r\n" * 11, None, "interim"),
}


@pytest.mark.parametrize("case", REFUSALS.values(), ids=REFUSALS)
@reactor_test
async def test_a_tunnel_that_is_refused(case: tuple[Any, int | None, str]) -> None:
    reply, code, words = case
    async with serving(reply) as proxy, new_client(max_clients=1) as client:
        error = await failure(
            client.fetch("https://o.example/", proxy=("127.0.0.1", proxy.port)), HTTPProxyError
        )
        assert error.proxy_code == code
        assert words in str(error)
        await until(lambda: not proxy.open)
        assert client._pool is not None
        assert client._pool.busy == 0


@reactor_test
async def test_F_36_a_silent_proxy() -> None:
    async with serving(None) as proxy, new_client(max_clients=1) as client:
        fetching = client.fetch(
            "https://o.example/", proxy=("127.0.0.1", proxy.port), connect_timeout=0.05
        )
        error = await failure(fetching, HTTPTimeoutError)
        assert error.phase == "connect"
        await until(lambda: not proxy.open)
        fetching = client.fetch("https://o.example/", proxy=("127.0.0.1", proxy.port))
        await until(lambda: len(proxy.requests) == 2)
        fetching.cancel()
        await failure(fetching, CancelledError)
        await until(lambda: not proxy.open)


@reactor_test
async def test_a_proxy_that_is_not_there() -> None:
    async with new_client() as client:
        for url in ("http://o.example/", "https://o.example/"):
            error = await failure(client.fetch(url, proxy=("127.0.0.1", 1)), HTTPConnectError)
            assert str(error) == "Connection refused: 127.0.0.1:1"


@pytest.mark.parametrize(
    "options",
    [
        {"proxy_host": "h"},
        {"proxy_port": 80},
        {"proxy": "https://h:1"},
        {"proxy": "socks5://h:1"},
        {"proxy": 42},
        {"proxy": ("h", 0)},
        {"proxy": ("h\r\nx", 80)},
        {"proxy": ("h", 1), "proxy_auth_mode": "digest"},
        {"proxy": ("h", 1), "proxy_username": "a:b"},
        {"proxy": ("h", 1), "unix_socket": "/s"},
    ],
)
@reactor_test
async def test_options_that_make_no_sense(options: Any) -> None:
    async with new_client() as client:
        await failure(client.fetch("http://h/", **options), ValueError)


@reactor_test
async def test_two_spellings_of_the_proxy() -> None:
    async with new_client() as client:
        error = await failure(
            client.fetch("http://h/", proxy=("a", 1), proxy_host="b"), OptionConflictError
        )
        assert "'proxy'" in str(error)
        assert "'proxy_host'" in str(error)


RULES = [
    ("*", "http://h/", True),
    ("", "http://h/", False),
    ("example.com", "http://example.com/", True),
    ("example.com", "http://a.example.com/", True),
    (".example.com", "http://a.example.com/", True),
    ("*.example.com", "http://a.example.com/", True),
    ("EXAMPLE.com", "http://a.Example.COM./", True),
    ("example.com", "http://badexample.com/", False),
    ("example.com:81", "http://example.com/", False),
    ("example.com:81", "http://example.com:81/", True),
    ("127.0.0.1", "http://127.0.0.1/", True),
    ("0.0.1", "http://127.0.0.1/", False),
    ("127.0.0.0/8", "http://127.9.9.9/", True),
    ("127.0.0.0/8", "http://h/", False),
    ("10.0.0.0/8", "http://127.0.0.1/", False),
    ("::1", "http://[::1]/", True),
    ("[::1]:80", "http://[::1]/", True),
    ("fe80::/10", "http://[fe80::1]/", True),
    ("nonsense/8", "http://127.0.0.1/", False),
    ("a, b ,c", "http://b/", True),
]


@pytest.mark.parametrize(("rule", "url", "expected"), RULES)
def test_no_proxy_rules(rule: str, url: str, expected: bool) -> None:
    assert bypasses(parse_url(url), rule) is expected
    assert bypasses(parse_url(url), rule.split(",")) is expected


def test_the_forms_of_proxy() -> None:
    assert split_proxy(("h", 1)) == [("proxy_host", "h"), ("proxy_port", 1)]
    assert dict(split_proxy("http://u@h:3128")) == {
        "proxy_host": "h",
        "proxy_port": 3128,
        "proxy_username": "u",
        "proxy_password": "",
    }


def test_received_is_what_the_server_saw() -> None:
    assert Received("GET", "/", [("A", "b"), ("a", "c")], b"", 1, b"").header("A") == "b, c"
