"""WebSocketHandler: the handshake, both families of names, what it is before and after."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from ws_support import ACCEPT, HANDSHAKE, KEY, Echo, Log, Peer, Recorder, close, text

from cyclone.web import Application, HTTPError, RequestHandler
from cyclone.websocket import WebSocketHandler

# --- the handshake ----------------------------------------------------------------------------


def test_the_answer() -> None:
    answer = Peer(Echo).answer
    assert answer.status == 101
    assert answer.headers["upgrade"] == "websocket"
    assert answer.headers["connection"] == "Upgrade"
    assert answer.headers["sec-websocket-accept"] == ACCEPT
    assert "content-type" not in answer.headers
    assert "content-length" not in answer.headers
    assert "sec-websocket-protocol" not in answer.headers
    assert "sec-websocket-extensions" not in answer.headers


def refused(
    headers: dict[str, str | None],
    method: str = "GET",
    version: str = "HTTP/1.1",
    handler: type[WebSocketHandler] = Echo,
    **settings: Any,
) -> tuple[Peer, int]:
    peer = Peer(handler, open=False, **settings)
    fields = {k: v for k, v in {**HANDSHAKE, **headers}.items() if v is not None}
    after = b"GET /ws/second HTTP/1.1\r\nHost: x\r\n\r\n"
    return peer, peer.request(fields, method, version=version, after=after).status


@pytest.mark.parametrize(
    ("headers", "method", "version", "status"),
    [
        pytest.param({"Upgrade": None}, "GET", "HTTP/1.1", 400, id="no Upgrade"),
        pytest.param({"Upgrade": "h2c"}, "GET", "HTTP/1.1", 400, id="other Upgrade"),
        pytest.param({"Connection": "close"}, "GET", "HTTP/1.1", 400, id="no token"),
        pytest.param({"Sec-WebSocket-Key": None}, "GET", "HTTP/1.1", 400, id="no key"),
        pytest.param({"Sec-WebSocket-Key": "x"}, "GET", "HTTP/1.1", 400, id="bad key"),
        pytest.param({}, "GET", "HTTP/1.0", 400, id="HTTP/1.0"),
        pytest.param({}, "POST", "HTTP/1.1", 405, id="POST"),
        pytest.param({"Sec-WebSocket-Version": "12"}, "GET", "HTTP/1.1", 426, id="12"),
        pytest.param({"Sec-WebSocket-Version": "8"}, "GET", "HTTP/1.1", 426, id="8"),
        pytest.param({"Sec-WebSocket-Version": None}, "GET", "HTTP/1.1", 426, id="none"),
        pytest.param(
            {"Sec-WebSocket-Key": None, "Sec-WebSocket-Key1": "1", "Sec-WebSocket-Key2": "2"},
            "GET",
            "HTTP/1.1",
            400,
            id="draft 76",
        ),
        pytest.param(
            {"Sec-WebSocket-Protocol": "a b"}, "GET", "HTTP/1.1", 400, id="bad subprotocol"
        ),
    ],
)
def test_ws02_requests_that_are_refused(
    headers: dict[str, str | None], method: str, version: str, status: int
) -> None:
    peer, answered = refused(headers, method, version)
    assert answered == status
    assert peer.received.count(b"HTTP/1.1 ") == 1, "WS-03: what follows is not served"
    # An HTTP/1.0 client expects nothing else
    said = peer.answer.headers.get("connection")
    assert said == ("close" if version == "HTTP/1.1" else None)
    if status == 426:
        assert peer.answer.headers["sec-websocket-version"] == "13"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 101, id="accepted"),
        pytest.param({"Origin": "http://evil.example.com"}, 403, id="origin"),
        pytest.param({"Host": "evil.example.com"}, 101, id="host"),
        pytest.param({"Sec-WebSocket-Version": "evil"}, 426, id="version"),
        pytest.param({"Sec-WebSocket-Key": "evil"}, 400, id="key"),
        pytest.param({"Sec-WebSocket-Protocol": "evil"}, 101, id="subprotocol"),
        pytest.param({"Sec-WebSocket-Protocol": "evil evil"}, 400, id="bad subprotocol"),
        pytest.param({"Sec-WebSocket-Extensions": "evil"}, 101, id="extension"),
        pytest.param({"Upgrade": "evil"}, 400, id="upgrade"),
        pytest.param({"Connection": "evil"}, 400, id="connection"),
        pytest.param({"Cookie": "evil=evil", "X-Evil": "evil"}, 101, id="others"),
    ],
)
def test_ws04_nothing_of_the_request_is_reflected(headers: dict[str, str], status: int) -> None:
    peer = Peer(Echo, open=False)
    path = "/ws/evil?redirect=%0d%0aX-Evil:%20y&redirect=http://evil&a=<script>&next=//evil"
    peer.request({**HANDSHAKE, **headers}, path=path)
    assert peer.answer.status == status
    for word in (b"evil", b"script", b"redirect"):
        assert word not in peer.received.lower()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({}, 101, id="no origin"),
        pytest.param({"Origin": "http://example.com"}, 101, id="same"),
        pytest.param({"Origin": "https://example.com"}, 101, id="same behind a proxy"),
        pytest.param({"Origin": "http://EXAMPLE.com"}, 101, id="same, upper case"),
        pytest.param({"Origin": "http://example.com:80"}, 101, id="same, port given"),
        pytest.param({"Origin": "http://example.com/path"}, 101, id="with a path"),
        pytest.param({"Origin": "http://trusted.org"}, 101, id="trusted"),
        pytest.param({"Origin": "http://evil"}, 403, id="other"),
        pytest.param({"Origin": "null"}, 403, id="null"),
        pytest.param({"Origin": "http://example.com.evil"}, 403, id="longer"),
        pytest.param({"Origin": "http://sub.example.com"}, 403, id="sub"),
        pytest.param({"Origin": "//"}, 403, id="slashes"),
        pytest.param({"Origin": "example.com"}, 403, id="no scheme"),
        pytest.param({"Origin": "http://example.com:8080"}, 403, id="other port"),
        pytest.param({"Origin": "http://a:b"}, 403, id="bad port"),
        pytest.param({"Origin": "http://[::1"}, 403, id="bad address"),
        pytest.param({"Origin": "http://example.com, http://evil"}, 403, id="two"),
        pytest.param({"Origin": ""}, 403, id="empty"),
        pytest.param(
            {"Origin": "http://proxied", "Sec-Fetch-Site": "same-origin"}, 101, id="SFS same"
        ),
        pytest.param(
            {"Origin": "http://example.com", "Sec-Fetch-Site": "cross-site"}, 403, id="SFS cross"
        ),
        pytest.param(
            {"Origin": "http://trusted.org", "Sec-Fetch-Site": "cross-site"}, 101, id="SFS trusted"
        ),
        pytest.param({"Sec-Fetch-Site": "same-site"}, 403, id="SFS without an origin"),
    ],
)
def test_ws01_origins(headers: dict[str, str | None], status: int) -> None:
    peer, answered = refused(headers, trusted_origins=["http://trusted.org"], xsrf_cookies=True)
    assert answered == status
    if status == 403:
        assert peer.received.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize(
    "origins",
    [
        ["http://example.com", "http://example.com"],
        ["http://example.com", "http://evil"],
        ["http://evil", "http://example.com"],
        ["http://example.com", ""],
    ],
)
def test_ws01_two_origin_fields_are_none_of_ours(origins: list[str]) -> None:
    peer = Peer(Echo, open=False)
    peer.request({**HANDSHAKE, "Origin": "\r\nOrigin: ".join(origins)})
    assert peer.answer.status == 403
    assert peer.received.count(b"HTTP/1.1 ") == 1


def test_check_origin_is_asked_after_prepare_and_only_when_needed() -> None:
    class Picky(Recorder):
        def prepare(self) -> None:
            self.token = self.get_argument("token", "")

        def check_origin(self, origin: str) -> bool:
            self.events.append(origin)
            return self.token == "secret"

    for path, origin, status in (
        ("/ws?token=secret", "http://evil", 101),
        ("/ws", "http://evil", 403),
        ("/ws", "http://example.com", 101),
    ):
        peer = Peer(Picky, {"Origin": origin}, path=path)
        assert peer.answer.status == status
    assert Picky.events == ["http://evil", "http://evil"]


def test_an_error_in_check_origin_is_answered_with_500() -> None:
    class Broken(Recorder):
        def check_origin(self, origin: str) -> bool:
            raise ValueError("boom")

    with Log() as log:
        peer = Peer(Broken, {"Origin": "http://evil"})
    assert peer.answer.status == 500
    assert len(log.records) == 1


# --- what runs before -------------------------------------------------------------------------


def test_headers_and_cookies_set_before_go_into_the_answer() -> None:
    class Setting(Recorder):
        def set_default_headers(self) -> None:
            self.set_header("X-Default", "1")

        def prepare(self) -> None:
            self.set_header("X-Prepared", "2")
            self.set_cookie("seen", "yes")

    headers = Peer(Setting).answer.headers
    assert headers["x-default"] == "1"
    assert headers["x-prepared"] == "2"
    assert headers["set-cookie"].startswith("seen=yes")


def test_an_async_prepare_is_waited_for_and_frames_meanwhile_are_kept() -> None:
    gate: Deferred[None] = Deferred()

    class Patient(Recorder):
        async def prepare(self) -> None:
            await gate

        def on_message(self, message: str | bytes) -> None:
            self.write_message(message)

    peer = Peer(Patient, open=False)
    peer.request(HANDSHAKE, after=text("early"))
    assert peer.received == b""
    gate.callback(None)
    assert peer.answer.status == 101
    assert peer.messages() == ["early"]


def test_a_client_that_leaves_during_prepare_is_not_opened() -> None:
    gate: Deferred[None] = Deferred()

    class Patient(Recorder):
        async def prepare(self) -> None:
            await gate

        def open(self) -> None:
            self.events.append("open")

    peer = Peer(Patient)
    peer.lose()
    gate.callback(None)
    assert Patient.events == []


@pytest.mark.parametrize(("error", "status"), [(HTTPError(401), 401), (ValueError("x"), 500)])
def test_prepare_may_refuse(error: Exception, status: int) -> None:
    class Refusing(Recorder):
        def prepare(self) -> None:
            raise error

    with Log():
        assert Peer(Refusing).answer.status == status


def test_prepare_may_redirect() -> None:
    class Redirecting(Recorder):
        def prepare(self) -> None:
            self.redirect("/login")

    assert Peer(Redirecting).answer.status == 302


def test_the_groups_of_the_route_go_to_open() -> None:
    class Grouped(Recorder):
        def open(self, *args: str, **kwargs: str) -> None:
            self.events.append((args, kwargs))

    Peer(Grouped, path="/ws/a%20b")
    assert Grouped.events == [(("a b",), {})]


def test_initialize_gets_the_arguments_of_the_route() -> None:
    class Initialized(Recorder):
        def initialize(self, room: str) -> None:
            self.events.append(room)

    clock = Clock()
    application = Application(
        [("/ws", Initialized, {"room": "x"})], reactor=clock, websocket_ping_interval=0
    )
    assert Peer(application, clock=clock).answer.status == 101
    assert Initialized.events == ["x"]


def test_get_may_be_overridden_and_awaited() -> None:
    class Wrapped(Recorder):
        async def get(self, *args: Any, **kwargs: Any) -> None:
            self.events.append("get")
            await super().get(*args, **kwargs)

    assert Peer(Wrapped).answer.status == 101
    assert Wrapped.events == ["get"]


def test_the_request_is_logged_and_on_finish_runs_once() -> None:
    lines: list[tuple[int, str]] = []

    class Finishing(Recorder):
        def on_finish(self) -> None:
            self.events.append("finish")

    peer = Peer(Finishing, log_function=lambda handler: lines.append((handler.get_status(), "x")))
    peer.feed(close())
    assert lines == [(101, "x")]
    assert Finishing.events == ["finish", ("close", None, None)]


def test_a_server_that_stops_takes_no_new_ones() -> None:
    peer = Peer(Echo, open=False)
    peer.application.stop()
    peer.request(HANDSHAKE)
    assert peer.answer.status == 503


# --- subprotocols and compression -------------------------------------------------------------


class Sub(Recorder):
    choice: str | None = "good"

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        self.events.append(subprotocols)
        return self.choice if self.choice in subprotocols else None

    def open(self) -> None:
        self.write_message(f"{self.selected_subprotocol}")


@pytest.mark.parametrize(
    ("offered", "chosen"), [("bad, good", "good"), ("bad", None), (None, None)]
)
def test_ws16_subprotocols(offered: str | None, chosen: str | None) -> None:
    Sub.events.clear()
    peer = Peer(Sub, {"Sec-WebSocket-Protocol": offered} if offered else {})
    assert peer.answer.headers.get("sec-websocket-protocol") == chosen
    assert peer.messages() == [str(chosen)]
    assert Sub.events == [offered.split(", ") if offered else []]


def test_ws16_a_subprotocol_that_was_not_offered_is_an_error() -> None:
    class Pushy(Recorder):
        def select_subprotocol(self, subprotocols: list[str]) -> str | None:
            return "pushed"

    with Log() as log:
        peer = Peer(Pushy, {"Sec-WebSocket-Protocol": "a"})
    assert peer.answer.status == 500
    assert len(log.records) == 1


class Packed(Echo):
    def get_compression_options(self) -> dict[str, Any] | None:
        return {"compression_level": 1}


@pytest.mark.parametrize(
    ("handler", "offer", "answer"),
    [
        (Packed, "permessage-deflate; client_max_window_bits", "permessage-deflate"),
        (Packed, "permessage-deflate; x", None),
        (Packed, None, None),
        (Echo, "permessage-deflate", None),
    ],
)
def test_compression_is_negotiated(
    handler: type[WebSocketHandler], offer: str | None, answer: str | None
) -> None:
    peer = Peer(handler, {"Sec-WebSocket-Extensions": offer} if offer else {})
    assert peer.answer.headers.get("sec-websocket-extensions") == answer
    peer.feed(text("hello"))
    ((first, payload),) = peer.frames()
    assert first == (0xC1 if answer else 0x81)
    if not answer:
        assert payload == b"hello"


def test_a_malformed_offer_of_extensions_is_refused() -> None:
    assert Peer(Packed, {"Sec-WebSocket-Extensions": "; ="}).answer.status == 400


def test_bad_compression_options_are_an_error_of_the_server() -> None:
    class Wrong(Echo):
        def get_compression_options(self) -> dict[str, Any] | None:
            return {"level": 1}

    with Log() as log:
        peer = Peer(Wrong, {"Sec-WebSocket-Extensions": "permessage-deflate"})
    assert peer.answer.status == 500
    assert len(log.records) == 1


# --- names ------------------------------------------------------------------------------------


class Cyclone(WebSocketHandler):
    events: list[Any] = []  # noqa: RUF012

    def headersReceived(self) -> Any:
        self.events.append("headers")

    def connectionMade(self, *args: Any, **kwargs: Any) -> None:
        self.events.append(("made", args))

    def messageReceived(self, message: str | bytes) -> None:
        self.sendMessage({"got": str(message)})

    def connectionLost(self, reason: Failure) -> None:
        self.events.append(("lost", reason.type))


@pytest.mark.parametrize(("clean", "kind"), [(True, ConnectionDone), (False, ConnectionLost)])
def test_cyclones_names(clean: bool, kind: type[Exception]) -> None:
    Cyclone.events.clear()
    peer = Peer(Cyclone, path="/ws/x")
    peer.feed(text("hello"))
    if clean:
        peer.feed(close(1000))
    else:
        peer.lose()
    assert peer.messages() == ['{"got": "hello"}']
    assert Cyclone.events == ["headers", ("made", ("x",)), ("lost", kind)]


def test_cyclones_low_level_names() -> None:
    class Leaver(Cyclone):
        def connectionMade(self, *args: Any, **kwargs: Any) -> None:
            assert self.ws_protocol is self.ws_connection is not None

        def messageReceived(self, message: str | bytes) -> None:
            self.transport.loseConnection()

        def connectionLost(self, reason: Failure) -> None:
            self.events.append((self.ws_protocol, hasattr(self.transport, "getPeer")))

    Cyclone.events.clear()
    Peer(Leaver).feed(text("bye"))
    assert Cyclone.events == ["headers", (None, True)]


def test_tornados_names_win() -> None:
    class Both(Cyclone):
        def open(self, *args: Any) -> None:
            self.events.append("open")

        def on_message(self, message: str | bytes) -> None:
            self.write_message("tornado")

        def on_close(self) -> None:
            self.events.append("on_close")

    Cyclone.events.clear()
    peer = Peer(Both)
    peer.feed(text("x"))
    peer.lose()
    assert peer.messages() == ["tornado"]
    assert Cyclone.events == ["headers", "open", "on_close"]


def test_tornados_default_calls_cyclones() -> None:
    class Both(Cyclone):
        def open(self, *args: Any) -> None:
            super().open(*args)

        def on_message(self, message: str | bytes) -> Any:
            return super().on_message(message)

    Cyclone.events.clear()
    peer = Peer(Both)
    peer.feed(text("x"))
    assert peer.messages() == ['{"got": "x"}']
    assert ("made", ()) in Cyclone.events


def test_neither_name_is_an_error() -> None:
    class Deaf(Recorder):
        pass

    with Log() as log:
        peer = Peer(Deaf)
        peer.feed(text("x"))
    assert peer.close_frame() == (1011, "")
    assert len(log.records) == 1


@pytest.mark.parametrize("name", ["connectionMade", "connectionLost"])
def test_a_class_with_cyclones_names_may_ignore_messages(name: str) -> None:
    peer = Peer(type("Pushing", (WebSocketHandler,), {name: lambda self, *_: None}))
    peer.feed(text("x") + close(1000))
    assert peer.close_frame() == (1000, "")


class Noting(WebSocketHandler):
    """Asks to be told of the end wherever it can."""

    events: list[Any] = []  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._ask("init")

    def _ask(self, where: str) -> None:
        self.notifyFinish().addCallback(lambda reason: self.events.append((where, reason)))

    def headersReceived(self) -> Any:
        self._ask("headers")

    def connectionMade(self, *args: Any) -> None:
        self._ask("made")

    def connectionLost(self, reason: Failure) -> None:
        self.events.append("lost")


@pytest.mark.parametrize(("clean", "code"), [(True, 1000), (False, 1006)])
def test_notify_finish_tells_the_end_of_the_websocket(clean: bool, code: int) -> None:
    Noting.events.clear()
    peer = Peer(Noting)
    assert Noting.events == []
    if clean:
        peer.feed(close(1000))
    else:
        peer.lose()
    assert Noting.events == [
        "lost",
        *[(where, f"WebSocket closed: {code}") for where in ("init", "headers", "made")],
    ]


def test_notify_finish_of_a_request_that_was_refused() -> None:
    class Refusing(Noting):
        def headersReceived(self) -> Any:
            self.forbidConnection("not you")

    Noting.events.clear()
    assert Peer(Refusing).answer.status == 403
    assert Noting.events == [("init", None)]


@pytest.mark.parametrize("later", [False, True])
def test_forbid_connection_before_the_handshake(later: bool) -> None:
    class Bouncer(Recorder):
        def headersReceived(self) -> Any:
            if later:
                return succeed(None).addCallback(lambda _: self.forbidConnection("not you"))
            self.forbidConnection("not you")
            return None

    peer = Peer(Bouncer)
    assert peer.answer.status == 403
    assert peer.answer.body == b"not you"


def test_forbid_connection_after_the_handshake() -> None:
    class Bouncer(Recorder):
        def connectionMade(self, *args: Any, **kwargs: Any) -> None:
            self.forbidConnection("é" * 100)

    assert Peer(Bouncer).close_frame() == (1008, "é" * 61)


# --- after the handshake ----------------------------------------------------------------------


def test_an_async_open_is_waited_for() -> None:
    gate: Deferred[None] = Deferred()

    class Opening(Recorder):
        async def open(self) -> None:
            await gate
            self.events.append("opened")

        def on_message(self, message: str | bytes) -> None:
            self.events.append(message)

    peer = Peer(Opening)
    peer.feed(text("x"))
    assert Opening.events == []
    gate.callback(None)
    assert Opening.events == ["opened", "x"]


def test_methods_of_http_do_not_work_any_more() -> None:
    class Confused(Recorder):
        def open(self) -> None:
            for method, arguments in (
                (self.write, ("x",)),
                (self.redirect, ("http://x",)),
                (self.set_header, ("X", "y")),
                (self.set_cookie, ("a", "b")),
                (self.set_status, (503,)),
                (self.flush, ()),
                (self.finish, ()),
            ):
                with pytest.raises(RuntimeError):
                    method(*arguments)
            self.write_message(self.request.headers["Host"])

    peer = Peer(Confused)
    assert peer.messages() == ["example.com"]


def test_render_string_works() -> None:
    class Rendering(Recorder):
        def on_message(self, message: str | bytes) -> None:
            self.write_message(self.render_string("m.html", message=message))

    from cyclone.template import DictLoader

    peer = Peer(Rendering, template_loader=DictLoader({"m.html": "<b>{{ message }}</b>"}))
    peer.feed(text("<hi>"))
    assert peer.messages() == ["<b>&lt;hi&gt;</b>"]


def test_the_limits_are_settings_and_properties() -> None:
    class Limited(Echo):
        @property
        def max_message_size(self) -> int:
            return 3

    peer = Peer(Limited, websocket_max_message_size=100)
    peer.feed(text("abcd"))
    assert peer.close_frame() == (1009, "message too big")


@pytest.mark.parametrize("kind", ["attribute", "setting", "neither"])
def test_a_callback_is_cancelled_when_the_client_leaves_if_wished(kind: str) -> None:
    cancelled: list[object] = []

    class Working(Recorder):
        cancel_on_disconnect = True if kind == "attribute" else None

        def on_message(self, message: str | bytes) -> Any:
            return Deferred(cancelled.append)

    with Log() as log:
        peer = Peer(Working, cancel_on_disconnect=kind == "setting")
        peer.feed(text("x"))
        peer.lose()
    assert len(cancelled) == (0 if kind == "neither" else 1)
    assert log.records == []


def test_the_same_application_serves_pages() -> None:
    class Page(RequestHandler):
        def get(self) -> None:
            self.write("page")

    clock = Clock()
    application = Application(
        [("/", Page), ("/ws", Echo)], reactor=clock, websocket_ping_interval=0
    )
    peer = Peer(application, clock=clock, open=False)
    peer.request({"Host": "x"}, path="/")
    assert peer.answer.body == b"page"
    peer.forget()
    peer.request({**HANDSHAKE, "Sec-WebSocket-Key": KEY})
    peer.feed(text("x"))
    assert peer.messages() == ["x"]
