"""The ids of a request: for its handler, its log lines, and the requests it makes."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from cyclone.httputil import current_request
from cyclone.web import RequestContextFilter, RequestHandler, TraceContext, stream_request_body

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"}
LOG = logging.getLogger("test.tracing")


@pytest.fixture
def lines() -> Any:
    """The log lines of the test, as a format with ids shows them."""
    found: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(self.format(record))

    handler = Lines()
    handler.addFilter(RequestContextFilter())
    handler.setFormatter(logging.Formatter("%(name)s %(request_id)s %(trace_id)s %(span_id)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield found
    root.removeHandler(handler)
    root.setLevel(level)


class Ids(RequestHandler):
    def get(self) -> None:
        LOG.info("in a request")
        self.write({"id": self.request_id, "trace": self.trace_context.traceparent})


def test_the_handler_knows_its_ids_without_any_setting(serve: Any) -> None:
    found = json.loads(serve([("/", Ids)]).fetch(headers=PARENT).body)
    assert len(found["id"]) == 32
    assert found["trace"].startswith(f"00-{TRACE}-")
    assert SPAN not in found["trace"]
    assert TRACE not in serve([("/", Ids)]).fetch().text


def test_the_ids_may_be_a_handlers_own(serve: Any) -> None:
    class Own(RequestHandler):
        def prepare(self) -> None:
            self.request_id = "mine"

        def get(self) -> None:
            self.write(self.request_id)

    assert serve([("/", Own)]).fetch().body == b"mine"


def test_every_log_line_has_the_ids(serve: Any, lines: list[str]) -> None:
    response = serve([("/", Ids)], trace_context=True).fetch(headers=PARENT)
    found = json.loads(response.body)
    ids = f"{found['id']} {TRACE} {found['trace'].split('-')[2]}"
    assert lines == [f"test.tracing {ids}", f"cyclone.access {ids}"]
    LOG.info("later")
    assert lines[-1] == "test.tracing - - -"


def test_without_the_setting_lines_have_none_but_the_access_log(
    serve: Any, lines: list[str]
) -> None:
    found = json.loads(serve([("/", Ids)]).fetch().body)
    assert lines == ["test.tracing - - -", f"cyclone.access {found['id']} - -"]


def test_a_line_after_a_wait_and_one_of_a_failed_callback(serve: Any, lines: list[str]) -> None:
    waiting: list[Deferred[None]] = []

    class Coroutine(RequestHandler):
        async def get(self) -> None:
            waiting.append(Deferred())
            await waiting[-1]
            LOG.info("after the wait")
            self.write(self.request_id)

    class Callback(RequestHandler):
        def get(self) -> Deferred[None]:
            waiting.append(Deferred())
            return waiting[-1].addCallback(lambda _: 1 / 0).addCallback(lambda _: None)

    client = serve([("/coroutine", Coroutine), ("/callback", Callback)], trace_context=True)
    connection = client.start(uri="/coroutine")
    waiting[0].callback(None)
    name = connection.responses()[0].text
    assert [line.split()[:2] for line in lines] == [
        ["test.tracing", name],
        ["cyclone.access", name],
    ]
    del lines[:]
    client.start(uri="/callback", headers=PARENT)
    waiting[1].callback(None)
    assert [line.split()[0::2][:2] for line in lines] == [
        ["cyclone.application", TRACE],
        ["cyclone.access", TRACE],
    ]


def test_a_streamed_body_is_received_in_the_context(serve: Any, lines: list[str]) -> None:
    @stream_request_body
    class Upload(RequestHandler):
        def data_received(self, chunk: bytes) -> None:
            LOG.info("chunk")

        def post(self) -> None:
            LOG.info("all")
            self.write(self.request_id)

    client = serve([("/", Upload)], trace_context=True)
    connection = client.connect()
    connection.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\n")
    connection.send(b"ab")
    connection.send(b"cd")
    name = connection.received.partition(b"\r\n\r\n")[2].decode()
    assert [line.split()[:2] for line in lines] == [
        ["test.tracing", name],
        ["test.tracing", name],
        ["test.tracing", name],
        ["cyclone.access", name],
    ]


def test_the_json_access_log_has_the_trace(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cyclone.access")
    client = serve([("/", Ids)], trace_context=True, access_log_format="json")
    client.fetch(headers=PARENT)
    fields = json.loads(caplog.records[-1].getMessage())
    assert fields["trace_id"] == TRACE
    assert len(fields["span_id"]) == 16


def sent(serve: Any, headers: dict[str, str], **settings: Any) -> dict[str, str] | None:
    """What a client would send along for a request with these fields."""
    found: list[Any] = []

    class Handler(RequestHandler):
        def get(self) -> None:
            context = current_request.get()
            found.append(None if context is None else dict(context.outgoing_headers()))

    serve([("/", Handler)], **settings).fetch(headers=headers)
    return found[0]  # type: ignore[no-any-return]


def test_what_goes_out(serve: Any) -> None:
    assert sent(serve, PARENT) is None
    assert current_request.get() is None
    headers = sent(serve, PARENT, trace_context=True) or {}
    assert sorted(headers) == ["X-Request-ID", "traceparent", "tracestate"]
    assert headers["traceparent"].startswith(f"00-{TRACE}-")
    assert headers["tracestate"] == "a=1"
    assert sorted(sent(serve, {}, trace_context=True) or {}) == ["X-Request-ID", "traceparent"]
    headers = sent(serve, {"x-ray": "abc"}, request_id_header="X-Ray") or {}
    assert headers == {"X-Ray": "abc"}


@pytest.mark.parametrize(
    ("given", "believed"),
    [
        pytest.param("0191e-A_b.c~d:e/f=@+", True, id="token"),
        pytest.param("x" * 128, True, id="128"),
        pytest.param("x" * 129, False, id="129"),
        pytest.param("", False, id="empty"),
        pytest.param("a b", False, id="space"),
        pytest.param("a,b", False, id="list"),
        pytest.param("<script>", False, id="markup"),
        pytest.param("\u00e9", False, id="not-ascii"),
        pytest.param("a\x7f", False, id="control"),
    ],
)
def test_the_clients_own_request_id(serve: Any, given: str, believed: bool) -> None:
    client = serve([("/", Ids)], request_id_header="X-Request-ID")
    connection = client.connect()
    connection.send(
        b"GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: %b\r\n\r\n" % given.encode("latin-1")
    )
    body = connection.received.partition(b"\r\n\r\n")[2]
    if body.startswith(b"{"):
        assert (json.loads(body)["id"] == given) is believed
    else:
        assert not believed  # refused by the server


@pytest.mark.parametrize(
    ("settings", "peer", "believed"),
    [
        pytest.param({}, "127.0.0.1", False, id="off"),
        pytest.param({"trace_context": True}, "127.0.0.1", False, id="off-with-traces"),
        pytest.param({"request_id_header": "X-Request-ID"}, "192.0.2.1", True, id="anybody"),
        pytest.param(
            {
                "request_id_header": "X-Request-ID",
                "xheaders": True,
                "trusted_downstream": ["10.0.0.0/8"],
            },
            "192.0.2.1",
            False,
            id="stranger",
        ),
        pytest.param(
            {
                "request_id_header": "X-Request-ID",
                "xheaders": True,
                "trusted_downstream": ["10.0.0.0/8"],
            },
            "10.1.1.1",
            True,
            id="proxy",
        ),
    ],
)
def test_who_is_believed(serve: Any, settings: Any, peer: str, believed: bool) -> None:
    client = serve([("/", Ids)], **settings)
    response = client.fetch(headers={"X-Request-ID": "theirs"}, remote_ip=peer)
    assert (json.loads(response.body)["id"] == "theirs") is believed


def test_two_request_ids_are_none(serve: Any) -> None:
    client = serve([("/", Ids)], request_id_header="X-Request-ID")
    connection = client.connect()
    connection.send(b"GET / HTTP/1.1\r\nHost: h\r\nX-Request-ID: a\r\nX-Request-ID: b\r\n\r\n")
    assert json.loads(connection.received.partition(b"\r\n\r\n")[2])["id"] not in ("a", "b", "a,b")


def test_a_record_keeps_what_it_has() -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "", None, None)
    record.request_id = "there"
    assert RequestContextFilter().filter(record)
    assert (record.request_id, record.trace_id) == ("there", "-")  # type: ignore[attr-defined]


def test_the_context_is_a_value() -> None:
    assert TraceContext(TRACE, SPAN) == TraceContext(TRACE, SPAN)
    with pytest.raises(AttributeError):
        TraceContext(TRACE, SPAN).state = "x"  # type: ignore[misc]
