"""Application: a router, a factory, and the settings."""

from __future__ import annotations

import importlib
import socket
from typing import Any

import pytest
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol, connectionDone
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from cyclone.httpserver import HTTPConnection, HTTPServer
from cyclone.web import (
    Application,
    GZipContentEncoding,
    HTTPError,
    OutputTransform,
    RequestHandler,
    URLSpec,
)


class Hello(RequestHandler):
    def initialize(self, greeting: str = "Hello") -> None:
        self.greeting = greeting

    def get(self, name: str = "world") -> None:
        self.write(f"{self.greeting}, {name}")


# A router of one's own may well give text.
str_argument: Any = "str"
OWN = {"greeting": "Own"}


# --- routes -------------------------------------------------------------------------------


def test_routes_with_keywords_and_names(serve: Any) -> None:
    handlers = [
        (r"/", Hello),
        (r"/bye", Hello, {"greeting": "Bye"}),
        (r"/name/(\w+)", Hello, {}, "named"),
        URLSpec(r"/spec/(\w+)", Hello, name="spec"),
    ]
    client = serve(handlers)
    assert client.fetch("GET", "/").text == "Hello, world"
    assert client.fetch("GET", "/bye").text == "Bye, world"
    assert client.fetch("GET", "/name/you").text == "Hello, you"
    assert client.app.reverse_url("named", "me") == "/name/me"
    assert client.app.reverse_url("spec", "me") == "/spec/me"
    with pytest.raises(KeyError):
        client.app.reverse_url("nowhere")


def test_the_first_match_wins_and_literals_are_remembered(serve: Any) -> None:
    handlers = [
        (r"/a.*", Hello, {"greeting": "pattern"}),
        (r"/ab", Hello, {"greeting": "literal"}),
        (r"/b", Hello, {"greeting": "b"}),
    ]
    client = serve(handlers)
    for _ in range(3):
        assert client.fetch("GET", "/ab").text == "pattern, world"
        assert client.fetch("GET", "/b?x=1").text == "b, world"
        assert client.fetch("GET", "/b").text == "b, world"
    assert list(client.app._literal_routes) == ["/b"]
    client.app.wildcard_router.rules.insert(0, URLSpec("/b", Hello, {"greeting": "new"}))
    assert client.fetch("GET", "/b").text == "new, world"


def test_changes_of_the_routers_are_seen_at_once(serve: Any) -> None:
    client = serve([(r"/b", Hello), (r"/x/(.*)", Hello)])

    def answers() -> list[str]:
        return [client.fetch("GET", path).text for path in ("/b", "/b", "/x/me")]

    assert answers() == ["Hello, world", "Hello, world", "Hello, me"]
    client.app.add_handlers(r"127\.0\.0\.1|localhost|.*", [(r"/b", Hello, {"greeting": "Host"})])
    assert answers() == ["Host, world", "Host, world", "Hello, me"]
    del client.app.default_router.rules[0]
    assert answers() == ["Hello, world", "Hello, world", "Hello, me"]
    client.app.wildcard_router.rules = [URLSpec("/(b|x/.*)", Hello, {"greeting": "New"})]
    assert answers() == ["New, b", "New, b", "New, x/me"]
    client.app.default_router.rules = [URLSpec("/(b|x/.*)", Hello, {"greeting": "Top"})]
    assert answers() == ["Top, b", "Top, b", "Top, x/me"]


def test_cn_14_remembered_paths_are_bounded_by_the_routes(serve: Any) -> None:
    client = serve([(r"/", Hello), (r"/x/(.*)", Hello)])
    for number in range(50):
        client.fetch("GET", f"/x/{number}")
        client.fetch("GET", f"/?{number}")
        client.fetch("GET", f"/none/{number}")
    assert len(client.app._literal_routes) <= 1


def test_hosts(serve: Any) -> None:
    client = serve([("/", Hello, {"greeting": "any"})])
    assert client.fetch("GET", "/").text == "any, world"
    client.app.add_handlers(r"www\.a\.com", [("/", Hello, {"greeting": "a"})])
    assert client.fetch("GET", "/", headers={"Host": "www.a.com"}).text == "a, world"
    assert client.fetch("GET", "/", headers={"Host": "WWW.A.com:80"}).text == "a, world"
    assert client.fetch("GET", "/", headers={"Host": "b.com"}).text == "any, world"


