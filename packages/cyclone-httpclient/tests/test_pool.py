"""Places, the queue, reuse, and the race with a server that closes (CL-12, CL-14, CL-20, F-38)."""

from __future__ import annotations

from typing import Any

import pytest
from httpclient_support import (
    Received,
    Reply,
    failure,
    new_client,
    ok,
    reactor_test,
    serving,
    turn,
    until,
)
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from cyclone.httpclient import HTTPClientError, HTTPRequest, HTTPStreamClosedError, HTTPTimeoutError
from cyclone.httpclient._connection import HTTP1Connection
from cyclone.httpclient._message import WireRequest
from cyclone.httpclient._parser import ResponseHead
from cyclone.httpclient._pool import Pool
from cyclone.httpclient._route import Route, route_to
from cyclone.httpclient._settings import Settings
from cyclone.httpclient._url import parse_url


def pool_of(client: Any) -> Pool:
    pool = client._pool
    assert isinstance(pool, Pool)
    return pool


@reactor_test
async def test_max_clients_bounds_what_is_under_way() -> None:
    async with serving(None) as server, new_client(max_clients=2) as client:
        results: list[object] = []
        fetches = [client.fetch(f"{server.url}/{number}") for number in range(5)]
        for fetching in fetches:
            fetching.addBoth(results.append)
        await until(lambda: len(server.requests) == 2)
        await turn(0.01)
        assert (pool_of(client).busy, pool_of(client).waiting) == (2, 3)
        server.open[0].transport.write(ok())
        await until(lambda: len(server.requests) == 3)
        assert server.accepted == 2
        assert [request.target for request in server.requests] == ["/0", "/1", "/2"]
        for fetching in fetches:
            fetching.cancel()
        await until(lambda: len(results) == 5)
        assert (pool_of(client).busy, pool_of(client).waiting) == (0, 0)


@reactor_test
async def test_max_clients_per_host_leaves_room_for_other_hosts() -> None:
    async with (
        serving(None) as slow,
        serving(ok()) as fast,
        new_client(max_clients=4, max_clients_per_host=2) as client,
    ):
        stuck = [client.fetch(slow.url) for _ in range(4)]
        assert (await client.fetch(fast.url)).body == b"ok"
        assert len(slow.requests) == 2
        for fetching in stuck:
            fetching.cancel()
            await failure(fetching, CancelledError)


@reactor_test
async def test_the_queue_is_bounded() -> None:
    async with serving(None) as server, new_client(max_clients=1, max_queue_size=2) as client:
        waiting = [client.fetch(server.url) for _ in range(3)]
        error = await failure(client.fetch(server.url), HTTPClientError)
        assert error.code == 599
        assert "waiting" in str(error)
        for fetching in waiting:
            fetching.cancel()
            await failure(fetching, CancelledError)


@reactor_test
async def test_a_queue_of_requests_that_cannot_connect_is_no_recursion() -> None:
    def refuse(host: str, ip: str, port: int) -> bool:
        return False

    async with (
        serving(None) as server,
        new_client(max_clients=1, allow_address=lambda h, ip, p: p != 1) as client,
    ):
        first = client.fetch(server.url)
        results: list[object] = []
        for _ in range(2000):
            client.fetch("http://127.0.0.1:1/").addBoth(results.append)
        first.cancel()
        await failure(first, CancelledError)
        await until(lambda: len(results) == 2000)
        assert pool_of(client).busy == 0


@reactor_test
async def test_F_38_a_connection_that_the_server_closed_is_not_used() -> None:
    async with serving(Reply(ok(), "close")) as server, new_client() as client:
        for _ in range(3):
            await client.fetch(server.url)
            await until(lambda: not server.open)
        assert server.accepted == 3


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("then", ["close", "abort"])
@reactor_test
async def test_F_38_idempotent_requests_are_tried_once_more(method: str, then: str) -> None:
    """The server closes just when the second request arrives."""

    def answer(request: Received) -> Reply:
        if request.connection == 1 and request.target == "/2":
            return Reply(b"", then)
        return Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    body = b"x" if method == "PUT" else None
    async with serving(answer) as server, new_client(max_clients=1) as client:
        await client.fetch(server.url + "/1")
        response = await client.fetch(server.url + "/2", method=method, body=body)
        assert response.code == 200
        seen = [(request.target, request.connection) for request in server.requests]
        assert seen == [("/1", 1), ("/2", 1), ("/2", 2)]
        assert pool_of(client).busy == 0


@pytest.mark.parametrize(
    ("method", "body"),
    [("POST", b"x"), ("PATCH", b"x"), ("PUT", iter([b"x"]))],
    ids=["POST", "PATCH", "PUT-once"],
)
@reactor_test
async def test_F_38_others_are_not(method: str, body: Any) -> None:
    def answer(request: Received) -> Reply:
        return Reply(b"", "close") if request.target == "/2" else Reply(ok())

    async with serving(answer) as server, new_client(max_clients=1) as client:
        await client.fetch(server.url + "/1")
        await failure(
            client.fetch(server.url + "/2", method=method, body=body), HTTPStreamClosedError
        )
        assert len(server.requests) == 2
        assert (await client.fetch(server.url + "/3")).body == b"ok"


