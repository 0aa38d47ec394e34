"""TLS, with real certificates."""

# mypy: allow-untyped-calls

from __future__ import annotations

import logging
import os
import socket
import ssl
import sys
from typing import Any

import pytest
from http_support import HEADERS, statuses
from server_support import GET, LAST, ServerCase, until
from tls_support import CLIENT, client_context, files
from twisted.internet import reactor as _reactor
from twisted.internet.threads import deferToThread

from cyclone.httpserver import HTTPRequest, HTTPServer
from cyclone.httpserver._tls import context_factory

reactor: Any = _reactor


def talk(address: Any, *segments: bytes, show: bool = False) -> tuple[bytes, str | None]:
    with socket.create_connection(address) as raw:
        raw.settimeout(10)
        with client_context(show).wrap_socket(raw, server_hostname="localhost") as sock:
            for segment in segments:
                sock.sendall(segment)
            received = b""
            while data := sock.recv(65536):
                received += data
            return received, sock.selected_alpn_protocol()


class TLSTests(ServerCase):
    def setUp(self) -> None:
        self.requests: list[HTTPRequest] = []
        self.certificates: list[Any] = []

    def answer(self, request: HTTPRequest) -> None:
        self.requests.append(request)
        self.certificates.append((request.client_cert, request.get_ssl_certificate(True)))
        body = f"{request.protocol} {request.tls} {len(request.body)}".encode()
        request.connection.write_response(request, 200, None, HEADERS, body)

    def tls_address(self, **options: Any) -> tuple[str, int]:
        ssl_options = files() | options.pop("ssl_options", {})
        return self.address(self.server(self.answer, ssl_options=ssl_options, **options))

    async def test_listen(self) -> None:
        answer, protocol = await deferToThread(talk, self.tls_address(), GET, LAST)
        self.assertEqual(statuses(answer), [200, 200])
        self.assertIn(b"https True 0", answer)
        self.assertEqual(protocol, "http/1.1")
        self.assertEqual(self.certificates[0], (None, None))

    async def test_listen_ssl_of_the_reactor(self) -> None:
        server = self.server(self.answer)
        port = reactor.listenSSL(0, server, context_factory(files()), interface="127.0.0.1")
        address = ("127.0.0.1", port.getHost().port)
        answer, protocol = await deferToThread(talk, address, LAST)
        self.assertEqual(statuses(answer), [200])
        self.assertEqual(protocol, "http/1.1")
        self.assertEqual(await server.stop(), 0)

    async def test_tornados_other_options(self) -> None:
        cipher = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256"
        options = {"ssl_version": ssl.PROTOCOL_TLS_SERVER, "ciphers": cipher}
        address = self.tls_address(ssl_options=options)
        context = client_context()
        context.maximum_version = ssl.TLSVersion.TLSv1_2

        def used() -> Any:
            with (
                socket.create_connection(address) as raw,
                context.wrap_socket(raw, server_hostname="localhost") as sock,
            ):
                return sock.cipher()

        self.assertIn((await deferToThread(used))[0], cipher.split(":"))

    async def test_client_certificate(self) -> None:
        address = self.tls_address(ssl_options={"cert_reqs": ssl.CERT_REQUIRED})
        await deferToThread(talk, address, LAST, show=True)
        described, binary = self.certificates[0]
        self.assertEqual(described["subject"][-1], (("commonName", "the client"),))
        self.assertIn(("DNS", "client.example"), described["subjectAltName"])
        self.assertIn(("email", "client@example.com"), described["subjectAltName"])
        self.assertEqual(
            ssl.DER_cert_to_PEM_cert(binary).replace("\n", ""),
            CLIENT.cert_chain_pems[0].bytes().decode().replace("\n", ""),
        )
        self.assertTrue(described["notAfter"].endswith("GMT"))
        ssl.cert_time_to_seconds(described["notAfter"])

    async def test_no_certificate_shown(self) -> None:
        address = self.tls_address(ssl_options={"cert_reqs": ssl.CERT_REQUIRED})
        with self.assertRaises((ssl.SSLError, OSError)):
            await deferToThread(talk, address, LAST)
        self.assertEqual(self.requests, [])

    async def test_large_both_ways_F29(self) -> None:
        body = os.urandom(3_000_000)

        def callback(request: HTTPRequest) -> None:
            request.connection.write_response(request, 200, None, HEADERS, request.body)

        address = self.address(self.server(callback, ssl_options=files()))
        head = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
        answer, _ = await deferToThread(talk, address, head % len(body), body)
        self.assertEqual(answer.partition(b"\r\n\r\n")[2], body)

    async def test_garbage_F28(self) -> None:
        server = self.server(self.answer, ssl_options=files())
        address = self.address(server)
        logger = logging.getLogger("cyclone")
        # No random bytes: some are the beginning of a record, for whose rest TLS waits
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x00\xff" * 50):
            with self.assertNoLogs(logger, logging.WARNING):
                with socket.create_connection(address) as sock:
                    sock.settimeout(10)
                    sock.sendall(garbage)
                    try:
                        while await deferToThread(sock.recv, 1000):
                            pass
                    except ConnectionError:
                        pass
                await until(lambda: not server.connections)
        self.assertEqual(self.requests, [])

    async def test_handshake_deadline_F28(self) -> None:
        server = self.server(self.answer, ssl_options=files(), tls_handshake_timeout=0.5)
        with socket.create_connection(self.address(server)) as sock:
            sock.settimeout(10)
            await until(lambda: server.connections)
            await until(lambda: not server.connections)
            with self.assertRaises(ConnectionError):
                data = await deferToThread(sock.recv, 1000)
                if not data:
                    raise ConnectionError

    async def test_pipelined(self) -> None:
        answer, _ = await deferToThread(talk, self.tls_address(), GET * 100 + LAST)
        self.assertEqual(statuses(answer), [200] * 101)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"keyfile": "x"}, KeyError),
        ({"certfile": "/nowhere.pem"}, FileNotFoundError),
        ({"certfile": "x", "ssl_version": ssl.PROTOCOL_TLS_CLIENT}, ValueError),
        ({"certfile": "x", "nonsense": 1}, ValueError),
        (ssl.create_default_context(), TypeError),
    ],
)
def test_bad_options(options: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        context_factory(options)
    if isinstance(options, dict):
        with pytest.raises(error):
            HTTPServer(lambda request: None, ssl_options=options)


def test_without_pyopenssl(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "OpenSSL", None)
    with pytest.raises(ImportError, match=r"cyclone-httpserver\[ssl\]"):
        context_factory({"certfile": __file__})


def test_a_factory_is_taken_as_it_is() -> None:
    factory = object()
    assert context_factory(factory) is factory
