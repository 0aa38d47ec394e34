"""Routers and message delegates as callbacks of the server, and in an application."""

from typing import Any

import pytest
from twisted.internet.defer import Deferred

from cyclone.httpserver import HTTPServer
from cyclone.httputil import (
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    ResponseStartLine,
)
from cyclone.web import (
    Application,
    HostMatches,
    HTTPError,
    PathMatches,
    RequestHandler,
    ReversibleRouter,
    Router,
    Rule,
    RuleRouter,
)


class Talker(HTTPMessageDelegate):
    """Answers with all it was told."""

    def __init__(self, connection: Any, wait: Deferred[None] | None = None) -> None:
        self.connection = connection
        self.told: list[bytes] = []
        self.wait = wait

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        self.told.append(f"{start_line.method} {start_line.path}".encode())
        return self.wait

    def data_received(self, chunk: bytes) -> None:
        self.told.append(chunk)

    def finish(self) -> None:
        body = b"|".join(self.told)
        self.connection.write_headers(
            ResponseStartLine("HTTP/1.1", 200, "OK"),
            HTTPHeaders({"Content-Length": str(len(body))}),
            body,
        )
        self.connection.finish()

    def on_connection_close(self) -> None:
        self.told.append(b"closed")


class BasicRouter(Router):
    def __init__(self, wait: Deferred[None] | None = None) -> None:
        self.wait = wait
        self.made: list[Talker] = []

    def find_handler(self, request: Any, **kwargs: Any) -> Any:
        self.made.append(Talker(request.connection, self.wait))
        return self.made[-1]


class Behind(Application):
    """An application's place, so that the fixture can make a client of a plain callback."""

    callback: Any = None

    def __init__(self, handlers: Any, **settings: Any) -> None:
        HTTPServer.__init__(self, handlers, **settings)


def test_a_router_is_a_callback(serve: Any) -> None:
    client = serve(BasicRouter(), application=Behind)
    assert client.fetch("GET", "/any").body == b"GET /any"
    assert client.fetch("POST", "/x", body="body").body == b"POST /x|body"


def test_a_delegate_that_waits_for_its_head(serve: Any) -> None:
    gate: Deferred[None] = Deferred()
    connection = serve(BasicRouter(gate), application=Behind).start("POST", "/x", body="body")
    assert connection.received == b""
    gate.callback(None)
    assert connection.responses()[0].body == b"POST /x|body"


def test_a_client_that_goes_away_in_its_body(serve: Any) -> None:
    router = BasicRouter()
    connection = serve(router, application=Behind).connect()
    connection.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nbo")
    connection.lose()
    assert router.made[0].told == [b"POST /", b"bo", b"closed"]


def test_a_delegate_that_fails_cuts_the_connection(
    serve: Any, caplog: pytest.LogCaptureFixture
) -> None:
    gate: Deferred[None] = Deferred()
    connection = serve(BasicRouter(gate), application=Behind).start("GET", "/x")
    gate.errback(ValueError("broken"))
    assert connection.closed
    assert "broken" in caplog.text


resources: dict[str, bytes] = {}


class GetResource(RequestHandler):
    def get(self, path: str) -> None:
        if path not in resources:
            raise HTTPError(404)
        self.finish(resources[path])


class PostResource(RequestHandler):
    def post(self, path: str) -> None:
        resources[path] = self.request.body


class MethodRouter(Router):
    def __init__(self, application: Application) -> None:
        self.application = application

    def find_handler(self, request: Any, **kwargs: Any) -> Any:
        handler = GetResource if request.method == "GET" else PostResource
        return self.application.get_handler_delegate(
            request,
            handler,
            path_args=[request.path],
        )


def test_a_router_by_method(serve: Any) -> None:
    client = serve(MethodRouter(Application()), application=Behind)
    assert client.fetch("POST", "/post_resource", body="data").status == 200
    assert client.fetch("GET", "/get_resource").status == 404
    assert client.fetch("GET", "/post_resource").body == b"data"


def named(name: str) -> type[RequestHandler]:
    def get(self: RequestHandler) -> None:
        self.finish(f"{name}: {self.reverse_url(name)}")

    return type(name, (RequestHandler,), {"get": get})


First, Second = named("first"), named("second")


class ByTable(ReversibleRouter):
    def __init__(self, routes: dict[str, Any]) -> None:
        self.routes = routes

    def find_handler(self, request: Any, **kwargs: Any) -> Any:
        if request.path not in self.routes:
            return None
        application, handler = self.routes[request.path]
        return application.get_handler_delegate(request, handler)

    def reverse_url(self, name: str, *args: Any, **kwargs: Any) -> str | None:
        return "/" + name if "/" + name in self.routes else None


class Started(HTTPServerConnectionDelegate):
    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:
        return Talker(request_conn)

    def on_close(self, server_conn: object) -> None:
        pass


