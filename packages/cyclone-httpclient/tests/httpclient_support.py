"""Helpers: asynchronous tests with a clean reactor at the end, and servers that say exactly what a
test wants said.
"""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar, cast

import trustme
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from twisted.internet import reactor as global_reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IDelayedCall, IListeningPort
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.ssl import Certificate, CertificateOptions, trustRootFromCertificates
from twisted.python.failure import Failure

from cyclone.httpclient import AsyncHTTPClient
from cyclone.httpclient._awaitables import to_deferred

reactor: Any = global_reactor

P = ParamSpec("P")
T = TypeVar("T")

TIMEOUT = 5.0


def spin(awaitable: Awaitable[T]) -> T:
    """Run the reactor until the awaitable is done, then check that nothing is left in it."""
    outcome: list[T | Failure] = []

    def begin() -> None:
        cast("Deferred[T]", to_deferred(awaitable)).addBoth(ended)

    def ended(result: T | Failure) -> None:
        outcome.append(result)
        reactor.callLater(0, reactor.crash)

    before = set(reactor.getDelayedCalls())
    guard: IDelayedCall = reactor.callLater(TIMEOUT, reactor.crash)
    reactor.callLater(0, begin)
    reactor.run(installSignalHandlers=False)
    assert outcome, "the test did not end in time"
    guard.cancel()
    result = outcome[0]
    if isinstance(result, Failure):
        result.raiseException()
    left = [call for call in set(reactor.getDelayedCalls()) - before if call.active()]
    for call in left:
        call.cancel()
    assert not left, f"timers are left: {left}"
    return result


def reactor_test(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Let pytest run an ``async def`` test, parametrized or not."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        spin(test(*args, **kwargs))

    return run


def turn(seconds: float = 0.0) -> Deferred[None]:
    """Let the reactor do what it has to do."""
    done: Deferred[None] = Deferred()
    reactor.callLater(seconds, done.callback, None)
    return done


async def until(condition: Callable[[], object]) -> None:
    """Wait for something to become true; the test's own deadline ends it."""
    while not condition():
        await turn(0.002)


@dataclass
class Received:
    """A request as the server read it off the wire."""

    method: str
    target: str
    fields: list[tuple[str, str]]
    body: bytes
    connection: int
    raw: bytes

    def header(self, name: str) -> str | None:
        """The value of a field, ``None`` when there is none; several are joined."""
        values = [value for key, value in self.fields if key.lower() == name.lower()]
        return ", ".join(values) if values else None


@dataclass
class Reply:
    """Raw bytes, and what becomes of the connection after them."""

    data: bytes = b""
    then: str = "keep"  # or "close", "abort"


def ok(body: bytes = b"ok", *lines: str, status: str = "200 OK") -> bytes:
    """A response with a Content-Length."""
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *lines]
    return "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + body


def redirect(location: str, status: str = "302 Found", *lines: str) -> bytes:
    """A redirect with a small body."""
    return ok(b"moved", f"Location: {location}", *lines, status=status)


Answer = Callable[[Received], "bytes | Reply | None"]


class ServerConnection(Protocol):
    """Reads requests and writes what the answer function says."""

    transport: Any

    def __init__(self, server: Server, index: int) -> None:
        self._server = server
        self.index = index
        self._buffer = b""
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self._server.open.append(self)
        if self._server.greeting:
            self.transport.write(self._server.greeting)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._server.open.remove(self)
        self.lost.callback(None)

    def abort(self) -> None:
        """Reset the connection."""
        self.transport.abortConnection()

    def dataReceived(self, data: bytes) -> None:
        self._server.received_bytes += len(data)
        if self._server.swallow:
            return
        self._buffer += data
        while (request := self._next()) is not None:
            self._server.requests.append(request)
            reply = self._server.answer(request)
            if isinstance(reply, bytes):
                reply = Reply(reply)
            if reply is None:
                continue
            self.transport.write(reply.data)
            if reply.then == "close":
                self.transport.loseConnection()
            elif reply.then == "abort":
                self.abort()

    def _next(self) -> Received | None:
        head, mark, rest = self._buffer.partition(b"\r\n\r\n")
        if not mark:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        fields = [(line.partition(":")[0], line.partition(":")[2].strip()) for line in lines]
        method, target, _ = first.split(" ")
        request = Received(method, target, fields, b"", self.index, b"")
        if request.header("Expect") and self._server.on_expect is not None:
            expect, self._server.on_expect = self._server.on_expect, None
            self.transport.write(expect)
            if not expect.startswith(b"HTTP/1.1 1"):
                self._buffer = b""
                self._server.requests.append(request)
                return None
        body = self._body(request, rest)
        if body is None:
            return None
        request.body, left = body
        request.raw = self._buffer[: len(self._buffer) - len(left)]
        self._buffer = left
        return request

    @staticmethod
    def _body(request: Received, rest: bytes) -> tuple[bytes, bytes] | None:
        if request.header("Transfer-Encoding"):
            body = b""
            while True:
                size, mark, rest = rest.partition(b"\r\n")
                if not mark or len(rest) < int(size, 16) + 2:
                    return None
                count = int(size, 16)
                body += rest[:count]
                rest = rest[count + 2 :]
                if not count:
                    return body, rest
        length = int(request.header("Content-Length") or 0)
        return (rest[:length], rest[length:]) if len(rest) >= length else None


