"""Streams and Server-Sent Events in memory."""

from __future__ import annotations

from typing import Any

import pytest
from client_support import News, Open, make_app, outcome
from twisted.trial import unittest

from cyclone.httpclient import HTTPClientError, HTTPStreamClosedError
from cyclone.testing import Client, Event, VirtualClock, _stream
from cyclone.testing._reactor import turn
from cyclone.testing._stream import EventStream
from cyclone.web import Application


def test_pieces_as_they_come() -> None:
    stream = outcome(Client(make_app()).stream("GET", "/open"))
    assert (stream.code, stream.reason) == (200, "OK")
    assert stream.headers["Transfer-Encoding"] == "chunked"
    assert outcome(stream.read()) == b"first"
    waiting = stream.read()
    assert not waiting.called
    Open.current.write("second")
    Open.current.flush()
    assert outcome(waiting) == b"second"
    Open.current.finish()
    assert outcome(stream.read()) == b""
    assert outcome(stream.read()) == b""


def test_a_whole_response_is_a_stream_too() -> None:
    stream = outcome(Client(make_app()).stream("GET", "/old"))
    assert [outcome(stream.read()) for _ in range(2)] == [b"inline", b""]


def test_leaving() -> None:
    stream = outcome(Client(make_app()).stream("GET", "/open"))
    gone: list[Any] = []
    Open.current.notifyFinish().addBoth(gone.append)
    stream.close()
    assert len(gone) == 1


def test_a_stream_that_breaks_off() -> None:
    stream = outcome(Client(make_app()).stream("GET", "/aborts"))
    assert outcome(stream.read()) == b"part"
    with pytest.raises(HTTPStreamClosedError):
        outcome(stream.read())


def test_what_nobody_reads_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_stream, "MAX_BODY", 1000)
    stream = outcome(Client(make_app()).stream("GET", "/open"))
    Open.current.write("x" * 2000)
    Open.current.flush().addErrback(lambda _: None)
    assert stream.connection.closed


def client(**settings: Any) -> Client:
    return Client(Application([("/news", News)], **settings))


def test_events() -> None:
    events = outcome(client().sse("/news"))
    assert (events.code, events.headers["Content-Type"]) == (200, "text/event-stream")
    assert outcome(events.receive()) == Event("one", "greeting", "1", 1000)
    assert outcome(events.receive()) == Event("two\nlines", "message", "1")
    waiting = events.receive()
    News.current.sendEvent("three", eid=3)
    assert outcome(waiting) == Event("three", "message", "3")
    assert events.last_event_id == "3"
    News.current.finish()
    assert outcome(events.receive()) is None


def test_coming_back() -> None:
    events = outcome(client().sse("/news", last_event_id=7))
    found = [outcome(events.receive()) for _ in range(3)]
    assert found[2].data == '{"last": "7"}'


def test_keep_alive_comments_take_no_real_time() -> None:
    reader = client(sse_keep_alive=15)
    events = outcome(reader.sse("/news"))
    reader.clock.advance(32)
    assert len(events.comments) == 2


def test_leaving_a_stream_of_events() -> None:
    before = News.left
    events = outcome(client().sse("/news"))
    waiting = [outcome(events.receive()) for _ in range(2)], events.receive()
    events.close()
    assert outcome(waiting[1]) is None
    assert News.left == before + 1


def test_an_answer_that_is_no_stream_of_events() -> None:
    for path, code in (("/none", 404), ("/old", 200)):
        with pytest.raises(HTTPClientError) as caught:
            outcome(Client(make_app()).sse(path))
        assert caught.value.code == code


class Recorded:
    """A stream whose bytes the test gives."""

    def __init__(self) -> None:
        self.connection = self
        self.take: Any = None

    def soon(self, action: Any) -> None:
        action()

    def divert(self, take: Any, end: Any) -> None:
        self.take = take


@pytest.mark.parametrize("step", [1, 1000])
@pytest.mark.parametrize(
    ("data", "events", "comments"),
    [
        (b"data: a\n\n", [Event("a")], []),
        (b"data:a\r\ndata:  b\r\n\r\n", [Event("a\n b")], []),
        (b"event: x\nid: 5\ndata\n\ndata: y\n\n", [Event("", "x", "5"), Event("y", id="5")], []),
        (b": hello\n:\n\n", [], ["hello", ""]),
        (b"id: 1\n\ndata: z\n\n", [Event("z", id="1")], []),
        (b"retry: 12x\nunknown: 1\ndata: a\n\n", [Event("a")], []),
        (b"id: a\0b\ndata: \xc3\xa9\n\n", [Event("é")], []),
        (b"data: never finished\n", [], []),
    ],
    ids=range(8),
)
def test_the_format(data: bytes, events: list[Event], comments: list[str], step: int) -> None:
    recorded = Recorded()
    stream = EventStream(recorded)  # type: ignore[arg-type]
    for start in range(0, len(data), step):
        recorded.take(data[start : start + step])
    assert stream._inbox.drain() == events
    assert stream.comments == comments


class TestAsynchronously(unittest.TestCase):
    async def test_async_for(self) -> None:
        await turn()
        events = await client().sse("/news")
        News.current.finish()
        assert [event.data async for event in events] == ["one", "two\nlines"]


def test_one_clock_for_all() -> None:
    clock = VirtualClock()
    first = Client(Application([("/news", News)]), clock)
    assert first.clock is clock
