"""The client in memory."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from client_support import Open, Waits, make_app, outcome
from twisted.internet.defer import CancelledError
from twisted.internet.task import Clock
from twisted.trial import unittest

from cyclone.httpclient import HTTPClientError, HTTPStreamClosedError
from cyclone.httpserver import HTTPRequest, HTTPServer
from cyclone.httputil import HTTPHeaders
from cyclone.testing import Client, VirtualClock
from cyclone.testing._reactor import turn


@pytest.fixture
def client() -> Client:
    return Client(make_app())


@pytest.mark.parametrize("method", ["get", "post", "put", "delete", "patch", "options"])
def test_the_verbs(client: Client, method: str) -> None:
    response = outcome(getattr(client, method)("/echo"))
    assert (response.code, response.json()["method"]) == (200, method.upper())
    assert response.json()["version"] == "HTTP/1.1"


def test_head(client: Client) -> None:
    response = outcome(client.head("/head"))
    assert (response.headers["X-Answer"], response.body) == ("head", b"")


def test_any_method(client: Client) -> None:
    assert outcome(client.request("PROPFIND", "/echo")).code == 405
    assert outcome(client.request("get", "/echo")).code == 200


def test_cyclones_order_of_the_arguments() -> None:
    names = [
        "uri",
        "params",
        "version",
        "headers",
        "body",
        "remote_ip",
        "protocol",
        "host",
        "files",
        "connection",
    ]
    for verb in ("get", "post", "put", "delete", "head", "patch", "options"):
        found = list(inspect.signature(getattr(Client, verb)).parameters)
        assert found[1:11] == names


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"params": {"a": [1, 2], "b": "é"}}, {"arguments": {"a": ["1", "2"], "b": ["é"]}}),
        ({"version": "HTTP/1.0"}, {"version": "HTTP/1.0"}),
        ({"headers": {"X-Test": "yes"}}, {"header": "yes"}),
        ({"remote_ip": "192.0.2.7"}, {"remote_ip": "192.0.2.7"}),
        ({"remote_ip": "2001:db8::1"}, {"remote_ip": "2001:db8::1"}),
        ({"protocol": "https"}, {"protocol": "https"}),
        ({"host": "example.com:81"}, {"host": "example.com:81"}),
        ({"body": "text"}, {"body": "text"}),
        ({"json": [1]}, {"body": "[1]"}),
        (
            {"files": {"f": ("n.txt", b"file")}, "params": {"a": 1}},
            {"files": {"f": [["n.txt", "file"]]}, "arguments": {"a": ["1"]}},
        ),
    ],
    ids=lambda value: next(iter(value)),
)
def test_the_arguments(client: Client, arguments: Any, expected: dict[str, Any]) -> None:
    found = outcome(client.post("/echo", **arguments)).json()
    assert {name: found[name] for name in expected} == expected


def test_a_whole_url(client: Client) -> None:
    found = outcome(client.get("https://example.com/echo?a=1")).json()
    assert (found["protocol"], found["host"], found["uri"]) == ("https", "example.com", "/echo?a=1")


def test_the_host_of_the_client() -> None:
    client = Client(make_app(), host="testing.example")
    assert outcome(client.get("/echo")).json()["host"] == "testing.example"


def test_cookies_are_kept(client: Client) -> None:
    assert outcome(client.get("/cookies")).body == b"none"
    response = outcome(client.get("/cookies"))
    assert response.body == b"value"
    assert client.cookies.get_secure_cookie("signed") == b"value"
    assert client.cookies["plain"].value == "011"
    assert response.cookies["plain"].value == "011"
    outcome(client.delete("/cookies"))
    assert "plain" not in client.cookies
    assert outcome(client.get("/cookies", headers={"Cookie": "plain=7"})).code == 200
    assert client.cookies["plain"].value == "71"


@pytest.mark.parametrize(
    ("status", "method", "arrives"),
    [
        (301, "get", "GET"),
        (302, "get", "GET"),
        (302, "post", "GET"),
        (303, "post", "GET"),
        (307, "post", "POST"),
        (308, "post", "POST"),
    ],
)
def test_redirects(client: Client, status: int, method: str, arrives: str) -> None:
    stays = outcome(getattr(client, method)(f"/redirect/{status}"))
    assert (stays.code, stays.headers["Location"]) == (status, f"/echo?from={status}")
    send = getattr(client, method)
    final = outcome(send(f"/redirect/{status}", follow_redirects=True, headers={"X-Test": "1"}))
    assert (final.code, final.json()["method"], final.json()["header"]) == (200, arrives, "1")
    assert [one.code for one in final.history] == [status]


def test_a_redirect_keeps_the_body_when_it_keeps_the_method(client: Client) -> None:
    final = outcome(client.post("/redirect/307", {"a": "1"}, follow_redirects=True))
    assert final.json()["body"] == "a=1"


def test_redirects_end(client: Client) -> None:
    with pytest.raises(HTTPClientError, match="too many redirects"):
        outcome(client.get("/round", follow_redirects=True))


def test_errors_are_responses(client: Client) -> None:
    assert outcome(client.get("/none")).code == 404
    assert outcome(client.get("/broken")).code == 500


def test_a_response_that_breaks_off(client: Client) -> None:
    with pytest.raises(HTTPStreamClosedError):
        outcome(client.get("/aborts"))


@pytest.mark.parametrize(
    "arguments",
    [{"headers": {"X": "a\nb"}}, {"body": "x", "json": 1}, {"connection": object()}],
    ids=["header", "bodies", "connection"],
)
def test_what_cannot_be_sent(client: Client, arguments: Any) -> None:
    for deferred in (client.post("/echo", **arguments), client.stream("POST", "/", **arguments)):
        with pytest.raises(ValueError, match=r".+"):
            outcome(deferred)


def test_handlers_that_wait(client: Client) -> None:
    pending = client.get("/waits")
    assert not pending.called
    Waits.waiting.pop().callback("fired")
    assert outcome(pending).body == b"fired"
    assert outcome(client.get("/old")).body == b"inline"


def test_two_at_once(client: Client) -> None:
    first, second = client.get("/waits"), client.get("/waits")
    Waits.waiting.pop().callback("second")
    assert outcome(second).body == b"second"
    assert not first.called
    Waits.waiting.pop().callback("first")
    assert outcome(first).body == b"first"


def test_cancelling_is_going_away(client: Client) -> None:
    Waits.gone.clear()
    pending = client.get("/waits")
    pending.cancel()
    with pytest.raises(CancelledError):
        outcome(pending)
    assert Waits.gone == ["gone"]
    Waits.waiting.pop().callback("too late")


def test_closing_the_client(client: Client) -> None:
    Waits.gone.clear()
    pending, connection = client.get("/waits"), client.connect()
    client.close()
    assert (Waits.gone, connection.closed) == (["gone"], True)
    with pytest.raises(HTTPStreamClosedError):
        outcome(pending)
    Waits.waiting.pop().callback("too late")
    assert outcome(client.get("/old")).code == 200


def test_a_request_from_within_a_callback(client: Client) -> None:
    chained = client.get("/echo").addCallback(lambda _: client.get("/old"))
    assert outcome(chained).body == b"inline"


def test_large_bodies(client: Client) -> None:
    body = b"x" * 3_000_000
    assert outcome(client.put("/upload", body=body)).body == b"3000000"
    assert len(outcome(client.post("/echo", body=body)).json()["body"]) == 3_000_000


class TestTime:
    """The server's timeouts on a clock that stands still."""

    def test_a_request_that_never_comes(self) -> None:
        client = Client(make_app(first_request_timeout=15))
        connection = client.connect()
        client.clock.advance(13)
        assert not connection.closed
        client.clock.advance(4)
        assert connection.closed

    def test_keep_alive(self) -> None:
        client = Client(make_app(idle_connection_timeout=75))
        connection = client.connect()
        for _ in range(3):
            client.clock.advance(60)
            if not connection.closed:
                assert outcome(client.get("/echo", connection=connection)).code == 200
        assert connection.closed or not connection.received
        connection = client.connect()
        assert outcome(client.get("/echo", connection=connection)).code == 200
        client.clock.advance(70)
        assert outcome(client.get("/echo", connection=connection)).code == 200
        client.clock.advance(70)
        assert not connection.closed
        client.clock.advance(10)
        assert connection.closed

    def test_an_hour_takes_no_time(self) -> None:
        client = Client(make_app())
        pending = client.get("/waits")
        client.clock.advance(3600)
        assert client.clock.seconds() == 3600
        Waits.waiting.pop().callback("later")
        assert outcome(pending).body == b"later"

    def test_a_clock_of_ones_own(self) -> None:
        clock = VirtualClock()
        app = make_app(first_request_timeout=15)
        client, other = Client(app, clock), Client(app)
        assert client.clock is clock is other.clock
        connection = other.connect()
        clock.advance(20)
        assert connection.closed

    def test_the_clock_of_the_settings_stays(self) -> None:
        clock = Clock()
        client = Client(make_app(reactor=clock, monotonic=clock.seconds, first_request_timeout=15))
        assert client.clock is clock
        connection = client.connect()
        clock.pump([1] * 20)
        assert connection.closed

    def test_a_server_in_use_keeps_its_clock(self) -> None:
        app = make_app()
        client = Client(app)
        connection = client.connect()
        with pytest.raises(RuntimeError, match="cannot be changed"):
            Client(app, VirtualClock())
        connection.close()
        Client(app, VirtualClock())