@dataclass
class Server:
    """A listening server and what has happened to it."""

    answer: Answer
    requests: list[Received] = field(default_factory=list)
    open: list[ServerConnection] = field(default_factory=list)
    accepted: int = 0
    received_bytes: int = 0
    port: int = 0
    scheme: str = "http"
    greeting: bytes = b""
    swallow: bool = False
    on_expect: bytes | None = None

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"{self.scheme}://127.0.0.1:{self.port}"


class _ServerFactory(Factory):
    noisy = False

    def __init__(self, server: Server) -> None:
        self._server = server

    def buildProtocol(self, addr: IAddress | None) -> ServerConnection:
        self._server.accepted += 1
        return ServerConnection(self._server, self._server.accepted)


async def close_server(server: Server, listening: IListeningPort) -> None:
    """Stop listening and close what is open."""
    await cast("Deferred[None]", listening.stopListening())
    for connection in list(server.open):
        connection.abort()
        await connection.lost


@asynccontextmanager
async def serving(
    answer: Answer | bytes | Reply | None,
    *,
    tls: object = None,
    interface: str = "127.0.0.1",
    port: int = 0,
    unix: str | None = None,
) -> AsyncIterator[Server]:
    """A server that gives that answer to each request."""
    if not callable(answer):
        fixed = answer

        def answer(_: Received) -> bytes | Reply | None:
            return fixed

    server = Server(answer)
    factory = _ServerFactory(server)
    listening: IListeningPort
    if unix is not None:
        listening = reactor.listenUNIX(unix, factory)
    elif tls is not None:
        server.scheme = "https"
        listening = reactor.listenSSL(port, factory, tls, interface=interface)
    else:
        listening = reactor.listenTCP(port, factory, interface=interface)
    if unix is None:
        server.port = cast(Any, listening.getHost()).port
    try:
        yield server
    finally:
        await close_server(server, listening)


@asynccontextmanager
async def new_client(**options: Any) -> AsyncIterator[AsyncHTTPClient]:
    """A client of one's own, closed at the end."""
    client = AsyncHTTPClient(force_instance=True, **options)
    try:
        yield client
    finally:
        client.close()
        await turn()


async def failure(awaitable: Awaitable[object], kind: type[T]) -> T:
    """The exception of that kind that the awaitable fails with."""
    try:
        result = await awaitable
    except Exception as error:
        if isinstance(error, kind):
            return error
        raise
    raise AssertionError(f"no failure, but {result!r}")


def options_of(cert: trustme.LeafCert, ca: trustme.CA | None = None) -> CertificateOptions:
    """What a server with that certificate needs; with ``ca``, it asks clients for theirs."""
    pems = [blob.bytes() for blob in cert.cert_chain_pems]
    extra: dict[str, Any] = {}
    if ca is not None:
        root = Certificate.loadPEM(ca.cert_pem.bytes())
        extra["trustRoot"] = trustRootFromCertificates([root])  # type: ignore[no-untyped-call]
    chain = [load_pem_x509_certificate(pem) for pem in pems]
    extra.update(certificate=chain[0], extraCertChain=chain[1:])
    return CertificateOptions(
        privateKey=load_pem_private_key(cert.private_key_pem.bytes(), None),  # type: ignore[arg-type]
        **extra,
    )
