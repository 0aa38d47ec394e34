"""cyclone.testing, as an application's tests use it."""

from __future__ import annotations

from typing import Any, assert_type

from twisted.internet.defer import Deferred

from cyclone.httpclient import AsyncHTTPClient, HTTPResponse
from cyclone.testing import (
    AsyncHTTPTestCase,
    AsyncTestCase,
    Client,
    ClientResponse,
    CycloneTestCase,
    ExpectLog,
    bind_unused_port,
    gen_test,
    run_sync,
)
from cyclone.web import Application


class Served(AsyncHTTPTestCase):
    def setUp(self) -> None:
        super().setUp()

    def get_app(self) -> Application:
        return Application()

    def get_httpserver_options(self) -> dict[str, Any]:
        return {"max_body_size": 10}

    def test_page(self) -> None:
        response = self.fetch("/", method="POST", body="x", follow_redirects=False)
        assert_type(response, HTTPResponse)
        assert_type(self.get_url("/"), str)
        assert_type(self.get_http_port(), int)
        with ExpectLog("cyclone.access", "404", required=False):
            self.assertEqual(response.code, 404)

    @gen_test
    async def test_await(self) -> None:
        response = await self.http_client.fetch(self.get_url("/"))
        assert_type(response, HTTPResponse)

    @gen_test(timeout=10)
    def test_generator(self) -> Any:
        yield self.http_client.fetch(self.get_url("/"))


class Stopped(AsyncTestCase):
    def test_stop(self) -> None:
        self.io_loop.call_later(0.1, self.stop, "x")
        self.assertEqual(self.wait(timeout=1), "x")


class InMemory(CycloneTestCase):
    def app_builder(self) -> Application:
        return Application()

    async def test_get(self) -> None:
        response = await self.client.get("/", headers={"A": "b"})
        assert_type(response, ClientResponse)
        assert_type(response.body, bytes)


assert_type(run_sync(lambda: AsyncHTTPClient().fetch("http://localhost/")), HTTPResponse)


async def in_memory() -> None:
    client = Client(Application())
    assert_type(client.post("/", {"a": "b"}, follow_redirects=True), Deferred[ClientResponse])
    assert_type((await client.delete("/")).code, int)
    assert_type(client.fetch("GET", "/"), ClientResponse)
    assert_type(bind_unused_port()[1], int)
