"""TLS: verified by default, with real certificates (CL-13), and every option."""

from __future__ import annotations

import datetime
import ssl
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme
from httpclient_support import (
    Reply,
    failure,
    new_client,
    ok,
    options_of,
    reactor_test,
    serving,
)
from OpenSSL.SSL import TLS_CLIENT_METHOD, VERIFY_NONE, VERIFY_PEER, Context
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    optionsForClientTLS,
    trustRootFromCertificates,
)
from twisted.web.client import BrowserLikePolicyForHTTPS

from cyclone.httpclient import HTTPStreamClosedError, HTTPTLSError


class World:
    """An authority, certificates good and bad, and their files."""

    def __init__(self, folder: Path) -> None:
        self.ca = trustme.CA()
        self.other_ca = trustme.CA()
        self.ca_file = folder / "ca.pem"
        self.ca_file.write_bytes(b"a comment\n" + self.ca.cert_pem.bytes())
        past = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
        issue = self.ca.issue_cert
        self.good = options_of(issue("localhost", "127.0.0.1", "h.example"))
        self.bad = {
            "self-signed": options_of(self.other_ca.issue_cert("127.0.0.1")),
            "wrong-host": options_of(issue("other.example")),
            "expired": options_of(issue("127.0.0.1", not_after=past)),
            "wrong-ip-san": options_of(issue("127.0.0.2")),
            "no-ip-san": options_of(issue("localhost", common_name="127.0.0.1")),
        }
        self.client = issue("client@example.org")
        self.client_file = folder / "client.pem"
        chain = b"".join(pem.bytes() for pem in self.client.cert_chain_pems)
        self.client_file.write_bytes(chain)
        self.key_file = folder / "client.key"
        self.key_file.write_bytes(self.client.private_key_pem.bytes())
        self.both_file = folder / "both.pem"
        self.both_file.write_bytes(chain + self.client.private_key_pem.bytes())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("tls"))


@reactor_test
async def test_a_trusted_server(world: World) -> None:
    async with serving(ok(b"safe"), tls=world.good) as server, new_client() as client:
        for _ in range(2):
            response = await client.fetch(server.url, ca_certs=str(world.ca_file))
            assert response.body == b"safe"
        assert server.accepted == 1


@reactor_test
async def test_CL_13_not_trusted_by_default(world: World) -> None:
    async with serving(ok(), tls=world.good) as server, new_client(max_clients=1) as client:
        error = await failure(client.fetch(server.url), HTTPTLSError)
        assert "certificate verify failed" in str(error)
        assert isinstance(error, OSError)
        assert server.requests == []


@pytest.mark.parametrize(
    "name", ["self-signed", "wrong-host", "expired", "wrong-ip-san", "no-ip-san"]
)
@reactor_test
async def test_CL_13_bad_certificates(world: World, name: str) -> None:
    async with serving(ok(), tls=world.bad[name]) as server, new_client(max_clients=1) as client:
        await failure(client.fetch(server.url, ca_certs=world.ca_file), HTTPTLSError)
        assert server.requests == []
        # and each is let through when the caller says so
        assert (await client.fetch(server.url, validate_cert=False)).body == b"ok"


@reactor_test
async def test_server_hostname_is_what_is_checked(world: World) -> None:
    async with serving(ok(), tls=world.good) as server, new_client() as client:
        options: Any = {"ca_certs": world.ca_file}
        await client.fetch(server.url, server_hostname="h.example", **options)
        await failure(
            client.fetch(server.url, server_hostname="g.example", **options), HTTPTLSError
        )
        assert server.accepted == 2


@reactor_test
async def test_client_certificates(world: World) -> None:
    tls = options_of(world.ca.issue_cert("127.0.0.1"), world.ca)
    async with serving(ok(), tls=tls) as server, new_client(max_clients=1) as client:
        ca = world.ca_file
        await client.fetch(
            server.url, ca_certs=ca, client_cert=world.client_file, client_key=world.key_file
        )
        await client.fetch(server.url, ca_certs=ca, client_cert=world.both_file)
        assert server.accepted == 2
        # TLS 1.3: the refusal comes after the client's part of the handshake
        await failure(client.fetch(server.url, ca_certs=ca), HTTPTLSError)


def stdlib(world: World, *, verify: bool = True, names: bool = True, trust: bool = True) -> Any:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = names and verify
    context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if trust:
        context.load_verify_locations(world.ca_file)
    return context


def pyopenssl(world: World, *, verify: bool = True, trust: bool = True) -> Any:
    context = Context(TLS_CLIENT_METHOD)
    context.set_verify(VERIFY_PEER if verify else VERIFY_NONE, lambda *args: bool(args[-1]))
    if trust:
        context.load_verify_locations(str(world.ca_file))
    return context


def creator(world: World) -> Any:
    root = Certificate.loadPEM(world.ca.cert_pem.bytes())
    trust = trustRootFromCertificates([root])  # type: ignore[no-untyped-call]
    return optionsForClientTLS("127.0.0.1", trustRoot=trust)


def policy(world: World) -> Any:
    root = Certificate.loadPEM(world.ca.cert_pem.bytes())
    trust = trustRootFromCertificates([root])  # type: ignore[no-untyped-call]
    return BrowserLikePolicyForHTTPS(trust)  # type: ignore[no-untyped-call]


