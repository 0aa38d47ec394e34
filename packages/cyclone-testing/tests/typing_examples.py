"""Code as users write it: it has to type-check (``tools/check_types.py``), and is never run."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred

from cyclone.httpclient import HTTPResponse
from cyclone.testing import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    Client,
    ClientResponse,
    CycloneTestCase,
    Event,
    ExpectLog,
    MemoryWebSocket,
    ServedApplication,
    VirtualClock,
    bind_unused_port,
    gen_test,
    get_async_test_timeout,
)
from cyclone.web import Application


class Served(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        return Application()

    def get_httpserver_options(self) -> dict[str, Any]:
        return {"max_body_size": 10}

    def test_fetch(self) -> None:
        response: HTTPResponse = self.fetch("/", method="POST", body=b"x", headers={"A": "b"})
        self.assertEqual(response.code, 200)

    @gen_test
    async def test_await(self) -> None:
        response = await self.http_client.fetch(self.get_url("/"))
        self.assertEqual(response.body, b"")

    @gen_test(timeout=get_async_test_timeout() * 2)
    async def test_timeout(self) -> None:
        with ExpectLog("cyclone.general", "x", required=False) as expected:
            self.assertEqual(expected.matched, 0)


class Secure(AsyncHTTPSTestCase, Served):
    pass


class InMemory(CycloneTestCase):
    def app_builder(self) -> Application:
        return Application()

    async def test_get(self) -> None:
        response: ClientResponse = await self.client.get("/")
        assert response.get_status() == 200


async def client_in_memory(app: Application) -> None:
    client = Client(app, VirtualClock(), host="example.com")
    pending: Deferred[ClientResponse] = client.post("/", {"a": [1, 2]}, files={"f": ("n", b"x")})
    response = await pending
    name: str = response.headers["Server"]
    print(name, response.text, response.json(), response.cookies)
    stream = await client.stream("GET", "/")
    async for data in stream:
        print(data.decode())
    events = await client.sse("/events", last_event_id=7)
    event: Event | None = await events.receive()
    if event is not None:
        print(event.data, event.id, event.retry)
    websocket: MemoryWebSocket = await client.websocket("/ws", subprotocols=["chat"])
    await websocket.write_message({"a": 1})
    message: str | bytes | None = await websocket.read_message()
    print(message, websocket.close_code)
    client.clock.advance(30)


async def served(app: Application, clock: VirtualClock) -> bytes:
    sock, port = bind_unused_port()
    sock.close()
    server = ServedApplication(app, clock, max_body_size=port)
    response = await server.fetch("/")
    await server.stop()
    return response.body