def test_every_kind_of_target(serve: Any) -> None:
    client = serve([])
    application = client.app

    def called(request: Any) -> None:
        request.connection.write_response(request, 200, None, b"", b"called")

    application.add_handlers(
        ".*",
        [
            (
                HostMatches("www.example.org"),
                [(PathMatches("/first"), Second, {}, "second")],
            ),
            Rule(PathMatches("/.*nested"), ByTable({"/nested": (application, named("nested"))})),
            Rule(PathMatches("/first"), First, name="first"),
            Rule(PathMatches("/called"), called),
            ("/started", Started()),
        ],
    )
    got = {
        path: client.fetch("GET", path).body
        for path in ("/first", "/nested", "/called", "/started")
    }
    assert got == {
        "/first": b"first: /first",
        "/nested": b"nested: /nested",
        "/called": b"called",
        "/started": b"GET /started",
    }
    other = client.fetch("GET", "/first", headers={"Host": "www.example.org"})
    assert other.body == b"second: /first"
    assert client.fetch("GET", "/not_nested").status == 404
    assert client.fetch("GET", "/404").status == 404
    assert client.fetch("POST", "/started", body="b").body == b"POST /started|b"


def test_nested_applications(serve: Any) -> None:
    router = RuleRouter(
        [
            (PathMatches("/one.*"), Application([("/one/test", First, {}, "first")])),
            ("/two", Application([("/two", Second, {}, "second")])),
        ]
    )
    client = serve(router, application=Behind)
    assert client.fetch("GET", "/one/test").body == b"first: /one/test"
    assert client.fetch("GET", "/two").body == b"second: /two"
    assert client.fetch("GET", "/one/none").status == 404
    response = client.fetch("GET", "/none")
    assert (response.status, response.body) == (404, b"")


def test_start_request(serve: Any) -> None:
    """A router asked as a connection delegate finds the real one when the head is in."""
    application = Application([("/x", PostEcho)])

    class Delegating(Router):
        def find_handler(self, request: Any, **kwargs: Any) -> Any:
            return application.start_request(None, request.connection)

    client = serve(Delegating(), application=Behind)
    assert client.fetch("POST", "/x", body="body").body == b"body"
    assert client.fetch("GET", "/none").status == 404


class PostEcho(RequestHandler):
    def post(self) -> None:
        self.finish(self.request.body)


class Words(RequestHandler):
    def initialize(self, reply: str = "") -> None:
        self.reply = reply

    def get(self, *args: str, **kwargs: str) -> None:
        self.write(self.reply or {"args": list(args), "kwargs": kwargs})


def test_hosts(serve: Any) -> None:
    client = serve([("/foo", Words, {"reply": "wildcard"})])
    add = client.app.add_handlers
    add("www.example.com", [("/foo", Words, {"reply": "0"})])
    add(r"www\.example\.com", [("/bar", Words, {"reply": "1"})])
    add("www.e.*e.com", [("/baz", Words, {"reply": "3"})])

    def ask(path: str, host: str) -> Any:
        return client.fetch("GET", path, headers={"Host": host})

    assert ask("/foo", "other").body == b"wildcard"
    assert ask("/bar", "other").status == 404
    assert ask("/foo", "www.example.com").body == b"0"
    assert ask("/bar", "www.example.com:80").body == b"1"
    assert ask("/baz", "www.exe.com").body == b"3"


def test_the_default_host(serve: Any) -> None:
    client = serve([], default_host="www.example.com")
    client.app.add_handlers("www.example.com", [("/foo", Words, {"reply": "0"})])
    client.app.add_handlers("www.test.com", [("/baz", Words, {"reply": "2"})])
    assert client.fetch("GET", "/foo", headers={"Host": "any"}).body == b"0"
    assert client.fetch("GET", "/baz", headers={"Host": "any"}).status == 404
    assert (
        client.fetch("GET", "/foo", headers={"Host": "any", "X-Real-Ip": "1.2.3.4"}).status == 404
    )
    client.app.default_host = "www.test.com"
    assert client.fetch("GET", "/baz", headers={"Host": "any"}).body == b"2"


@pytest.mark.parametrize(
    ("path", "args", "kwargs"),
    [
        ("/p/a%2Fb+c/%C3%A9", ["a/b+c", "\xe9"], {}),
        ("/n/%25/x", [], {"a": "%", "b": "x"}),
        ("/n/1/", [], {"a": "1", "b": ""}),
    ],
)
def test_arguments_from_the_path(
    serve: Any, path: str, args: list[str], kwargs: dict[str, str]
) -> None:
    import json

    client = serve([("/p/(.*)/(.*)", Words), ("/n/(?P<a>.*)/(?P<b>.*)", Words)])
    assert json.loads(client.fetch("GET", path).body) == {"args": args, "kwargs": kwargs}