def test_default_host(serve: Any) -> None:
    client = serve([], default_host="www.a.com")
    client.app.add_handlers(r"www\.a\.com", [("/", Hello)])
    assert client.fetch("GET", "/", headers={"Host": "b.com"}).status == 200
    proxied = {"Host": "b.com", "X-Real-Ip": "1.2.3.4"}
    assert client.fetch("GET", "/", headers=proxied).status == 404


def test_a_handler_by_name(serve: Any) -> None:
    client = serve([("/", "cyclone.web.ErrorHandler", {"status_code": 418})])
    assert client.fetch("GET", "/").status == 418
    with pytest.raises(ImportError):
        Application([("/", "cyclone.web.Missing")])


@pytest.mark.parametrize(
    "settings",
    [
        {"default_handler_class": Hello, "default_handler_args": {"greeting": "lost"}},
        {"error_handler": None},
    ],
)
def test_nothing_matches(serve: Any, settings: dict[str, Any]) -> None:
    client = serve([], **settings)
    response = client.fetch("GET", "/nowhere")
    if "default_handler_class" in settings:
        assert response.text == "lost, world"
    else:
        assert response.status == 404
        assert "404: Not Found" in response.text
        assert client.fetch("POST", "/nowhere", body="a=1").status == 404


def test_error_handler_is_given_the_status(serve: Any) -> None:
    class Lost(RequestHandler):
        def initialize(self, status_code: int) -> None:
            self.set_status(status_code)

        def get(self) -> None:
            self.write("lost")

    response = serve([], error_handler=Lost).fetch("GET", "/nowhere")
    assert (response.status, response.text) == (404, "lost")


@pytest.mark.parametrize("again", [False, True], ids=["first", "known-path"])
def test_a_small_body_obeys_its_handler(serve: Any, again: bool) -> None:
    class Form(RequestHandler):
        def post(self) -> None:
            self.write(f"{self.get_body_argument('a')} {len(self.request.body)}")

    class Small(Form):
        max_body_size = 4

    class Own(Application):
        def headers_received(self, request: Any) -> Any:
            heads.append(request.path)
            return super().headers_received(request)

    heads: list[str] = []
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    handlers = [("/form", Form), ("/small", Small), (r"/form/(\d+)", Form)]
    for application in (Application, Own):
        client = serve(handlers, application=application)
        for _ in range(1 + again):
            response = client.fetch("POST", "/form", body="a=%C3%BC+1&b=", headers=form)
            assert (response.status, response.text) == (200, "\u00fc 1 13")
            assert client.fetch("POST", "/small", body="a=345", headers=form).status == 413
    assert heads == ["/form", "/small"] * (1 + again)


def test_f_22_an_error_in_routing_is_a_500(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Application):
        def find_handler(self, request: Any, **kwargs: Any) -> Any:
            raise ValueError("broken routing")

    assert serve([], application=Broken).fetch("GET", "/").status == 500
    assert "broken routing" in caplog.text


def test_find_handler_can_be_overridden(serve: Any) -> None:
    class Own(Application):
        def find_handler(self, request: Any, **kwargs: Any) -> Any:
            if request.path == "/own":
                return self.get_handler_delegate(
                    request, Hello, {"greeting": "Own"}, [str_argument]
                )
            return super().find_handler(request, **kwargs)

    client = serve([("/", Hello)], application=Own)
    assert client.fetch("GET", "/own").text == "Own, str"
    assert client.fetch("GET", "/").text == "Hello, world"
    assert client.fetch("GET", "/none").status == 404
    assert client.fetch("POST", "/own", body="x").status == 405


def test_an_application_inside_an_application(serve: Any) -> None:
    inner = Application([(r"/in/(\w+)", Hello, {"greeting": "inner"})])
    client = serve([(r"/in/.*", inner), (r"/", Hello)])
    assert client.fetch("GET", "/in/a").text == "inner, a"
    assert client.fetch("GET", "/in/a/b").status == 404
    assert client.fetch("GET", "/").text == "Hello, world"


# --- settings -----------------------------------------------------------------------------


