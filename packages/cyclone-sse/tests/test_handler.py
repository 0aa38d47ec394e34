"""SSEHandler: how a stream begins, what it says, how it ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sse_support import Connection, Event, Site
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from cyclone.httpserver import StreamClosedError
from cyclone.sse import SSEHandler
from cyclone.web import HTTPError, Hub


class Recorder(SSEHandler):
    """Notes what happens to it."""

    handlers: list[Any]
    calls: list[Any]

    def initialize(self) -> None:
        self.calls = []

    def bind(self, *args: Any) -> Any:
        type(self).handlers.append(self)
        self.calls.append(("bind", *args))

    def unbind(self) -> Any:
        self.calls.append("unbind")


def recorder(**members: Any) -> Any:
    return type("Recorded", (Recorder,), {"handlers": [], **members})


def opened(cls: Any = None, **settings: Any) -> tuple[Any, Connection, Site]:
    """A stream that is open: its handler, its client, its site."""
    cls = cls or recorder()
    site = Site(cls, **settings)
    connection = site.get("/")
    return cls.handlers[-1], connection, site


# --- the beginning --------------------------------------------------------------------------


def test_the_head() -> None:
    handler, connection, _ = opened()
    lines = connection.head.split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert "Content-Type: text/event-stream" in lines
    assert "Cache-Control: no-cache, no-transform" in lines
    assert "X-Accel-Buffering: no" in lines
    assert "Transfer-Encoding: chunked" in lines
    assert not any(line.startswith(("Content-Length", "Etag")) for line in lines)
    assert handler.calls == [("bind", "")]
    assert not connection.closed
    handler.transport.loseConnection()
    assert connection.closed


def test_what_is_written_to_the_transport_is_part_of_the_stream() -> None:
    handler, connection, _ = opened()
    handler.transport.write(b": ping\n\n")
    handler.transport.writeSequence([b"data: ", b"one\n\n"])
    assert connection.body == b": ping\n\ndata: one\n\n"
    assert handler.transport.getPeer() is not None
    connection.lose()
    handler.transport.write(b": too late\n\n")
    assert handler.calls[-1] == "unbind"


def test_bind_gets_the_groups_of_the_path() -> None:
    cls = recorder()
    Site(cls).get("/room")
    assert cls.handlers[0].calls == [("bind", "room")]


def test_what_bind_sends_leaves_with_the_head() -> None:
    def bind(self: Any, *args: Any) -> None:
        type(self).handlers.append(self)
        self.sendEvent("first")

    connection = opened(recorder(bind=bind))[1]
    assert connection.events == [Event("first")]
    assert connection.received.count(b"HTTP/1.1") == 1


def test_http_1_0_ends_with_the_connection() -> None:
    cls = recorder()
    connection = Site(cls).get("/", version="HTTP/1.0")
    assert "chunked" not in connection.head
    assert "keep-alive" not in connection.head.lower()
    cls.handlers[0].sendEvent("x")
    assert connection.body == b"data: x\n\n"
    cls.handlers[0].finish()
    assert connection.closed


def test_head_has_no_stream() -> None:
    cls = recorder()
    connection = Site(cls).get("/", method="HEAD")
    assert connection.status == 200
    assert "text/event-stream" in connection.head
    assert connection.body == b""
    assert cls.handlers == []
    assert not connection.closed


def test_other_methods() -> None:
    cls = recorder()
    assert Site(cls).get("/", method="POST", headers={"Content-Length": "0"}).status == 200
    assert Site(cls).get("/", method="PUT", headers={"Content-Length": "0"}).status == 405
    assert len(cls.handlers) == 1


def test_prepare_and_forgery_protection_come_first() -> None:
    def prepare(self: Any) -> None:
        raise HTTPError(401)

    cls = recorder(prepare=prepare)
    assert Site(cls).get("/").status == 401
    assert cls.handlers == []
    cls = recorder()
    site = Site(cls, xsrf_cookies=True)
    assert site.get("/", method="POST", headers={"Content-Length": "0"}).status == 403
    assert cls.handlers == []


def test_an_asynchronous_prepare_is_waited_for() -> None:
    ready: Deferred[None] = Deferred()

    async def prepare(self: Any) -> None:
        await ready

    cls = recorder(prepare=prepare)
    connection = Site(cls).get("/")
    assert connection.received == b""
    ready.callback(None)
    assert connection.status == 200


def test_bind_may_refuse() -> None:
    def bind(self: Any, *args: Any) -> None:
        type(self).handlers.append(self)
        raise HTTPError(403)

    cls = recorder(bind=bind)
    connection = Site(cls).get("/")
    assert connection.status == 403
    assert "text/html" in connection.head
    assert cls.handlers[0].calls == []
    connection.lose()
    assert cls.handlers[0].calls == []  # never bound, so not unbound


def test_bind_may_redirect() -> None:
    connection = Site(recorder(bind=lambda self, *args: self.redirect("/other"))).get("/")
    assert connection.status == 302


@pytest.mark.parametrize("kind", ["coroutine", "Deferred"])
def test_bind_may_wait(kind: str) -> None:
    ready: Deferred[None] = Deferred()

    async def coroutine(self: Any, *args: Any) -> None:
        await ready
        await self.sendEvent("done")

    def deferred(self: Any, *args: Any) -> Deferred[None]:
        return ready.addCallback(lambda _: self.sendEvent("done"))

    bind = coroutine if kind == "coroutine" else deferred
    connection = Site(recorder(bind=bind)).get("/")
    assert connection.status == 200  # the stream is open meanwhile
    assert connection.events == []
    ready.callback(None)
    assert connection.events == [Event("done")]
    assert not connection.ended  # and stays so


def test_bind_that_fails_later_cuts_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    ready: Deferred[None] = Deferred()

    async def bind(self: Any, *args: Any) -> None:
        type(self).handlers.append(self)
        await ready
        raise ZeroDivisionError

    cls = recorder(bind=bind)
    connection = Site(cls).get("/")
    ready.callback(None)
    assert connection.closed
    assert not connection.ended
    assert "ZeroDivisionError" in caplog.text
    assert cls.handlers[0].calls == ["unbind"]


# --- events ---------------------------------------------------------------------------------


def test_events() -> None:
    handler, connection, _ = opened(recorder(serialize_lists=True))
    handler.sendEvent("two\nlines", event="greeting", eid=0, retry=0)
    handler.send_event({"a": 1})
    handler.sendEvent([1])
    assert connection.body.startswith(b"id: 0\nevent: greeting\nretry: 0\ndata: two\n")
    assert connection.events == [
        Event("two\nlines", "greeting", "0"),
        Event('{"a": 1}', "message", "0"),
        Event("[1]", "message", "0"),
    ]


def test_what_cannot_be_sent_leaves_no_trace() -> None:
    handler, connection, _ = opened()
    before = connection.received
    with pytest.raises(ValueError, match="eid"):
        handler.sendEvent("x", eid="1\ndata: evil")
    with pytest.raises(TypeError):
        handler.sendEvent([1])
    assert connection.received == before
    handler.sendEvent("x")
    assert connection.events == [Event("x")]


LAST_IDS = [
    ("none", {}, None),
    ("number", {"Last-Event-ID": "7"}, "7"),
    ("empty", {"Last-Event-ID": ""}, ""),
    ("UTF-8", {"Last-Event-ID": "gr\u00c3\u00bc\u00c3\u009fe"}, "grüße"),
    ("no UTF-8", {"Last-Event-ID": "\u00ff"}, "\ufffd"),
]


@pytest.mark.parametrize(
    ("headers", "expected"), [each[1:] for each in LAST_IDS], ids=[each[0] for each in LAST_IDS]
)
def test_last_event_id(headers: dict[str, str], expected: str | None) -> None:
    cls = recorder()
    Site(cls).get("/", headers=headers)
    assert cls.handlers[0].last_event_id == expected


def test_compression_leaves_streams_alone() -> None:
    cls = recorder()
    site = Site(cls, compress_response=True)
    connection = site.get("/", headers={"Accept-Encoding": "gzip"})
    cls.handlers[0].sendEvent("x")
    assert "gzip" not in connection.head
    assert connection.events == [Event("x")]


# --- keeping alive --------------------------------------------------------------------------


def test_a_comment_after_15_silent_seconds() -> None:
    handler, connection, site = opened()
    site.advance(14)
    assert connection.comments == 0
    site.advance(2)
    assert connection.comments == 1
    handler.sendEvent("x")
    site.advance(14)
    assert connection.comments == 1
    site.advance(32)
    assert connection.comments == 4
    assert connection.events == [Event("x")]


INTERVALS: list[tuple[str, dict[str, Any], dict[str, Any], int]] = [
    ("setting", {}, {"sse_keep_alive": 5}, 5),
    ("attribute", {"keep_alive_interval": 3}, {"sse_keep_alive": 5}, 9),
    ("off", {"keep_alive_interval": 0}, {}, 0),
    ("setting off", {}, {"sse_keep_alive": None}, 0),
]


@pytest.mark.parametrize(
    ("members", "settings", "comments"),
    [each[1:] for each in INTERVALS],
    ids=[each[0] for each in INTERVALS],
)
def test_the_interval(members: dict[str, Any], settings: dict[str, Any], comments: int) -> None:
    connection, site = opened(recorder(**members), **settings)[1:]
    site.advance(29)
    assert connection.comments == comments


def test_no_time_limit_of_ordinary_handlers_applies(caplog: pytest.LogCaptureFixture) -> None:
    connection, site = opened(handler_timeout=5, warn_unfinished_after=5, debug=False)[1:]
    site.advance(100)
    assert not connection.closed
    assert not caplog.records


# --- slow clients ---------------------------------------------------------------------------


class Slow:
    """Takes the place of the connection's write: its Deferreds fire when the test says so."""

    def __init__(self, connection: Connection) -> None:
        self.waiting: list[Deferred[None]] = []
        self.sizes: list[int] = []
        self.protocol = connection.protocol
        self.aborts: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.protocol, name)

    @property
    def buffered(self) -> int:
        both = zip(self.waiting, self.sizes, strict=True)
        return sum(size for waiting, size in both if not waiting.called)

    def write(self, data: bytes) -> Deferred[None]:
        self.sizes.append(len(data))
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def abort(self) -> None:
        self.aborts.append("abort")
        self.protocol.abort()
        for waiting in self.waiting:
            waiting.errback(StreamClosedError())


