"""The whole client over another agent: Twisted's own, and one in memory."""

from __future__ import annotations

import gzip
from typing import Any

import pytest
from httpclient_support import (
    Received,
    Reply,
    failure,
    new_client,
    ok,
    reactor,
    reactor_test,
    redirect,
    serving,
    turn,
    until,
)
from twisted.internet.defer import CancelledError, Deferred
from twisted.web.client import Agent, HTTPConnectionPool

from cyclone.httpclient import (
    AsyncHTTPClient,
    HTTPClientError,
    HTTPConnectError,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    InMemoryAgent,
    SentRequest,
    StubResponse,
)


def twisted_agent() -> Any:
    pool = HTTPConnectionPool(reactor, persistent=False)  # type: ignore[no-untyped-call]
    return Agent(reactor, pool=pool)  # type: ignore[no-untyped-call]


@reactor_test
async def test_over_twisteds_agent() -> None:
    def answer(request: Received) -> bytes:
        if request.target == "/a":
            return redirect("/b")
        return ok(gzip.compress(b"hello"), "Content-Encoding: gzip", "X-A: 1", "X-A: 2")

    async with serving(answer) as server, new_client(agent=twisted_agent()) as client:
        response = await client.fetch(server.url + "/a", headers={"X": "y"})
        assert (response.body, response.reason) == (b"hello", "OK")
        assert response.headers.get_list("X-A") == ["1", "2"]
        assert server.requests[-1].header("X") == "y"
        pieces: list[bytes] = []
        await client.fetch(server.url, streaming_callback=pieces.append)
        assert b"".join(pieces) == b"hello"
        response = await client.fetch(server.url, method="POST", body=b"data")
        assert server.requests[-1].body == b"data"

        async def produce(write: Any) -> None:
            await write(b"12")
            await write(b"3")

        await client.fetch(server.url, method="PUT", body_producer=produce)
        assert server.requests[-1].body == b"123"
        await turn(0.01)


@reactor_test
async def test_failures_over_twisteds_agent() -> None:
    async with (
        serving(Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", "close")) as server,
        new_client(agent=twisted_agent()) as client,
    ):
        await failure(client.fetch(server.url), HTTPStreamClosedError)
        await failure(client.fetch("http://127.0.0.1:1/"), HTTPConnectError)
        server.answer = lambda _: Reply(b"", "close")
        await failure(client.fetch(server.url), HTTPStreamClosedError)
        server.answer = lambda _: None
        await failure(client.fetch(server.url, request_timeout=0.05), HTTPTimeoutError)
        fetching = client.fetch(server.url)
        await turn(0.02)
        fetching.cancel()
        await failure(fetching, CancelledError)
        server.answer = lambda _: ok(b"x" * 1000)
        await failure(client.fetch(server.url, max_body_size=10), HTTPStreamClosedError)
        await turn(0.02)


def client_of(answers: Any) -> AsyncHTTPClient:
    return AsyncHTTPClient(force_instance=True, agent=InMemoryAgent(answers))


@reactor_test
async def test_redirects_cookies_and_credentials_in_memory() -> None:
    def answer(request: SentRequest) -> StubResponse:
        if request.path == "/a":
            headers = {"Location": "https://other.example/b", "Set-Cookie": ["s=1", "t=2"]}
            return StubResponse(302, headers=headers)
        return StubResponse(body=b"end")

    agent = InMemoryAgent(answer)
    client = AsyncHTTPClient(force_instance=True, agent=agent, cookie_jar=True)
    await client.fetch("http://h/a", auth_username="u")
    await client.fetch("http://h/c")
    urls = [request.url for request in agent.requests]
    assert urls == ["http://h/a", "https://other.example/b", "http://h/c"]
    first, other, last = agent.requests
    assert first.headers["Authorization"].startswith("Basic ")
    assert "Authorization" not in other.headers
    assert "Cookie" not in other.headers
    assert last.headers["Cookie"] == "s=1; t=2"


@reactor_test
async def test_an_asynchronous_callback_in_memory() -> None:
    gate: Deferred[None] = Deferred()
    events: list[object] = []

    async def take(data: bytes) -> None:
        events.append(data)
        await gate

    fetching = client_of({"http://h/": b"x"}).fetch("http://h/", streaming_callback=take)
    fetching.addCallback(lambda response: events.append(response))
    await until(lambda: events)
    assert events == [b"x"]
    gate.callback(None)
    await fetching
    assert len(events) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"proxy": ("h", 1)},
        {"unix_socket": "/s"},
        {"network_interface": "127.0.0.1"},
    ],
)
@reactor_test
async def test_options_that_are_the_agents_business(options: Any) -> None:
    await failure(client_of({}).fetch("http://h/", **options), ValueError)


@reactor_test
async def test_tls_options_are_the_agents_business() -> None:
    error = await failure(client_of({}).fetch("https://h/", validate_cert=False), ValueError)
    assert "agent" in str(error)
    await failure(client_of({}).fetch("https://h/"), HTTPClientError)
