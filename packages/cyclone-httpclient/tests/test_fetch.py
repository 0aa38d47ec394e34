"""Cyclone's fetch, HTTPClient and getPage; both spellings of every option."""

from __future__ import annotations

from typing import Any

import pytest
from httpclient_support import (
    Received,
    failure,
    new_client,
    ok,
    reactor_test,
    redirect,
    serving,
    until,
)
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.trial.unittest import TestCase

from cyclone.httpclient import (
    HTTPClient,
    HTTPClientError,
    HTTPConnectError,
    HTTPRequest,
    OptionConflictError,
    fetch,
    getPage,
)


@reactor_test
async def test_the_overviews_example() -> None:
    async with serving(ok(b"hi", "Content-Type: text/html")) as server:
        response = await fetch(server.url)
        assert response.code == 200
        assert response.phrase == "OK"
        assert response.headers.get("Content-Type") == "text/html"
        assert (response.body, response.length, response.error) == (b"hi", 2, None)
        assert response.request.url == server.url


@pytest.mark.parametrize("status", [302, 304, 400, 404, 500])
@reactor_test
async def test_every_status_is_returned(status: int) -> None:
    body = b"" if status == 304 else b"x"
    async with serving(ok(body, status=f"{status} Reason")) as server:
        response = await fetch(server.url)
        assert response.code == status
        assert bool(response.error) is (status >= 400)


@reactor_test
async def test_what_is_not_a_status_fails() -> None:
    await failure(fetch("http://127.0.0.1:1/"), HTTPConnectError)
    await failure(fetch("ftp://h/"), ValueError)
    await failure(fetch("http://h/", nonsense=1), TypeError)  # type: ignore[call-arg]


@reactor_test
async def test_the_method_follows_from_the_body() -> None:
    async with serving(ok()) as server:
        cases: list[tuple[dict[str, Any], str, bytes, str | None]] = [
            ({}, "GET", b"", None),
            ({"postdata": "a=1"}, "POST", b"a=1", "application/x-www-form-urlencoded"),
            ({"body": {"a": "1 2", "b": [1, 2]}}, "POST", b"a=1+2&b=1&b=2", None),
            ({"json": {"a": None}}, "POST", b'{"a":null}', "application/json"),
            ({"json": None}, "POST", b"null", "application/json"),
            ({"files": {"a": "b"}}, "POST", b"", None),
            ({"method": "DELETE", "body": "x"}, "DELETE", b"x", None),
            ({"method": b"PUT", "postdata": b"x"}, "PUT", b"x", None),
            ({"method": "POST"}, "POST", b"", None),
            ({"method": "BREW"}, "BREW", b"", None),
        ]
        for options, method, body, kind in cases:
            await fetch(server.url, **options)
            request = server.requests[-1]
            assert request.method == method
            assert not body or request.body == body
            assert kind is None or request.header("Content-Type") == kind


@reactor_test
async def test_cyclones_spellings() -> None:
    def answer(request: Received) -> bytes:
        return redirect("/again") if request.target != "/end" else ok()

    async with serving(answer) as server:
        response = await fetch(server.url + "/a", headers={"X": ["1", "2"]})
        assert response.code == 302
        assert server.requests[0].header("X") == "1, 2"
        response = await fetch(server.url + "/a", followRedirect=True)
        assert (response.code, len(server.requests)) == (302, 5)
        response = await fetch(server.url + "/a", followRedirect=True, maxRedirects=1)
        assert len(server.requests) == 7
        response = await fetch(server.url + "/a", follow_redirects=True, max_redirects=2, timeout=3)
        assert len(server.requests) == 10


@reactor_test
async def test_both_spellings_on_the_tornado_side_too() -> None:
    async with serving(ok()) as server, new_client() as client:
        await client.fetch(server.url, postdata="x", followRedirect=False, timeout=3)
        assert server.requests[0].method == "POST"


CONFLICTS: list[tuple[dict[str, Any], str, str]] = [
    ({"body": "a", "postdata": "b"}, "body", "postdata"),
    ({"follow_redirects": True, "followRedirect": True}, "follow_redirects", "followRedirect"),
    ({"max_redirects": 1, "maxRedirects": 1}, "max_redirects", "maxRedirects"),
    ({"connect_timeout": 1, "timeout": 1}, "connect_timeout", "timeout"),
    ({"proxy": ("h", 1), "proxy_host": "h"}, "proxy", "proxy_host"),
    ({"proxy": ("h", 1), "proxy_port": 1}, "proxy", "proxy_port"),
    ({"use_gzip": True, "decompress_response": True}, "use_gzip", "decompress_response"),
    ({"body": "a", "json": {}}, "body", "json"),
    ({"json": {}, "files": {}}, "json", "files"),
    ({"body": "a", "body_producer": print}, "body", "body_producer"),
]


@pytest.mark.parametrize("case", CONFLICTS, ids=[f"{case[1]}-{case[2]}" for case in CONFLICTS])
@reactor_test
async def test_conflicts_name_both(case: tuple[dict[str, Any], str, str]) -> None:
    options, one, other = case
    async with new_client() as client:
        for fetching in (
            fetch("http://h/", **options),
            client.fetch("http://h/", **options),
            getPage("http://h/", **options),
        ):
            error = await failure(fetching, OptionConflictError)
            assert repr(one) in str(error)
            assert repr(other) in str(error)
    with pytest.raises(OptionConflictError):
        HTTPRequest("http://h/", **options)
    with pytest.raises(OptionConflictError):
        HTTPClient("http://h/", **options)


@reactor_test
async def test_http_client() -> None:
    async with serving(ok(b"x")) as server:
        client = HTTPClient(server.url, postdata="y", headers={"A": "b"})
        for _ in range(2):
            assert (await client.fetch()).body == b"x"
        assert [request.body for request in server.requests] == [b"y", b"y"]


@reactor_test
async def test_get_page() -> None:
    def answer(request: Received) -> bytes:
        return redirect("/end") if request.target == "/" else ok(b"page")

    async with serving(answer) as server:
        assert await getPage(server.url.encode()) == b"page"
        assert await getPage(server.url, followRedirect=False) == b"moved"
        server.answer = lambda _: ok(b"sorry", status="404 Not Found")
        error = await failure(getPage(server.url), HTTPClientError)
        assert (error.code, error.message) == (404, "Not Found")
        assert error.response is not None
        assert error.response.body == b"sorry"


class UnderTrial(TestCase):
    """Nothing may be left in the reactor, though nobody closes anything (works under trial)."""

    @inlineCallbacks
    def test_fetch(self) -> Any:
        with_server = serving(ok(b"x"))
        server = yield Deferred.fromCoroutine(with_server.__aenter__())
        for _ in range(3):
            response = yield fetch(server.url)
            assert response.body == b"x"
        yield Deferred.fromCoroutine(until(lambda: not server.open))
        yield Deferred.fromCoroutine(with_server.__aexit__(None, None, None))

    async def test_async(self) -> None:
        async with serving(ok(b"x")) as server:
            assert (await fetch(server.url)).body == b"x"
