"""JsonRPC: calls, errors, answers that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from httpclient_support import failure, reactor_test

from cyclone.httpclient import (
    AsyncHTTPClient,
    HTTPClientError,
    InMemoryAgent,
    JsonRPC,
    JsonRPCError,
    SentRequest,
    StubResponse,
)

URL = "http://h/rpc"


def server(change: Any = None) -> tuple[JsonRPC, InMemoryAgent]:
    def answer(request: SentRequest) -> StubResponse:
        call = json.loads(request.body)
        reply: Any = {"id": call["id"], "result": [call["method"], call["params"]], "error": None}
        if change is not None:
            reply = change(reply)
        if isinstance(reply, StubResponse):
            return reply
        return StubResponse(body=json.dumps(reply).encode())

    agent = InMemoryAgent(answer)
    client = AsyncHTTPClient(force_instance=True, agent=agent)
    return JsonRPC(URL, client=client, headers={"X": "y"}), agent


@reactor_test
async def test_calls() -> None:
    rpc, agent = server()
    assert await rpc.add(1, 2) == ["add", [1, 2]]
    assert await rpc.add(a=1) == ["add", {"a": 1}]
    assert await rpc.nothing() == ["nothing", []]
    sent = [json.loads(request.body) for request in agent.requests]
    assert [call["id"] for call in sent] == [1, 2, 3]
    assert {call["jsonrpc"] for call in sent} == {"2.0"}
    assert agent.requests[0].headers["Content-Type"] == "application/json"
    assert agent.requests[0].headers["X"] == "y"
    with pytest.raises(TypeError):
        rpc.add(1, b=2)


@pytest.mark.parametrize("name", ["_private", "__len__", "__iter__", "_url_", "__await__"])
def test_what_is_no_method_of_the_server_LG_12(name: str) -> None:
    """LG-12: as what a client sends is no name of ours, so ours are no methods of a server."""
    rpc, agent = server()
    with pytest.raises(AttributeError):
        getattr(rpc, name)
    assert agent.requests == []


@reactor_test
async def test_any_other_name_is_only_sent_LG_12() -> None:
    """LG-12: it stays a string in JSON."""
    rpc, agent = server()
    for name in ("a.b", 'x"; drop', "é\r\nX: y", "m" * 100_000):
        assert await getattr(rpc, name)() == [name, []]
    assert {request.url for request in agent.requests} == {URL}


@pytest.mark.parametrize(
    ("change", "message", "code"),
    [
        (lambda r: {**r, "error": {"code": -32601, "message": "none"}}, "none", -32601),
        (lambda r: {**r, "error": "text"}, "text", None),
        (lambda r: {**r, "id": 99}, "another call", None),
        (lambda r: {"id": r["id"]}, "not a JSON-RPC response", None),
        (lambda r: [], "not a JSON-RPC response", None),
        (lambda r: StubResponse(body=b"<html>"), "not a JSON-RPC response", None),
        (lambda r: StubResponse(body=b"[" * 1_000_000), "not a JSON-RPC response", None),
        (lambda r: StubResponse(body=b'{"result":' * 10**5), "not a JSON-RPC response", None),
        (lambda r: StubResponse(body=b"9" * 5000), "not a JSON-RPC response", None),
        (lambda r: StubResponse(body=b"\xff"), "not a JSON-RPC response", None),
        (
            lambda r: StubResponse(500, json.dumps({"error": {"message": "m"}}).encode()),
            "m",
            None,
        ),
    ],
)
@reactor_test
async def test_errors(change: Any, message: str, code: int | None) -> None:
    rpc, _ = server(change)
    error = await failure(rpc.call(), JsonRPCError)
    assert message in str(error)
    assert error.code == code


@reactor_test
async def test_a_status_without_an_answer() -> None:
    rpc, _ = server(lambda _: StubResponse(502, b"bad gateway"))
    error = await failure(rpc.call(), HTTPClientError)
    assert error.code == 502