@reactor_test
async def test_F_38_only_once_and_not_on_a_new_connection() -> None:
    def answer(request: Received) -> Reply:
        return Reply(b"", "close") if request.target == "/2" else Reply(ok())

    async with serving(answer) as server, new_client(max_clients=1) as client:
        await failure(client.fetch(server.url + "/2"), HTTPStreamClosedError)
        assert len(server.requests) == 1
        await client.fetch(server.url + "/1")
        await failure(client.fetch(server.url + "/2"), HTTPStreamClosedError)
        assert len(server.requests) == 4


@reactor_test
async def test_F_38_not_when_a_part_of_the_response_came() -> None:
    def answer(request: Received) -> Reply:
        return Reply(b"HTTP/1.1 2", "close") if request.target == "/2" else Reply(ok())

    async with serving(answer) as server, new_client(max_clients=1) as client:
        await client.fetch(server.url + "/1")
        await failure(client.fetch(server.url + "/2"), HTTPStreamClosedError)
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    "reply",
    [
        ok(b"x", "Connection: close"),
        b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
        ok(b"x") + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        ok(b"x") + b"\r\n",
    ],
    ids=["close", "http10", "second-response", "extra-crlf"],
)
@reactor_test
async def test_CL_12_what_is_not_used_again(reply: bytes) -> None:
    async with serving(reply) as server, new_client(max_clients=1) as client:
        for number in (1, 2):
            assert (await client.fetch(server.url)).body == b"x"
            assert server.requests[-1].connection == number


@reactor_test
async def test_CL_12_bytes_on_an_idle_connection_end_it() -> None:
    async with serving(ok(b"first")) as server, new_client(max_clients=1) as client:
        await client.fetch(server.url)
        server.open[0].transport.write(ok(b"evil"))
        await until(lambda: not server.open)
        server.answer = lambda _: ok(b"second")
        assert (await client.fetch(server.url)).body == b"second"
        assert pool_of(client).idle == 1


BASE: dict[str, Any] = {"url": "https://h/"}
DIFFERENT: dict[str, dict[str, Any]] = {
    "host": {"url": "https://g/"},
    "port": {"url": "https://h:444/"},
    "scheme": {"url": "http://h/"},
    "sni": {"server_hostname": "g"},
    "client-cert": {"client_cert": "/c.pem"},
    "client-key": {"client_cert": "/c.pem", "client_key": "/k.pem"},
    "ca": {"ca_certs": "/ca.pem"},
    "unverified": {"validate_cert": False},
    "ssl-options": {"ssl_options": {"cert_reqs": 0}},
    "proxy": {"proxy_host": "p", "proxy_port": 1},
    "proxy-auth": {"proxy_host": "p", "proxy_port": 1, "proxy_username": "u"},
    "interface": {"network_interface": "127.0.0.1"},
    "unix": {"unix_socket": "/s"},
    "ipv6": {"allow_ipv6": False},
}


def test_CL_14_routes_that_differ_do_not_share_connections() -> None:
    routes = {}
    for name, options in {"base": BASE, **DIFFERENT}.items():
        request = HTTPRequest(**{**BASE, **options})
        target = parse_url(request.url)
        routes[name] = route_to(target, Settings().merged(request))
    assert len(set(routes.values())) == len(routes)
    again = route_to(parse_url("https://h/other"), Settings())
    assert again == routes["base"]


# With a fake clock and connections in memory


class _Transport:
    def __init__(self, protocol: HTTP1Connection) -> None:
        self.protocol = protocol
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def loseConnection(self) -> None:
        self.closed = True

    abortConnection = loseConnection

    def pauseProducing(self) -> None: ...

    resumeProducing = pauseProducing


class _Connector:
    def __init__(self) -> None:
        self.transports: list[_Transport] = []
        self.pending: list[Deferred[HTTP1Connection]] = []
        self.hold = False
        self.cancelled = 0

    def connect(self, route: Route) -> Deferred[HTTP1Connection]:
        connection = HTTP1Connection(route)
        transport = _Transport(connection)
        connection.makeConnection(transport)  # type: ignore[no-untyped-call]
        self.transports.append(transport)

        def cancel(_: object) -> None:
            self.cancelled += 1

        done: Deferred[HTTP1Connection] = Deferred(cancel)
        if self.hold:
            self.pending.append(done)
        else:
            done.callback(connection)
        return done


class _Sink:
    def __init__(self) -> None:
        self.events: list[object] = []

    def head_received(self, head: ResponseHead) -> None:
        self.events.append(head.code)

    def body_received(self, data: bytes) -> None:
        self.events.append(data)

    def response_complete(self) -> None:
        self.events.append("complete")

    def exchange_failed(self, error: Exception) -> None:
        self.events.append(error)


