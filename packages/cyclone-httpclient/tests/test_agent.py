"""This package's connections as an agent, used by code that knows only Twisted's interfaces."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from httpclient_support import Reply, failure, new_client, ok, reactor_test, serving, until
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Protocol
from twisted.web.client import (
    FileBodyProducer,
    RedirectAgent,
    ResponseDone,
    ResponseFailed,
    readBody,
)
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH

from cyclone.httpclient import HTTPConnectError

read_body: Any = readBody


@reactor_test
async def test_requests() -> None:
    async with serving(ok(b"hello", "X-A: 1")) as server, new_client() as client:
        agent: Any = client.agent
        url = server.url.encode()
        for _ in range(2):
            response = await agent.request(b"GET", url + b"/x", Headers({b"X": [b"1", b"2"]}))
            assert (response.code, response.phrase, response.length) == (200, b"OK", 5)
            assert response.version == (b"HTTP", 1, 1)
            assert response.headers.getRawHeaders(b"x-a") == [b"1"]
            assert await read_body(response) == b"hello"
        assert server.accepted == 1
        assert server.requests[0].header("X") == "1, 2"
        producer: Any = FileBodyProducer(BytesIO(b"data"))  # type: ignore[no-untyped-call]
        response = await agent.request(b"POST", url, None, producer)
        assert await read_body(response) == b"hello"
        assert server.requests[-1].body == b"data"


@reactor_test
async def test_under_twisteds_redirect_agent() -> None:
    from httpclient_support import redirect

    async with serving(ok(b"end")) as server, new_client() as client:
        server.answer = lambda got: redirect("/b") if got.target == "/a" else ok(b"end")
        agent: Any = RedirectAgent(client.agent)
        response = await agent.request(b"GET", server.url.encode() + b"/a")
        assert await read_body(response) == b"end"


class Slow(Protocol):
    """Wants nothing until told to go on."""

    transport: Any

    def __init__(self) -> None:
        self.data = b""
        self.reason: Any = None
        self.ended: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Any = None) -> None:
        self.reason = reason
        self.ended.callback(None)


@reactor_test
async def test_a_body_waits_for_its_reader() -> None:
    async with serving(ok(b"x" * 3_000_000)) as server, new_client() as client:
        agent: Any = client.agent
        response = await agent.request(b"GET", server.url.encode())
        slow = Slow()
        response.deliverBody(slow)
        assert len(slow.data) <= 65536
        slow.transport.resumeProducing()
        await slow.ended
        assert len(slow.data) == 3_000_000
        assert slow.reason.check(ResponseDone)


@reactor_test
async def test_a_body_can_be_given_up() -> None:
    async with serving(ok(b"x" * 3_000_000)) as server, new_client(max_clients=1) as client:
        agent: Any = client.agent
        response = await agent.request(b"GET", server.url.encode())
        slow = Slow()
        response.deliverBody(slow)
        slow.transport.abortConnection()
        await slow.ended
        assert slow.reason.check(ResponseFailed)
        await until(lambda: not server.open)
        server.answer = lambda _: ok(b"next")
        response = await agent.request(b"GET", server.url.encode())
        assert await read_body(response) == b"next"


@reactor_test
async def test_failures() -> None:
    async with serving(None) as server, new_client() as client:
        agent: Any = client.agent
        await failure(agent.request(b"GET", b"ftp://h/"), ValueError)
        await failure(agent.request(b"GET", b"http://127.0.0.1:1/"), HTTPConnectError)
        pending = agent.request(b"GET", server.url.encode())
        await until(lambda: server.requests)
        pending.cancel()
        await failure(pending, CancelledError)
        cut = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\npart"
        server.answer = lambda _: Reply(cut, "close")
        response = await agent.request(b"GET", server.url.encode())
        assert response.length is UNKNOWN_LENGTH
        await failure(read_body(response), ResponseFailed)