def slowed(cls: Any = None, **settings: Any) -> tuple[Any, Slow, Site]:
    handler, connection, site = opened(cls, **settings)
    slow = Slow(connection)
    handler.request.connection = slow
    return handler, slow, site


def test_cn_15_a_sender_can_keep_the_pace_of_its_client() -> None:
    handler, slow, _ = slowed()
    sent = handler.sendEvent("x")
    assert not sent.called
    slow.waiting[0].callback(None)
    assert sent.called


def test_cn_15_too_much_waiting_cuts_the_client_off(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    handler, slow, _ = slowed(sse_max_pending=10_000)
    sent = [handler.sendEvent("x" * 1000) for _ in range(9)]
    assert slow.aborts == []
    failures: list[Any] = []
    sent[0].addErrback(failures.append)
    handler.sendEvent("x" * 1000)
    assert slow.aborts == ["abort"]
    assert isinstance(failures[0].value, StreamClosedError)
    assert handler.calls[-1] == "unbind"
    assert "too slowly" in caplog.text
    assert len(slow.waiting) == 10


def test_the_limit_can_be_an_attribute() -> None:
    handler, slow, _ = slowed(recorder(max_pending=100))
    handler.sendEvent("x" * 50)
    assert slow.aborts == []
    handler.sendEvent("x" * 50)
    assert slow.aborts == ["abort"]


def test_what_was_taken_counts_no_more() -> None:
    handler, slow, _ = slowed(recorder(max_pending=100))
    for _ in range(10):
        handler.sendEvent("x" * 50)
        slow.waiting[-1].callback(None)
    assert slow.aborts == []


def test_a_stalled_client_gets_no_comments() -> None:
    handler, slow, site = slowed()
    handler.sendEvent("x")
    site.advance(60)
    assert len(slow.waiting) == 1


# --- the end --------------------------------------------------------------------------------


def test_unbind_runs_once_when_the_client_leaves(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    handler, connection, site = opened()
    connection.lose()
    assert handler.calls == [("bind", ""), "unbind"]
    assert site.clock.getDelayedCalls() == []
    assert [record.getMessage()[:9] for record in caplog.records] == ["200 GET /"]


def test_unbind_runs_once_when_the_handler_finishes() -> None:
    handler, connection, _ = opened()
    handler.finish()
    assert connection.ended
    assert handler.calls == [("bind", ""), "unbind"]
    assert not connection.closed  # the connection serves further requests
    connection.lose()
    assert handler.calls == [("bind", ""), "unbind"]


def test_a_client_that_closes_its_side_is_let_go() -> None:
    handler, connection, _ = opened()
    connection.memory.half_close()
    assert handler.calls == [("bind", ""), "unbind"]
    assert connection.closed


def test_unbind_may_wait_and_fail(caplog: pytest.LogCaptureFixture) -> None:
    async def unbind(self: Any) -> None:
        self.calls.append("unbind")
        await succeed(None)
        raise ZeroDivisionError

    handler, connection, _ = opened(recorder(unbind=unbind))
    connection.lose()
    assert handler.calls == [("bind", ""), "unbind"]
    assert "ZeroDivisionError" in caplog.text


def test_on_connection_closed_as_in_cyclone_1() -> None:
    def on_connection_closed(self: Any, *args: Any, **kwargs: Any) -> None:
        self.calls.append("closed")

    handler, connection, _ = opened(recorder(on_connection_closed=on_connection_closed))
    connection.lose()
    assert handler.calls == [("bind", ""), "closed"]


def end_by_client(handler: Any, connection: Connection) -> None:
    connection.lose()


def end_by_handler(handler: Any, connection: Connection) -> None:
    handler.finish()


@pytest.mark.parametrize("end", [end_by_client, end_by_handler])
def test_sending_too_late_fails(end: Callable[..., None]) -> None:
    handler, connection, site = opened()
    end(handler, connection)
    before = connection.received
    failures: list[Any] = []
    handler.sendEvent("x").addErrback(failures.append)
    handler.sendEvent("nobody waits for this one")  # it would be an unhandled error
    site.clock.advance(0)
    assert isinstance(failures[0].value, StreamClosedError)
    assert connection.received == before


@pytest.mark.parametrize("end", [end_by_client, end_by_handler])
def test_finishing_too_late_fails(end: Callable[..., None]) -> None:
    """A timer that ends the stream cannot know that its client has left before."""
    handler, connection, site = opened()
    end(handler, connection)
    before = connection.received
    failures: list[Any] = []
    handler.finish().addErrback(failures.append)
    handler.finish()
    site.clock.advance(0)
    assert isinstance(failures[0].value, StreamClosedError)
    assert connection.received == before


def test_a_loop_of_events_ends_with_its_client() -> None:
    ended: list[str] = []

    async def bind(self: Any, *args: Any) -> None:
        from twisted.internet.task import deferLater

        try:
            while True:
                await deferLater(self.application.reactor, 1, lambda: None)
                await self.sendEvent("tick")
        finally:
            ended.append("ended")

    site = Site(recorder(bind=bind))
    connection = site.get("/")
    site.advance(3)
    assert len(connection.events) == 3
    connection.lose()
    site.advance(3)
    assert ended == ["ended"]
    assert site.clock.getDelayedCalls() == []


def test_a_stopping_server_ends_the_stream() -> None:
    handler, connection, site = opened()
    cut: list[int] = []
    site.application.stop(deadline=25).addCallback(cut.append)
    handler.sendEvent("last")
    site.advance(2)
    assert connection.ended
    assert connection.events == [Event("last")]
    assert handler.calls == [("bind", ""), "unbind"]
    assert connection.closed
    site.clock.advance(0)
    assert cut == [0]
    assert site.clock.getDelayedCalls() == []


# --- the hub --------------------------------------------------------------------------------


def joining(**members: Any) -> Any:
    def bind(self: Any, *args: Any) -> None:
        type(self).handlers.append(self)
        self.join("room")

    return recorder(bind=bind, **members)


def test_what_is_published_arrives() -> None:
    hub = Hub(reactor=Clock())
    connection = opened(joining(), hub=hub)[1]
    hub.publish("room", {"n": 1})
    hub.publish("room", "two\nlines")
    hub.publish("other", "nothing")
    first = hub.last_id - 2
    assert connection.events == [
        Event('{"n": 1}', "message", str(first)),
        Event("two\nlines", "message", str(first + 1)),
    ]
    assert hub.count("room") == 1
    connection.lose()
    assert hub.count("room") == 0


def test_a_returning_client_gets_what_it_missed() -> None:
    hub = Hub(reactor=Clock())
    for number in range(5):
        hub.publish("room", str(number))
    site = Site(joining(), hub=hub)
    last = str(hub.last_id - 2)
    connection = site.get("/", headers={"Last-Event-ID": last})
    assert [event.data for event in connection.events] == ["3", "4"]
    connection = site.get("/", headers={"Last-Event-ID": "unknown"})
    assert [event.data for event in connection.events] == ["0", "1", "2", "3", "4"]
    assert site.get("/").events == []


def test_an_event_is_made_once_for_all() -> None:
    hub = Hub(reactor=Clock())
    cls = joining()
    site = Site(cls, hub=hub)
    connections = [site.get("/") for _ in range(3)]
    seen: list[bytes] = []

    def spy(send: Callable[[bytes], Any]) -> Callable[[bytes], Any]:
        def sent(data: bytes) -> Any:
            seen.append(data)
            return send(data)

        return sent

    for handler in cls.handlers:
        handler._send = spy(handler._send)
    hub.publish("room", "x")
    assert len({id(data) for data in seen}) == 1
    assert all(len(connection.events) == 1 for connection in connections)


def test_overflow_cuts_the_client_off() -> None:
    hub = Hub(max_queue=2, slow="disconnect", reactor=Clock())
    handler, slow, _ = slowed(joining(), hub=hub)
    for number in range(3):
        hub.publish("room", str(number))
    assert slow.aborts == []
    hub.publish("room", "3")
    assert slow.aborts == ["abort"]
    assert hub.count("room") == 0
    assert handler.calls[-1] == "unbind"


def test_joining_after_the_end_does_nothing() -> None:
    hub = Hub(reactor=Clock())
    handler, connection, _ = opened(hub=hub)
    connection.lose()
    handler.join("room")
    assert hub.count("room") == 0