def test_cyclones_way_to_subclass(serve: Any, clock: Clock) -> None:
    class Old(Application):
        def __init__(self, **more: Any) -> None:
            handlers = [("/", Hello)]
            Application.__init__(self, handlers, cookie_secret="0" * 32, **more)

    application = Old(reactor=clock)
    assert application.settings["cookie_secret"] == "0" * 32
    assert isinstance(application.buildProtocol(None), HTTPConnection)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"debug": True}, (True, False, False, True)),
        (
            {"debug": True, "autoreload": False, "serve_traceback": False},
            (False, False, False, False),
        ),
        ({}, (None, None, None, None)),
    ],
)
def test_what_debug_stands_for(given: dict[str, Any], expected: tuple[Any, ...]) -> None:
    names = ("autoreload", "compiled_template_cache", "static_hash_cache", "serve_traceback")
    settings = Application([], **given).settings
    assert tuple(settings.get(name) for name in names) == expected


def test_debug_can_be_turned_on_later() -> None:
    application = Application([], autoreload=False, serve_traceback=False)
    application.enable_debug()
    made = Application([], autoreload=False, serve_traceback=False, debug=True)
    assert application.settings == made.settings
    for one in (application, made):
        assert one._observer is not None
        assert one._observer._blocked_after == 0.1
        assert one._open_requests._warn_after == 10
        assert one._forgets_files


def test_limits_are_settings(serve: Any) -> None:
    application = Application([], max_body_size=10, xheaders=True, unrelated=object())
    assert application.options.max_body_size == 10
    assert application.options.xheaders is True
    assert HTTPServer(application, max_body_size=20).options.max_body_size == 20


@pytest.mark.parametrize("name", ["compress_response", "gzip"])
def test_compression_is_a_setting(name: str) -> None:
    setting: dict[str, Any] = {name: True}
    assert Application([], **setting).transforms == [GZipContentEncoding]
    assert Application([]).transforms == []


def test_add_transform(serve: Any) -> None:
    class Shout(OutputTransform):
        def transform_first_chunk(self, status: Any, headers: Any, chunk: Any, end: Any) -> Any:
            return status, headers, chunk.upper()

    client = serve([("/", Hello)])
    client.app.add_transform(Shout)
    assert client.fetch("GET", "/").text == "HELLO, WORLD"


def test_debug_forgets_static_versions(serve: Any) -> None:
    from cyclone.web import StaticFileHandler

    resets: list[str] = []

    class Counting(StaticFileHandler):
        @classmethod
        def reset(cls) -> None:
            resets.append("reset")

    client = serve([("/", Hello)], static_hash_cache=False, static_handler_class=Counting)
    client.fetch("GET", "/")
    assert resets == ["reset"]


def test_autoreload_starts_with_the_port_not_before(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Application] = []
    monkeypatch.setattr(Application, "_start_autoreload", lambda self: started.append(self))
    application = Application([], debug=True)
    assert started == []
    application.doStart()
    assert started == [application]


# --- real sockets -------------------------------------------------------------------------


endpoints: Any = importlib.import_module("twisted.internet.endpoints")


def listen(application: Application) -> Any:
    """Listen as the overview does, on a port of the system's choice."""
    tcp: Any = reactor
    return tcp.listenTCP(0, application, interface="127.0.0.1")


class Getter(Protocol):
    def __init__(self, path: str) -> None:
        self.path = path
        self.data = b""
        self.done: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        assert self.transport is not None
        request = f"GET {self.path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        self.transport.write(request.encode())

    def dataReceived(self, data: bytes) -> None:
        self.data += data

    def connectionLost(self, reason: Any = connectionDone) -> None:
        self.done.callback(self.data)