def test_other_callbacks_and_servers() -> None:
    def answer(request: HTTPRequest) -> None:
        request.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        request.finish()

    for server in (answer, HTTPServer(answer)):
        client = Client(server)
        assert outcome(client.get("/")).body == b"ok"


class TestBesideTheReactor(unittest.TestCase):
    """In a running reactor, and with its clock."""

    async def test_awaited(self) -> None:
        await turn()
        client = Client(make_app())
        assert (await client.get("/old")).content == b"inline"
        pending = client.get("/waits")
        await turn()
        Waits.waiting.pop().callback("fired")
        assert not pending.called
        assert (await pending).content == b"fired"

    async def test_real_time(self) -> None:
        from twisted.internet import reactor

        await turn()
        client = Client(make_app(), clock=reactor)
        connection = client.connect()
        assert (await client.get("/old", connection=connection)).code == 200
        assert client.clock is reactor
        connection.close()
        assert connection.closed

    async def test_a_stream(self) -> None:
        await turn()
        stream = await Client(make_app()).stream("GET", "/open")
        assert await stream.read() == b"first"
        Open.current.finish("last")
        assert [data async for data in stream] == [b"last"]


# --- without awaiting -------------------------------------------------------------------------


def test_fetch(client: Client) -> None:
    response = client.fetch("POST", "/echo", {"a": "1"}, headers={"X-Test": "x"}, host="h.example")
    assert response.json()["arguments"] == {"a": ["1"]}
    assert (response.json()["header"], response.json()["host"]) == ("x", "h.example")
    assert response.raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert response.raw.endswith(b"\r\n\r\n" + response.body)
    assert client.fetch(uri="/nothing").code == 404


