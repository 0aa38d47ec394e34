from typing import Any

import pytest
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from cyclone.httputil import HTTPHeaders
from cyclone.web import FallbackHandler
from cyclone.web._resources import is_resource


class Echo(Resource):
    isLeaf = True

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.ends: list[str] = []
        self.open: list[Any] = []

    def render_GET(self, request: Any) -> bytes:
        request.setHeader(b"X-Path", request.path)
        request.addCookie(b"a", b"b")
        request.addCookie(b"c", b"d")
        return b"args %r host %s secure %r" % (
            sorted(request.args.items()),
            request.getRequestHostname(),
            request.isSecure(),
        )

    def render_POST(self, request: Any) -> bytes:
        request.setResponseCode(201, b"Made")
        return b"%s %r" % (request.content.read(), request.args.get(b"f"))

    def render_PUT(self, request: Any) -> int:
        self.open.append(request)
        request.notifyFinish().addCallbacks(
            lambda _: self.ends.append("done"), lambda _: self.ends.append("lost")
        )
        request.write(b"one")
        return NOT_DONE_YET

    def render_DELETE(self, request: Any) -> bytes:
        raise ValueError("broken")


class Tree(Resource):
    def __init__(self, leaf: Resource) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.putChild(b"leaf", leaf)


def client_for(serve: Any) -> tuple[Any, Echo]:
    echo = Echo()
    return serve([("/tree.*", FallbackHandler, {"fallback": _rooted(echo)})]), echo


def _rooted(echo: Echo) -> Resource:
    root = Resource()  # type: ignore[no-untyped-call]
    root.putChild(b"tree", Tree(echo))
    return root


def test_is_resource() -> None:
    assert is_resource(Echo())
    assert not is_resource(lambda request: None)


def test_get_and_head(serve: Any) -> None:
    client, _ = client_for(serve)
    response = client.fetch("GET", "/tree/leaf/x?a=1&b=2")
    assert response.status == 200
    assert response.body == b"args [(b'a', [b'1']), (b'b', [b'2'])] host example.com secure False"
    assert response.headers["X-Path"] == "/tree/leaf/x"
    assert response.headers.get_list("Set-Cookie") == ["a=b", "c=d"]
    head = client.fetch("HEAD", "/tree/leaf")
    assert (head.status, head.body) == (200, b"")


def test_post(serve: Any) -> None:
    client, _ = client_for(serve)
    headers = HTTPHeaders({"Content-Type": "application/x-www-form-urlencoded"})
    response = client.fetch("POST", "/tree/leaf", body="f=x", headers=headers)
    assert (response.status, response.reason) == (201, "Made")
    assert response.body == b"f=x [b'x']"


def test_an_answer_in_pieces(serve: Any) -> None:
    client, echo = client_for(serve)
    connection = client.start("PUT", "/tree/leaf", body="")
    assert b"\r\n3\r\none\r\n" in connection.received
    echo.open[0].write(b"two")
    echo.open[0].finish()
    (response,) = connection.responses()
    assert (response.body, response.complete, echo.ends) == (b"onetwo", True, ["done"])
    client.start("GET", "/tree/leaf", connection=connection)
    assert len(connection.responses()) == 2


def test_the_client_goes_away(serve: Any) -> None:
    client, echo = client_for(serve)
    connection = client.start("PUT", "/tree/leaf", body="")
    connection.lose()
    assert echo.ends == ["lost"]


def test_a_resource_that_raises(serve: Any) -> None:
    from twisted.logger import globalLogPublisher

    seen: list[Any] = []
    observer: Any = seen.append
    globalLogPublisher.addObserver(observer)
    try:
        client, _ = client_for(serve)
        assert client.fetch("DELETE", "/tree/leaf").status == 500
    finally:
        globalLogPublisher.removeObserver(observer)
    assert any("log_failure" in event for event in seen)


def test_the_access_log(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "cyclone.access")
    client, _ = client_for(serve)
    client.fetch("POST", "/tree/leaf?a=b", body="")
    client.start("PUT", "/tree/leaf", body="").lose()
    lines = [record.getMessage().rpartition(" ")[0] for record in caplog.records]
    assert lines == ["201 POST /tree/leaf?a=b (127.0.0.1)", "200 PUT /tree/leaf (127.0.0.1)"]
