"""Bodies handed to the handler piece by piece."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from cyclone.web import HTTPError, RequestHandler, stream_request_body

FORM = "application/x-www-form-urlencoded"


@stream_request_body
class Receiver(RequestHandler):
    events: Any = None
    options: Any = None

    def initialize(self, events: list[Any], **options: Any) -> None:
        self.events = events
        self.options = options

    def prepare(self) -> Any:
        self.events.append("prepare")
        if "limit" in self.options:
            self.request.connection.set_max_body_size(self.options["limit"])
        if "refuse" in self.options:
            raise HTTPError(self.options["refuse"])
        if "finish" in self.options:
            self.finish("early")
        return self.options.get("prepare")

    def data_received(self, chunk: bytes) -> Any:
        self.events.append(chunk)
        if "broken" in self.options:
            raise self.options["broken"]
        return self.options.get("data")

    def post(self) -> None:
        self.events.append("post")
        self.write("received")

    get = put = post

    def on_connection_close(self) -> None:
        self.events.append("closed")

    def on_finish(self) -> None:
        self.events.append("finished")


def begin(serve: Any, events: list[Any], length: int = 6, **options: Any) -> Any:
    """A connection on which the head of an upload was sent."""
    client = serve([("/", Receiver, {"events": events, **options})])
    connection = client.start("POST", "/", headers={"Content-Length": str(length)})
    return connection


def test_chunks_come_as_they_arrive(serve: Any) -> None:
    events: list[Any] = []
    connection = begin(serve, events)
    assert events == ["prepare"]
    connection.send(b"abc")
    assert events == ["prepare", b"abc"]
    connection.send(b"def")
    assert events == ["prepare", b"abc", b"def", "post", "finished"]
    assert connection.responses()[0].body == b"received"


def test_a_chunked_body(serve: Any) -> None:
    events: list[Any] = []
    client = serve([("/", Receiver, {"events": events})])
    connection = client.start("POST", "/", headers={"Transfer-Encoding": "chunked"})
    connection.send(b"3\r\nabc\r\n")
    connection.send(b"2\r\nde\r\n0\r\n\r\n")
    assert events == ["prepare", b"abc", b"de", "post", "finished"]


@pytest.mark.parametrize(("method", "body"), [("GET", None), ("POST", "")])
def test_no_body(serve: Any, method: str, body: str | None) -> None:
    events: list[Any] = []
    serve([("/", Receiver, {"events": events})]).fetch(method, "/", body=body)
    assert events == ["prepare", "post", "finished"]


def test_an_async_prepare_holds_the_body_back(serve: Any) -> None:
    events: list[Any] = []
    waiting: Deferred[None] = Deferred()
    connection = begin(serve, events, prepare=waiting)
    connection.send(b"abcdef")
    assert events == ["prepare"]
    waiting.callback(None)
    assert events == ["prepare", b"abcdef", "post", "finished"]


def test_f_25_an_async_receiver_sets_the_pace(serve: Any) -> None:
    events: list[Any] = []
    waiting: Deferred[None] = Deferred()
    connection = begin(serve, events, data=waiting)
    connection.send(b"abc")
    connection.send(b"def")
    assert events == ["prepare", b"abc"]
    assert connection.server_paused
    waiting.callback(None)
    assert events == ["prepare", b"abc", b"def", "post", "finished"]


def test_hv_17_continue_is_sent_after_prepare(serve: Any) -> None:
    events: list[Any] = []
    waiting: Deferred[None] = Deferred()
    client = serve([("/", Receiver, {"events": events, "prepare": waiting})])
    connection = client.start(
        "POST", "/", headers={"Content-Length": "3", "Expect": "100-continue"}
    )
    assert connection.received == b""
    waiting.callback(None)
    assert connection.received == b"HTTP/1.1 100 Continue\r\n\r\n"
    connection.send(b"abc")
    assert connection.responses()[0].status == 200


@pytest.mark.parametrize("options", [{"refuse": 403}, {"finish": True}], ids=["refuse", "finish"])
def test_prepare_may_answer_first(serve: Any, options: dict[str, Any]) -> None:
    events: list[Any] = []
    client = serve([("/", Receiver, {"events": events, **options})])
    connection = client.start(
        "POST", "/", headers={"Content-Length": "3", "Expect": "100-continue"}
    )
    (response,) = connection.responses()
    assert response.status == options.get("refuse", 200)
    assert b"100 Continue" not in connection.received
    assert events == ["prepare", "finished"]


SMUGGLED = b"GET /smug HTTP/1.1\r\nHost: x\r\n\r\n"


def test_sm_15_an_unread_body_is_never_a_request(serve: Any) -> None:
    events: list[Any] = []
    smuggled: list[str] = []

    class Smug(RequestHandler):
        def get(self) -> None:
            smuggled.append("served")

    client = serve([("/", Receiver, {"events": events, "finish": True}), ("/smug", Smug)])
    connection = client.start("POST", "/", body=SMUGGLED)
    assert smuggled == []
    assert connection.responses()[0].body == b"early"


def test_an_error_in_data_received(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    events: list[Any] = []
    connection = begin(serve, events, broken=ValueError("broken receiver"))
    connection.send(b"abc")
    connection.send(b"def")
    assert connection.responses()[0].status == 500
    assert events == ["prepare", b"abc", "finished"]
    assert "broken receiver" in caplog.text


def test_a_failed_deferred_of_data_received(serve: Any) -> None:
    events: list[Any] = []
    waiting: Deferred[None] = Deferred()
    connection = begin(serve, events, data=waiting)
    connection.send(b"abc")
    waiting.errback(HTTPError(422))
    connection.send(b"def")
    assert connection.responses()[0].status == 422


def test_a_limit_of_its_own(serve: Any) -> None:
    events: list[Any] = []
    connection = begin(serve, events, length=6, limit=5)
    assert connection.responses()[0].status == 413
    assert b"abc" not in events


def test_f_19_the_client_leaves_in_the_middle(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    events: list[Any] = []
    connection = begin(serve, events)
    connection.send(b"abc")
    connection.lose()
    assert events[:3] == ["prepare", b"abc", "closed"]
    assert "post" not in events
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_limits_of_a_class_apply_to_collected_bodies(serve: Any) -> None:
    class Small(RequestHandler):
        max_body_size = 4

        def post(self) -> None:
            self.write(self.request.body)

    client = serve([("/", Small)])
    assert client.fetch("POST", "/", body="1234").body == b"1234"
    assert client.start("POST", "/", body="12345").responses()[0].status == 413


def test_the_decorator_wants_a_handler() -> None:
    with pytest.raises(TypeError, match="RequestHandler"):
        stream_request_body(int)  # type: ignore[type-var]


def test_data_received_has_to_be_defined(serve: Any) -> None:
    @stream_request_body
    class Without(RequestHandler):
        def post(self) -> None:
            self.write("never")

    assert serve([("/", Without)]).start("POST", "/", body="a").responses()[0].status == 500


def test_a_ready_deferred_costs_nothing(serve: Any) -> None:
    events: list[Any] = []
    connection = begin(serve, events, prepare=succeed(None), data=succeed(None))
    connection.send(b"abcdef")
    assert events == ["prepare", b"abcdef", "post", "finished"]


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=B", "multipart/form-data", FORM])
@pytest.mark.parametrize("xsrf", [False, True])
def test_no_form_is_looked_for_BP_20(serve: Any, kind: str, xsrf: bool) -> None:
    """BP-20: whatever the body says it is; only the URL has arguments."""
    seen: list[Any] = []

    @stream_request_body
    class Upload(RequestHandler):
        def prepare(self) -> None:
            seen.append(
                (self.get_argument("a"), self.get_body_arguments("a"), self.get_arguments("b"))
            )

        def data_received(self, chunk: bytes) -> None:
            seen.append(chunk)

        def post(self) -> None:
            self.write(f"{self.request.arguments} {self.request.files} {self.request.body!r}")

    headers = {"Content-Type": kind, "Cookie": "_xsrf=0102", "X-XSRFToken": "0102"}
    client = serve([("/", Upload)], xsrf_cookies=xsrf)
    response = client.fetch("POST", "/?a=1", headers=headers, body="b=2")
    assert response.text == "{'a': [b'1']} {} b''"
    assert seen == [("1", [], []), b"b=2"]
    if xsrf:
        del headers["X-XSRFToken"]
        assert client.fetch("POST", "/?a=1", headers=headers, body="b=2").status == 403