def test_fetch_in_the_old_way_and_with_redirects(client: Client) -> None:
    assert client.fetch(uri="/open-not", version="HTTP/1.0").code == 404
    final = client.fetch("GET", "/redirect/302", follow_redirects=True)
    assert [found.code for found in (*final.history, final)] == [302, 200]


def test_fetch_closes_its_connection_and_no_other(client: Client) -> None:
    connection = client.connect()
    client.fetch(uri="/old", connection=connection)
    client.fetch(uri="/old", connection=connection)
    assert not connection.closed
    client.fetch(uri="/old")
    assert len(client.app.connections) == 1


def test_fetch_does_not_wait(client: Client) -> None:
    Waits.gone.clear()
    with pytest.raises(AssertionError, match="GET /waits: no response at once, none"):
        client.fetch(uri="/waits")
    assert Waits.gone == ["gone"]
    Waits.waiting.pop().callback("")
    with pytest.raises(AssertionError, match=r"only a part of it: b'HTTP/1\.1 200 OK"):
        client.fetch(uri="/open")


def test_fetch_fails_as_request_does(client: Client) -> None:
    with pytest.raises(HTTPStreamClosedError):
        client.fetch(uri="/aborts")
    with pytest.raises(ValueError, match="no method"):
        client.fetch("A B")


def test_fetch_notices_what_is_behind_the_response() -> None:
    def answer(request: HTTPRequest) -> None:
        request.connection.transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc")

    with pytest.raises(AssertionError, match="more came than its response: b'bc'"):
        Client(HTTPServer(answer)).fetch()


class FetchInTheReactor(unittest.TestCase):
    async def test_fetch(self) -> None:
        assert Client(make_app()).fetch(uri="/old").body == b"inline"


def test_start_takes_cookies_and_may_be_refused(client: Client) -> None:
    connection = client.start(uri="/cookies")
    assert connection.responses()[0].code == 200
    assert client.cookies["plain"].value == "01"
    with pytest.raises(ValueError, match="no method"):
        client.start("A B")
    connection.close()
    client.start(uri="/cookies", connection=connection)
    assert len(connection.responses()) == 1


def test_without_cookies() -> None:
    client = Client(make_app(), keep_cookies=False)
    client.fetch(uri="/cookies")
    assert not client.cookies
    client.cookies["plain"] = "5"
    assert client.fetch(uri="/cookies").cookies["plain"].value == "01"


def test_an_application_with_a_time_of_its_own_keeps_it() -> None:
    now = [5.0]
    app = make_app(monotonic=lambda: now[0])
    Client(app)
    assert app.monotonic() == 5.0


def test_a_redirect_to_another_host_keeps_its_path() -> None:
    def answer(request: HTTPRequest) -> None:
        headers = HTTPHeaders({"Location": "//other.example/b"})
        status = 302 if request.path == "/a" else 200
        body = f"{request.host}{request.path}".encode()
        request.connection.write_response(request, status, None, headers, body)

    final = Client(HTTPServer(answer)).fetch(uri="/a", follow_redirects=True)
    assert final.body == b"other.example/b"
