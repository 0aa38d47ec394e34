"""Applications on real ports, with virtual time."""

from __future__ import annotations

from typing import Any

import pytest
from client_support import News, make_app
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from cyclone.testing import AsyncHTTPSTestCase, ServedApplication, VirtualClock, run_sync
from cyclone.testing._reactor import turn
from cyclone.web import Application


def serving(body: Any, app: Any = None, **options: Any) -> Any:
    """Run ``body(server)`` in the reactor with a server."""

    async def operate() -> Any:
        server = ServedApplication(app or make_app(), **options)
        try:
            return await body(server)
        finally:
            await server.stop()

    return run_sync(operate, timeout=10)


def test_fetch() -> None:
    async def body(server: ServedApplication) -> Any:
        assert server.url == f"http://127.0.0.1:{server.port}"
        assert server.get_url("/old") == server.url + "/old"
        return await server.fetch("/old")

    response = serving(body)
    assert (response.code, response.body) == (200, b"inline")


def test_tls() -> None:
    async def body(server: ServedApplication) -> Any:
        assert server.url.startswith("https://")
        return (await server.fetch("/echo")).json()["protocol"]

    options = AsyncHTTPSTestCase.default_ssl_options()
    assert serving(body, clock=VirtualClock(), ssl_options=options) == "https"


class Idle(Protocol):
    """A client that says nothing."""

    def __init__(self) -> None:
        self.lost: Deferred[None] = Deferred()

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.lost.callback(None)


async def idle(server: ServedApplication) -> Idle:
    from twisted.internet import reactor
    from twisted.internet.endpoints import TCP4ClientEndpoint

    endpoint = TCP4ClientEndpoint(reactor, "127.0.0.1", server.port)
    client = await endpoint.connect(Factory.forProtocol(Idle))
    while not server.server.connections:
        await turn()
    assert isinstance(client, Idle)
    return client


def test_timeouts_take_no_real_time() -> None:
    clock = VirtualClock()

    async def body(server: ServedApplication) -> None:
        client = await idle(server)
        clock.advance(10)
        await turn()
        assert not client.lost.called
        clock.advance(10)
        await client.lost

    serving(body, clock=clock, app=make_app(first_request_timeout=15))


def test_real_time() -> None:
    async def body(server: ServedApplication) -> None:
        assert server.clock is None
        await (await idle(server)).lost

    serving(body, app=make_app(first_request_timeout=0.05))


def test_event_streams_run_on_the_clock() -> None:
    clock = VirtualClock()
    pieces: list[bytes] = []
    came: Deferred[None] = Deferred()

    def take(data: bytes) -> None:
        pieces.append(data)
        if b":" in data.splitlines()[0][:1]:
            came.callback(None)

    async def body(server: ServedApplication) -> None:
        pending = server.fetch("/news", streaming_callback=take)
        pending.addErrback(lambda _: None)
        while not pieces:
            await turn()
        clock.advance(20)
        await came

    app = Application([("/news", News)], sse_keep_alive=15)
    serving(body, clock=clock, app=app)


@pytest.mark.parametrize("options", [{"max_header_count": 3}])
def test_options_of_the_server(options: dict[str, Any]) -> None:
    async def body(server: ServedApplication) -> Any:
        headers = {f"X-{number}": "x" for number in range(5)}
        return (await server.fetch("/old", headers=headers)).code

    assert serving(body, **options) == 431
