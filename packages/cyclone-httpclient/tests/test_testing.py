"""The agent in memory."""

from __future__ import annotations

from typing import Any

from httpclient_support import failure, reactor_test, turn

from cyclone.httpclient import (
    AsyncHTTPClient,
    HTTPClientError,
    HTTPConnectError,
    HTTPStreamClosedError,
    InMemoryAgent,
    SentRequest,
    StubResponse,
    fetch,
)


def make(answers: Any) -> tuple[AsyncHTTPClient, InMemoryAgent]:
    agent = InMemoryAgent(answers)
    return AsyncHTTPClient(force_instance=True, agent=agent), agent


@reactor_test
async def test_a_mapping() -> None:
    client, agent = make(
        {
            "http://h/text": "text",
            "http://h/bytes": b"bytes",
            "http://h/full": StubResponse(201, b"x", {"A": "b", "C": ["1", "2"]}, "Made"),
            "http://h/error": OSError("broken"),
            "http://h/cut": StubResponse(body=b"part", error=OSError("cut")),
        }
    )
    assert (await client.fetch("http://h/text")).body == b"text"
    assert (await client.fetch("http://h/bytes")).body == b"bytes"
    response = await client.fetch("http://h/full")
    assert (response.code, response.reason) == (201, "Made")
    assert response.headers.get_list("C") == ["1", "2"]
    error = await failure(client.fetch("http://h/missing"), HTTPClientError)
    assert error.code == 404
    await failure(client.fetch("http://h/error"), HTTPConnectError)
    error = await failure(client.fetch("http://h/cut"), HTTPStreamClosedError)
    assert error.response is not None
    assert error.response.body == b"part"
    assert len(agent.requests) == 6


@reactor_test
async def test_functions() -> None:
    async def answer(request: SentRequest) -> str:
        await turn()
        return f"{request.method} {request.path} {request.body.decode()}"

    client, agent = make(answer)
    assert (await fetch("http://h/p?q", postdata="b", client=client)).body == b"POST /p b"
    assert agent.requests[0].url == "http://h/p?q"
    assert agent.requests[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    client, agent = make(lambda request: request.url)
    assert (await client.fetch("http://h/")).body == b"http://h/"
