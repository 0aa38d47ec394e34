"""Requests to a provider."""

import json
from typing import Any

import pytest
from auth_support import result_of
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cyclone.auth import ProviderError
from cyclone.auth._http import (
    MAX_ANSWER,
    MAX_TOKEN,
    TIMEOUT,
    check_tokens,
    parse_json,
    parse_object,
    send,
)
from cyclone.httpclient import AsyncHTTPClient, InMemoryAgent, SentRequest, StubResponse

URL = "https://provider.example/x"


def ask(answer: Any, **kwargs: Any) -> tuple[bytes, SentRequest]:
    agent = InMemoryAgent(lambda request: answer)
    client = AsyncHTTPClient(force_instance=True, agent=agent, reactor=Clock())
    response = result_of(send(client, URL, **kwargs))
    return response.body, agent.requests[-1]


def test_get_and_posts() -> None:
    body, request = ask(b"hello")
    assert (body, request.method) == (b"hello", "GET")
    _, request = ask(b"", form={"a b": "ü&", "c": "1"})
    assert (request.method, request.body) == ("POST", b"a+b=%C3%BC%26&c=1")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    _, request = ask(b"", json={"a": 1}, headers={"Accept": "x/y"})
    assert (json.loads(request.body), request.headers["Accept"]) == ({"a": 1}, "x/y")
    _, request = ask(b"", form={})
    assert (request.method, request.body) == ("POST", b"")


OAUTH_ERROR = json.dumps({"error": "invalid_grant", "error_description": "<i>spent</i>\n"}).encode()


@pytest.mark.parametrize(
    ("answer", "code", "text"),
    [
        pytest.param(
            StubResponse(500, b"<html>"), 500, "the provider answered 500", id="AU-09-html"
        ),
        pytest.param(
            StubResponse(400, OAUTH_ERROR),
            400,
            "the provider answered 400: invalid_grant: &lt;i&gt;spent&lt;/i&gt;\\x0a",
            id="AU-09-escaped",
        ),
        pytest.param(StubResponse(400, b"[" * 100_000), 400, "answered 400", id="AU-09-nested"),
        pytest.param(StubResponse(400, b'["x"]'), 400, "answered 400", id="no-object"),
        pytest.param(
            StubResponse(302, b"", {"Location": "https://evil.example"}), 302, "302", id="redirect"
        ),
        pytest.param(b"x" * (MAX_ANSWER + 1), 599, "", id="AU-09-too-big"),
        pytest.param(OSError("no route"), 599, "", id="unreachable"),
    ],
)
def test_failures(answer: Any, code: int, text: str) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(answer)
    assert (caught.value.code, caught.value.status_code) == (code, 502)
    assert text in str(caught.value)
    assert len(str(caught.value)) < 500


def test_redirects() -> None:
    """Only where a caller allows them: what is posted may be secret."""

    def answer(request: SentRequest) -> StubResponse:
        elsewhere = {"Location": "https://provider.example/y"}
        return StubResponse(302, b"", elsewhere) if request.path == "/x" else StubResponse()

    agent = InMemoryAgent(answer)
    client = AsyncHTTPClient(force_instance=True, agent=agent, reactor=Clock())
    with pytest.raises(ProviderError, match="302"):
        result_of(send(client, URL))
    assert len(agent.requests) == 1
    assert result_of(send(client, URL, redirects=True)).code == 200


def test_a_url_that_cannot_be() -> None:
    client = AsyncHTTPClient(force_instance=True, agent=InMemoryAgent({}), reactor=Clock())
    with pytest.raises(ProviderError, match="cannot ask"):
        result_of(send(client, "ftp://provider.example/\r\nx"))


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[" * 100_000])
def test_not_json(body: bytes) -> None:
    with pytest.raises(ProviderError, match="JSON"):
        parse_json(body)


def test_not_an_object() -> None:
    assert parse_object(b'{"a": 1}') == {"a": 1}
    with pytest.raises(ProviderError, match="object"):
        parse_object(b"[]")


@pytest.mark.parametrize(
    ("values", "text"),
    [
        pytest.param({}, "no access token", id="none"),
        pytest.param({"access_token": 1}, "cannot be used", id="number"),
        pytest.param({"access_token": "x" * (MAX_TOKEN + 1)}, "cannot be used", id="AU-06-huge"),
        pytest.param(
            {"access_token": "x", "id_token": "x" * 10**6}, "id_token", id="AU-06-huge-id-token"
        ),
        pytest.param({"error": "bad_code<"}, "bad_code&lt;", id="error-with-200"),
        pytest.param({"error": 17}, "unknown error", id="odd-error"),
    ],
)
def test_tokens_refused(values: Any, text: str) -> None:
    with pytest.raises(ProviderError, match=text):
        check_tokens(values)


def test_tokens_taken() -> None:
    check_tokens({"access_token": "x" * MAX_TOKEN, "expires_in": "never"})


def test_slow_provider() -> None:
    """AU-09: it gets its time and no more."""
    clock, problems = Clock(), []
    agent = InMemoryAgent(lambda request: Deferred())
    client = AsyncHTTPClient(force_instance=True, agent=agent, reactor=clock)
    waiting = Deferred.fromCoroutine(send(client, URL))
    waiting.addErrback(lambda failure: problems.append(failure.value))
    clock.advance(TIMEOUT - 1)
    assert problems == []
    clock.advance(2)
    assert isinstance(problems[0], ProviderError)
    assert problems[0].code == 599
