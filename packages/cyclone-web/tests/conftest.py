"""A client of an application in memory: bytes in, bytes out, a clock that stands still."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from cyclone.httpserver import HTTPConnection
from cyclone.httputil import HTTPHeaders
from cyclone.web import Application


@dataclasses.dataclass
class Response:
    """One parsed answer."""

    version: str
    status: int
    reason: str
    headers: HTTPHeaders
    body: bytes
    complete: bool
    raw: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Transport(StringTransport):
    """A transport that knows whether it was closed, and how."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()  # type: ignore[no-untyped-call]


class Connection:
    """One connection to the application."""

    def __init__(self, client: Client, peer: str) -> None:
        self.client = client
        self.transport = Transport(  # type: ignore[no-untyped-call]
            hostAddress=IPv4Address("TCP", "127.0.0.1", 8888),
            peerAddress=IPv4Address("TCP", peer, 40000),
        )
        protocol = client.application.buildProtocol(IPv4Address("TCP", peer, 40000))
        assert protocol is not None
        self.protocol: HTTPConnection = protocol
        self.protocol.makeConnection(self.transport)
        self._lost = False
        self._methods: list[str] = []

    def send(
        self,
        method: str = "GET",
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        version: str = "1.1",
    ) -> None:
        """Send one request; Host and Content-Length are added."""
        fields = HTTPHeaders(headers or {})
        data = body.encode() if isinstance(body, str) else body
        if "Host" not in fields:
            fields["Host"] = "example.com"
        if data is not None and "Transfer-Encoding" not in fields:
            fields.setdefault("Content-Length", str(len(data)))
        head = f"{method} {path} HTTP/{version}\r\n".encode("latin-1")
        self._methods.append(method)
        self.feed(head + fields.wire() + b"\r\n" + (data or b""))

    def feed(self, data: bytes) -> None:
        """Send raw bytes."""
        self.protocol.dataReceived(data)
        self._close_if_asked()

    def lose(self, reason: type[Exception] = ConnectionDone) -> None:
        """The client goes away."""
        if not self._lost:
            self._lost = True
            failure = Failure(reason())  # type: ignore[no-untyped-call]
            self.protocol.connectionLost(failure)

    def _close_if_asked(self) -> None:
        if self.transport.disconnecting or self.transport.aborted:
            self.lose(ConnectionLost if self.transport.aborted else ConnectionDone)

    @property
    def closed(self) -> bool:
        """Whether the server closed the connection."""
        self._close_if_asked()
        return bool(self.transport.disconnecting or self.transport.aborted)

    @property
    def received(self) -> bytes:
        """All bytes the server sent."""
        received: bytes = self.transport.value()  # type: ignore[no-untyped-call]
        return received

    def responses(self) -> list[Response]:
        """The answers so far, in order."""
        found, data = [], self.received
        for method in [*self._methods, "GET"]:
            while data.startswith(b"HTTP/1.1 100 "):
                data = data.partition(b"\r\n\r\n")[2]
            if not data:
                break
            response, data = parse_response(data, method, self.closed)
            found.append(response)
        return found


class Client:
    """Makes requests of an application, each on a connection of its own unless told otherwise."""

    def __init__(self, application: Application, clock: Clock) -> None:
        self.application = application
        self.clock = clock

    def connect(self, peer: str = "127.0.0.1") -> Connection:
        return Connection(self, peer)

    def start(self, method: str = "GET", path: str = "/", **kwargs: Any) -> Connection:
        """Send one request without waiting for its answer."""
        connection = self.connect(kwargs.pop("peer", "127.0.0.1"))
        connection.send(method, path, **kwargs)
        return connection

    def fetch(self, method: str = "GET", path: str = "/", **kwargs: Any) -> Response:
        """Send one request and return its complete answer."""
        connection = self.start(method, path, **kwargs)
        responses = connection.responses()
        assert responses, f"no answer to {method} {path}"
        assert len(responses) == 1, f"several answers to {method} {path}: {connection.received!r}"
        assert responses[0].complete, f"incomplete answer: {connection.received!r}"
        return responses[0]


def parse_response(data: bytes, method: str, closed: bool) -> tuple[Response, bytes]:
    """The first answer in *data*, and what is behind it."""
    head, separator, rest = data.partition(b"\r\n\r\n")
    assert separator, f"no complete head: {data!r}"
    line, _, block = head.decode("latin-1").partition("\r\n")
    version, _, status_and_reason = line.partition(" ")
    status_text, _, reason = status_and_reason.partition(" ")
    headers, status = HTTPHeaders.parse(block), int(status_text)
    if method == "HEAD" or status in (204, 304) or status < 200:
        body, rest, complete = b"", rest, True
    elif headers.get("Transfer-Encoding") == "chunked":
        body, rest, complete = parse_chunks(rest)
    elif "Content-Length" in headers:
        length = int(headers["Content-Length"])
        body, rest, complete = rest[:length], rest[length:], len(rest) >= length
    else:
        body, rest, complete = rest, b"", closed
    raw = data[: len(data) - len(rest)]
    return Response(version, status, reason, headers, body, complete, raw), rest


def parse_chunks(data: bytes) -> tuple[bytes, bytes, bool]:
    """The body in a chunked answer, what is behind it, and whether its last chunk came."""
    body = b""
    while True:
        line, separator, rest = data.partition(b"\r\n")
        if not separator:
            return body, b"", False
        size = int(line, 16)
        if not size:
            return body, rest.removeprefix(b"\r\n"), True
        body, data = body + rest[:size], rest[size + 2 :]


@pytest.fixture
def clock() -> Clock:
    """The reactor's time in a test that uses ``serve``."""
    return Clock()


@pytest.fixture
def serve(clock: Clock) -> Callable[..., Client]:
    """``serve(handlers, **settings)``: a client of an application with these handlers."""

    def make(
        handlers: Any = None, *, application: type[Application] = Application, **settings: Any
    ) -> Client:
        settings.setdefault("reactor", clock)
        return Client(application(handlers, **settings), clock)

    return make
