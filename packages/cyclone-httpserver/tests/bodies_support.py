"""Requests with bodies, and a callback that says who receives them."""

from __future__ import annotations

from typing import Any

from http_support import HEADERS, H, P
from twisted.internet.defer import Deferred

from cyclone.httpserver import BodyReceiver, HTTPRequest


def post(body: bytes, *lines: bytes) -> bytes:
    extra = b"".join(line + b"\r\n" for line in lines)
    return P + H + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


def chunked(*chunks: bytes, lines: bytes = b"") -> bytes:
    body = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return P + H + lines + b"Transfer-Encoding: chunked\r\n\r\n" + body + b"0\r\n\r\n"


class Receiver:
    """Keeps what it gets; returns what ``answers`` holds."""

    def __init__(self, request: HTTPRequest) -> None:
        self.request = request
        self.chunks: list[bytes] = []
        self.answers: list[Deferred[None]] = []
        self.blocking = False
        self.events: list[str] = []

    def data_received(self, chunk: bytes) -> Deferred[None] | None:
        self.chunks.append(chunk)
        if not self.blocking:
            return None
        self.answers.append(Deferred())
        return self.answers[-1]

    def finish(self) -> None:
        self.events.append("finish")
        body = str(len(b"".join(self.chunks))).encode()
        self.request.connection.write_response(self.request, 200, None, HEADERS, body)

    def on_connection_close(self) -> None:
        self.events.append("close")


class Application:
    """A callback with ``headers_received``."""

    def __init__(self, choose: Any) -> None:
        self.choose = choose
        self.called: list[HTTPRequest] = []
        self.receivers: list[Receiver] = []

    def __call__(self, request: HTTPRequest) -> None:
        self.called.append(request)
        body = b"buffered %d" % len(request.body)
        request.connection.write_response(request, 200, None, HEADERS, body)

    def headers_received(self, request: HTTPRequest) -> Any:
        return self.choose(self, request)


def streaming(application: Application, request: HTTPRequest) -> BodyReceiver:
    receiver = Receiver(request)
    application.receivers.append(receiver)
    return receiver