OPTIONS: dict[str, tuple[Any, str, bool]] = {
    # name: how to make it, the server's certificate, whether it works
    "dict": (lambda w: {"ca_certs": str(w.ca_file)}, "good", True),
    "dict-wrong-host": (lambda w: {"ca_certs": str(w.ca_file)}, "wrong-host", False),
    "dict-no-names": (
        lambda w: {"ca_certs": str(w.ca_file), "check_hostname": False},
        "wrong-host",
        True,
    ),
    "dict-none": (lambda w: {"cert_reqs": ssl.CERT_NONE}, "self-signed", True),
    "dict-untrusted": (lambda w: {}, "good", False),
    "context": (stdlib, "good", True),
    "context-wrong-host": (stdlib, "wrong-host", False),
    "context-no-names": (lambda w: stdlib(w, names=False), "wrong-host", True),
    "context-untrusted": (stdlib, "self-signed", False),
    "context-none": (lambda w: stdlib(w, verify=False, trust=False), "self-signed", True),
    "pyopenssl": (pyopenssl, "good", True),
    "pyopenssl-wrong-host": (pyopenssl, "wrong-host", False),
    "pyopenssl-untrusted": (lambda w: pyopenssl(w, trust=False), "good", False),
    "pyopenssl-none": (lambda w: pyopenssl(w, verify=False), "self-signed", True),
    "creator": (creator, "good", True),
    "creator-wrong-host": (creator, "wrong-host", False),
    "policy": (policy, "good", True),
    "policy-wrong-host": (policy, "wrong-host", False),
}


@pytest.mark.parametrize("case", OPTIONS.values(), ids=OPTIONS)
@reactor_test
async def test_ssl_options(world: World, case: tuple[Any, str, bool]) -> None:
    make, name, works = case
    tls = world.good if name == "good" else world.bad[name]
    async with serving(ok(), tls=tls) as server, new_client(max_clients=1) as client:
        fetching = client.fetch(server.url, ssl_options=make(world))
        if works:
            assert (await fetching).body == b"ok"
        else:
            await failure(fetching, HTTPTLSError)
            assert server.requests == []


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"ca_certs": "/nonexistent/ca.pem"}, OSError),
        ({"ca_certs": __file__}, ValueError),
        ({"client_key": __file__}, ValueError),
        ({"client_cert": __file__}, ValueError),
        ({"ssl_options": {"ciphers": "ALL"}}, ValueError),
        ({"ssl_options": 42}, ValueError),
    ],
)
@reactor_test
async def test_CL_20_options_that_cannot_be_used(options: Any, kind: type[Exception]) -> None:
    async with new_client(max_clients=1) as client:
        for _ in range(3):
            await failure(client.fetch("https://127.0.0.1:1/", **options), kind)
        assert client._pool is not None
        assert client._pool.busy == 0


@reactor_test
async def test_http_on_a_tls_port_and_the_other_way_round(world: World) -> None:
    async with serving(ok()) as plain, new_client(max_clients=1) as client:
        plain.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
        url = plain.url.replace("http:", "https:")
        await failure(client.fetch(url), HTTPTLSError)
    async with serving(ok(), tls=world.good) as secure, new_client() as client:
        await failure(client.fetch(secure.url.replace("https:", "http:")), HTTPStreamClosedError)


@reactor_test
async def test_F_36_a_handshake_that_never_ends() -> None:
    from cyclone.httpclient import HTTPTimeoutError

    async with serving(None) as server, new_client() as client:
        url = server.url.replace("http:", "https:")
        error = await failure(client.fetch(url, connect_timeout=0.05), HTTPTimeoutError)
        assert (error.phase, error.option) == ("connect", "connect_timeout")


@reactor_test
async def test_CL_11_a_tls_stream_cut_without_close_notify(world: World) -> None:
    """The end of TCP below TLS may be an attacker's: it does not end a body."""
    reply = Reply(b"HTTP/1.0 200 OK\r\n\r\npart", "abort")
    async with serving(reply, tls=world.good) as server, new_client() as client:
        await failure(client.fetch(server.url, ca_certs=world.ca_file), HTTPStreamClosedError)
        server.answer = lambda _: Reply(b"HTTP/1.0 200 OK\r\n\r\nwhole", "close")
        response = await client.fetch(server.url, ca_certs=world.ca_file)
        assert response.body == b"whole"


def test_https_without_the_extra_says_what_to_install() -> None:
    code = """
import sys
sys.modules["OpenSSL"] = None
sys.modules["service_identity"] = None
from cyclone.httpclient._route import TLSSpec
from cyclone.httpclient._tls import connection_creator
try:
    connection_creator(TLSSpec("h", True, None, None, None, None), 443)
except RuntimeError as error:
    assert "cyclone-httpclient[ssl]" in str(error), error
else:
    raise AssertionError("no error")
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_creators_are_cached_within_a_bound(world: World) -> None:
    from cyclone.httpclient._route import TLSSpec
    from cyclone.httpclient._tls import connection_creator

    spec = TLSSpec("h", True, str(world.ca_file), None, None, None)
    first = connection_creator(spec, 443)
    assert IOpenSSLClientConnectionCreator.providedBy(first)
    assert connection_creator(spec, 443) is first
    assert connection_creator.cache_info().maxsize == 128
