"""Servers on real sockets, closed at the end of a test."""

# mypy: allow-untyped-calls

from __future__ import annotations

import socket
from typing import Any

from http_support import HEADERS
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import TestCase

from cyclone.httpserver import HTTPRequest, HTTPServer

reactor: Any = _reactor
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
LAST = b"GET /last HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def exchange(address: Any, *segments: bytes, half_close: bool = False) -> bytes:
    """Send, then read to the end (in a thread)."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    if isinstance(address, tuple) and ":" in address[0]:
        family = socket.AF_INET6
    with socket.socket(family) as sock:
        sock.settimeout(10)
        sock.connect(address)
        for segment in segments:
            sock.sendall(segment)
        if half_close:
            sock.shutdown(socket.SHUT_WR)
        received = b""
        while data := sock.recv(65536):
            received += data
        return received


async def until(condition: Any) -> None:
    for _ in range(500):
        if condition():
            return
        await deferLater(reactor, 0.01)
    raise AssertionError("it did not happen")


class ServerCase(TestCase):
    """Helpers; everything is closed at the end."""

    def server(self, callback: Any = None, **options: Any) -> HTTPServer:
        server = HTTPServer(callback or self.echo, **options)

        async def stop() -> None:
            server.stop(deadline=0)
            await server.close_all_connections()

        self.addCleanup(lambda: Deferred.fromCoroutine(stop()))
        return server

    def echo(self, request: HTTPRequest) -> None:
        body = f"{request.remote_ip} {request.path} {len(request.body)}".encode()
        request.connection.write_response(request, 200, None, HEADERS, body)

    def address(self, server: HTTPServer, **options: Any) -> tuple[str, int]:
        port: Any = server.listen(0, "127.0.0.1", **options)
        return "127.0.0.1", port.getHost().port

    async def talk(self, address: Any, *segments: bytes, **options: Any) -> bytes:
        return await deferToThread(exchange, address, *segments, **options)
