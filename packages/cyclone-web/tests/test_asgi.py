from typing import Any

import pytest
from twisted.internet.defer import Deferred

from cyclone.httpserver import HTTPRequest
from cyclone.httputil import HTTPHeaders
from cyclone.web import FallbackHandler
from cyclone.web._asgi import asgi_scope


def routes(application: Any) -> Any:
    return [(".*", FallbackHandler, {"fallback": application})]


def test_scope() -> None:
    headers = HTTPHeaders({"X-Name": "value"})
    request = HTTPRequest(
        "POST", "/caf%C3%A9?a=b", "HTTP/1.1", headers, host="h:81", remote_ip="1.2.3.4"
    )
    scope = asgi_scope(request)
    assert (scope["type"], scope["method"], scope["http_version"]) == ("http", "POST", "1.1")
    assert (scope["path"], scope["raw_path"], scope["query_string"]) == (
        "/caf\xe9",
        b"/caf%C3%A9",
        b"a=b",
    )
    assert scope["headers"] == [(b"x-name", b"value")]
    assert (scope["client"], scope["server"], scope["scheme"]) == (
        ("1.2.3.4", 0),
        ("h", 81),
        "http",
    )


async def echo(scope: Any, receive: Any, send: Any) -> None:
    message = await receive()
    await send(
        {"type": "http.response.start", "status": 201, "headers": [(b"x-a", b"1"), (b"x-a", b"2")]}
    )
    await send({"type": "http.response.body", "body": scope["method"].encode() + message["body"]})


def test_one_piece(serve: Any) -> None:
    response = serve(routes(echo)).fetch("POST", "/", body="body")
    assert (response.status, response.body) == (201, b"POSTbody")
    assert response.headers.get_list("X-A") == ["1", "2"]
    assert response.headers["Content-Length"] == "8"


def test_several_pieces_and_the_end(serve: Any) -> None:
    gate: Deferred[None] = Deferred()

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await gate
        await send({"type": "http.response.body", "body": b"two"})

    connection = serve(routes(application)).start("GET", "/")
    assert b"one" in connection.received
    gate.callback(None)
    (response,) = connection.responses()
    assert (response.body, response.complete) == (b"onetwo", True)


def test_the_client_goes_away(serve: Any) -> None:
    seen = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        seen.append((await receive())["type"])
        try:
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})
        except OSError:
            seen.append("refused")

    serve(routes(application)).start("GET", "/").lose()
    assert seen == ["http.disconnect", "refused"]


def test_failures(serve: Any) -> None:
    async def raising(scope: Any, receive: Any, send: Any) -> None:
        raise ValueError("broken")

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    async def disorderly(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.body", "body": b"x"})

    for application in (raising, silent, disorderly):
        response = serve(routes(application)).fetch("GET", "/")
        assert response.status == 500
        assert b"broken" not in response.body


def test_a_failure_behind_the_head_cuts(serve: Any) -> None:
    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})

    connection = serve(routes(application)).start("GET", "/")
    assert connection.closed
    assert not connection.responses()[0].complete


def test_the_access_log(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    async def leaving(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await receive()

    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    caplog.set_level("INFO", "cyclone.access")
    serve(routes(echo)).fetch("POST", "/?a=b", body="body")
    serve(routes(leaving)).start("GET", "/").lose()
    serve(routes(silent)).fetch("GET", "/")
    lines = [record.getMessage().rpartition(" ")[0] for record in caplog.records]
    assert lines == ["201 POST /?a=b (127.0.0.1)", "499 GET / (127.0.0.1)", "500 GET / (127.0.0.1)"]