def make(**options: Any) -> tuple[Clock, _Connector, Pool]:
    clock, connector = Clock(), _Connector()
    values = {"max_total": 10, "max_per_route": 10, "max_queue": 10, "idle_timeout": 100.0}
    pool = Pool(clock, clock.seconds, connector, **{**values, **options})
    return clock, connector, pool


def wire(url: str = "http://h/", connect_timeout: float = 20) -> WireRequest:
    target = parse_url(url)
    settings = Settings()
    from cyclone.httputil import HTTPHeaders

    return WireRequest(
        "GET",
        target,
        route_to(target, settings),
        HTTPHeaders(),
        None,
        connect_timeout=connect_timeout,
    )


def exchange(pool: Pool, connector: _Connector, url: str = "http://h/", data: bytes = b"") -> _Sink:
    sink = _Sink()
    pool.send(wire(url), sink)
    connector.transports[-1].protocol.dataReceived(data or ok())
    return sink


def test_idle_connections_are_closed_after_their_time() -> None:
    clock, connector, pool = make()
    exchange(pool, connector)
    clock.advance(60)
    exchange(pool, connector, "http://g/")
    assert pool.idle == 2
    clock.advance(40)
    assert [transport.closed for transport in connector.transports] == [True, False]
    clock.advance(60)
    assert [transport.closed for transport in connector.transports] == [True, True]
    assert pool.idle == 0
    assert not clock.getDelayedCalls()


def test_a_connection_that_was_used_meanwhile_stays() -> None:
    clock, connector, pool = make()
    exchange(pool, connector)
    clock.advance(99)
    exchange(pool, connector)
    clock.advance(50)
    assert len(connector.transports) == 1
    assert pool.idle == 1


def test_no_more_idle_connections_than_max_total() -> None:
    _clock, connector, pool = make(max_total=2)
    for host in "abc":
        exchange(pool, connector, f"http://{host}/")
    assert pool.idle == 2
    assert [transport.closed for transport in connector.transports] == [True, False, False]


def test_without_idle_time_the_response_waits_for_the_close() -> None:
    clock, connector, pool = make(idle_timeout=0)
    sink = exchange(pool, connector)
    assert sink.events == [200, b"ok"]
    transport = connector.transports[0]
    assert transport.closed
    assert pool.busy == 1
    from twisted.internet.error import ConnectionDone
    from twisted.python.failure import Failure

    transport.protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]
    assert sink.events[-1] == "complete"
    assert (pool.busy, pool.idle) == (0, 0)
    assert not clock.getDelayedCalls()


def test_the_connect_timeout_covers_the_way_to_a_ready_connection() -> None:
    clock, connector, pool = make(max_total=1)
    connector.hold = True
    first, second = _Sink(), _Sink()
    pool.send(wire(connect_timeout=5), first)
    pool.send(wire(connect_timeout=7), second)
    clock.advance(5)
    (error,) = first.events
    assert isinstance(error, HTTPTimeoutError)
    assert (str(error), error.phase) == ("Timeout while connecting", "connect")
    assert connector.cancelled == 1
    assert len(connector.pending) == 2
    clock.advance(2)
    (error,) = second.events
    assert isinstance(error, HTTPTimeoutError)
    assert error.phase == "connect"
    assert (pool.busy, pool.waiting) == (0, 0)
    assert not clock.getDelayedCalls()


def test_F_37_cancelled_while_connecting() -> None:
    clock, connector, pool = make()
    connector.hold = True
    sink = _Sink()
    handle = pool.send(wire(), sink)
    handle.cancel()
    handle.cancel()
    assert (connector.cancelled, pool.busy, sink.events) == (1, 0, [])
    assert not clock.getDelayedCalls()


def test_a_route_does_not_starve_the_others() -> None:
    _clock, connector, pool = make(max_total=1)
    sinks = {}
    for name in ("a1", "a2", "a3", "b1"):
        sinks[name] = _Sink()
        pool.send(wire(f"http://{name[0]}/"), sinks[name])
    order = []
    for _ in range(4):
        for transport in connector.transports:
            if not transport.protocol.closed and transport.protocol._sink is not None:
                order.append(transport.protocol.route.host)
                transport.protocol.dataReceived(ok())
                break
    assert order == ["a", "a", "b", "a"]
    assert all(sink.events[-1] == "complete" for sink in sinks.values())


def test_close_ends_everything() -> None:
    clock, connector, pool = make(max_total=2)
    exchange(pool, connector)
    connector.hold = True
    sinks = [_Sink() for _ in range(3)]
    for sink in sinks:
        pool.send(wire("http://g/"), sink)
    pool.close()
    assert all(isinstance(sink.events[0], HTTPClientError) for sink in sinks)
    assert (pool.busy, pool.waiting, pool.idle) == (0, 0, 0)
    late = _Sink()
    pool.send(wire(), late)
    assert isinstance(late.events[0], HTTPClientError)
    assert not clock.getDelayedCalls()