class ListeningTests(TestCase):
    """The application over real sockets."""

    async def get(self, port: int, path: str = "/") -> bytes:

        getter = Getter(path)
        await endpoints.connectProtocol(
            endpoints.TCP4ClientEndpoint(reactor, "127.0.0.1", port), getter
        )
        return await getter.done

    async def test_listen_tcp(self) -> None:
        port = listen(Application([("/", Hello)]))
        try:
            answer = await self.get(port.getHost().port)
        finally:
            await port.stopListening()
        assert answer.endswith(b"Hello, world")

    async def test_an_endpoint(self) -> None:
        endpoint = endpoints.serverFromString(reactor, "tcp:0:interface=127.0.0.1")
        port = await endpoint.listen(Application([("/", Hello)]))
        try:
            answer = await self.get(port.getHost().port)
        finally:
            await port.stopListening()
        assert answer.endswith(b"Hello, world")

    async def test_listen_and_stop(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            number = free.getsockname()[1]
        application = Application([("/", Hello)])
        server = application.listen(number, "127.0.0.1", max_body_size=5, backlog=10)
        assert server.options.max_body_size == 5
        try:
            assert (await self.get(number)).endswith(b"Hello, world")
        finally:
            await server.stop()

    async def test_listen_as_in_tornado(self) -> None:
        application = Application([("/", Hello)])
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            number = free.getsockname()[1]
        port: Any = str(number)
        server = application.listen(port, family=socket.AF_UNSPEC, flags=None)
        try:
            assert (await self.get(number)).endswith(b"Hello, world")
        finally:
            await server.stop()

    async def test_listen_on_ipv6(self) -> None:
        listened: list[str] = []
        reactor = Clock()
        reactor.listenTCP = lambda port, factory, backlog, interface: listened.append(interface)  # type: ignore[attr-defined]
        application = Application([], reactor=reactor)
        application.listen(8888, family=socket.AF_INET6)
        assert listened == ["::"]

    async def test_big_answers_arrive_whole(self) -> None:
        class Big(RequestHandler):
            async def get(self) -> None:
                for _ in range(64):
                    self.write(b"x" * 65536)
                    await self.flush()

        port = listen(Application([("/", Big)]))
        try:
            answer = await self.get(port.getHost().port)
        finally:
            await port.stopListening()
        assert answer.count(b"x" * 65536) == 64
        assert answer.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((Hello,), "handlers are a list"), (([], {"debug": True}), "settings are keywords")],
)
def test_arguments_in_the_wrong_place(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(TypeError, match=message):
        Application(*arguments)


def test_it_is_a_factory_with_a_protocol() -> None:
    assert Application.protocol is HTTPConnection
    assert callable(Application([]))
    assert issubclass(Application, HTTPServer)


def test_http_errors_of_a_head(serve: Any) -> None:
    class Picky(RequestHandler):
        def prepare(self) -> None:
            if self.request.headers.get("X-Bad"):
                raise HTTPError(422)

        def get(self) -> None:
            self.write("ok")

    client = serve([("/", Picky)])
    assert client.fetch("GET", "/", headers={"X-Bad": "1"}).status == 422


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_subclass_may_have_attributes_of_any_name(serve: Any, when: str) -> None:
    """A port from Tornado has no reason to know what this class's own attributes are called."""

    class Program(Application):
        def __init__(self, *args: Any, **settings: Any) -> None:
            if when == "before":
                self._set()
            super().__init__(*args, **settings)
            if when == "after":
                self._set()

        def _set(self) -> None:
            self.options = {"port": 8888}
            self.connections = ["mine"]
            self.closing = self.proxy = "mine"
            self.protocol = "https"

        def start(self) -> str:  # type: ignore[override]
            return "started"

        def stop(self) -> str:  # type: ignore[override]
            return "stopped"

    class Handler(RequestHandler):
        def get(self) -> None:
            program: Any = self.application
            self.write({"port": program.options["port"], "of": [program.start(), program.stop()]})

        async def post(self) -> None:
            self.write(self.request.body)

    client = serve([("/", Handler)], application=Program)
    assert client.fetch("GET", "/").json() == {"port": 8888, "of": ["started", "stopped"]}
    assert client.fetch("POST", "/", body=b"x" * 70000).body == b"x" * 70000
    assert client.app.connections == ["mine"]
    HTTPServer.stop(client.app)
    assert client.app.is_stopping


def test_find_handler_is_asked_once(serve: Any) -> None:
    asked: list[str] = []

    class Program(Application):
        def find_handler(self, request: Any, **kwargs: Any) -> Any:
            asked.append(request.path)
            return super().find_handler(request, **kwargs)

    class Handler(RequestHandler):
        def post(self) -> None:
            self.write(self.request.body)

    client = serve([("/", Handler)], application=Program)
    assert client.fetch("POST", "/", body=b"abc").body == b"abc"
    assert client.fetch("POST", "/", body=b"x" * 70000).body == b"x" * 70000
    assert asked == ["/", "/"]
