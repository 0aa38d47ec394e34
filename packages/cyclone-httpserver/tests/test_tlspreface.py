"""The PROXY protocol before TLS, as HAProxy and load balancers in front of TLS servers send it."""

# mypy: allow-untyped-calls

from __future__ import annotations

import socket
from typing import Any

from http_support import HEADERS
from server_support import LAST, ServerCase
from tls_support import client_context, files
from twisted.internet.threads import deferToThread

from cyclone.httpserver import HTTPRequest


def answer(request: HTTPRequest) -> None:
    request.connection.write_response(request, 200, None, HEADERS, request.remote_ip.encode())


def talk(address: Any, *preface: bytes) -> bytes:
    with socket.create_connection(address) as raw:
        raw.settimeout(10)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in preface:
            raw.sendall(part)
        with client_context().wrap_socket(raw, server_hostname="localhost") as sock:
            sock.sendall(LAST)
            received = b""
            while data := sock.recv(65536):
                received += data
            return received


class PrefacedTLSTests(ServerCase):
    def tls_address(self, **options: Any) -> tuple[str, int]:
        found = self.server(answer, ssl_options=files(), proxy_protocol=True, **options)
        address: tuple[str, int] = self.address(found)
        return address

    async def test_the_header_comes_first(self) -> None:
        address = self.tls_address()
        header = b"PROXY TCP4 192.0.2.1 10.0.0.1 5 443\r\n"
        for parts in ([header], [header[:9], header[9:]]):
            received = await deferToThread(talk, address, *parts)
            self.assertTrue(received.endswith(b"192.0.2.1"), received)

    async def test_without_it(self) -> None:
        try:
            received = await deferToThread(talk, self.tls_address())
        except OSError:
            pass
        else:
            self.fail(received)

    async def test_from_others_than_the_proxy(self) -> None:
        address = self.tls_address(trusted_downstream=["192.0.2.9"])
        received = await deferToThread(talk, address)
        self.assertTrue(received.endswith(b"127.0.0.1"), received)
