"""From a head to the callback: who is asked for the body, and what happens when it breaks off."""

from __future__ import annotations

from typing import Any

import pytest
from bodies_support import Application, Receiver, post, streaming
from http_support import HEADERS, OK, Client, H, P, S
from twisted.internet.defer import Deferred

from cyclone.httpserver import BodyReceiver, HTTPRequest
from cyclone.httputil import HTTPHeaders, HTTPInputError


def test_nothing_is_asked_for_a_request_without_body() -> None:
    def choose(application: Application, request: HTTPRequest) -> None:
        raise AssertionError

    client = Client(Application(choose))
    client.send(S)
    assert client.statuses == [200]


class TestDecidingLater:
    """``headers_received`` may return a Deferred: the body waits, and so does 100 Continue."""

    @pytest.mark.parametrize("expect", [False, True])
    @pytest.mark.parametrize("stream", [False, True])
    def test_deferred(self, expect: bool, stream: bool) -> None:
        gate: Deferred[BodyReceiver | None] = Deferred()
        application = Application(lambda application, request: gate)
        client = Client(application)
        client.send(
            P + H + b"Expect: 100-continue\r\n" * expect + b"Content-Length: 3\r\n\r\n", b"abc"
        )
        assert client.received == b""
        assert client.wire.producerState == "paused"
        receiver = Receiver(client.connection.request) if stream else None  # type: ignore[arg-type]
        gate.callback(receiver)
        assert client.statuses == [100] * expect + [200]
        assert client.received.endswith(b"3")
        assert client.wire.producerState == "producing"

    def test_refused_in_between_SM24(self) -> None:
        """413 at the headers: the client can read it, the body is never a request."""
        gate: Deferred[BodyReceiver | None] = Deferred()
        application = Application(lambda application, request: gate)
        client = Client(application)
        client.send(P + H + b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(S))
        request = client.connection.request
        assert request is not None
        client.connection.write_response(request, 413, None, HEADERS, b"no")
        client.send(S)
        assert client.statuses == [413]
        assert client.wire.write_closed or client.wire.disconnecting
        assert not application.called

    def test_refused_by_an_exception(self) -> None:
        def choose(application: Application, request: HTTPRequest) -> None:
            raise HTTPInputError("no", 403)

        client = Client(Application(choose))
        client.send(post(S))
        assert client.statuses == [403]

    def test_a_failing_hook(self) -> None:
        def choose(application: Application, request: HTTPRequest) -> None:
            raise ValueError

        client = Client(Application(choose))
        client.send(post(S))
        assert client.statuses == [500]
        assert client.wire.closing

    def test_a_hook_that_fails_later(self) -> None:
        gate: Deferred[BodyReceiver | None] = Deferred()
        client = Client(Application(lambda application, request: gate))
        client.send(post(S))
        gate.errback(HTTPInputError("no", 403))
        assert client.statuses == [403]


class TestBreakingOff:
    @pytest.mark.parametrize(
        "data",
        [
            P + H + b"Content-Length: 10\r\n\r\n123456789",
            P + H + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
            P + H + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r",
            P + H + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc",
        ],
    )
    @pytest.mark.parametrize("how", ["FIN", "RST"])
    def test_a_cut_body_is_never_complete_SM14(self, data: bytes, how: str) -> None:
        application = Application(streaming)
        streamed, buffered = Client(application), Client()
        for client in (streamed, buffered):
            client.send(data)
            if how == "FIN":
                client.connection.readConnectionLost()
                assert client.wire.aborted
            client.hang_up(how == "FIN")
        assert application.receivers[0].events == ["close"]
        assert buffered.requests == []

    def test_a_receiver_that_fails_at_the_end(self, caplog: pytest.LogCaptureFixture) -> None:
        class Failing(Receiver):
            def on_connection_close(self) -> None:
                raise ValueError

        client = Client(Application(lambda application, request: Failing(request)))
        client.send(P + H + b"Content-Length: 10\r\n\r\n123")
        client.hang_up()
        assert [record.name for record in caplog.records] == ["cyclone.application"]
        assert not client.server.connections

    def test_a_decision_that_fails_too_late(self, caplog: pytest.LogCaptureFixture) -> None:
        gate: Deferred[BodyReceiver | None] = Deferred()
        client = Client(Application(lambda application, request: gate))
        client.send(post(S))
        client.hang_up()
        gate.errback(ValueError())
        assert [record.name for record in caplog.records] == ["cyclone.application"]


@pytest.mark.parametrize(
    ("version", "cut"), [(b"1.1", False), (b"1.0", True)], ids=["chunks", "until-close"]
)
def test_a_bad_body_ends_the_answer_that_was_begun(version: bytes, cut: bool) -> None:
    """Its client must not take what has come for all of it (RI-11)."""
    gone: list[object] = []

    def choose(application: Application, request: HTTPRequest) -> BodyReceiver:
        request.connection.write_headers(OK, HEADERS.copy(), b"half")
        request.notifyFinish().addCallback(gone.append)
        return streaming(application, request)

    application = Application(choose)
    client = Client(application, body_timeout=5)
    client.send(b"POST / HTTP/%b\r\nHost: x\r\nContent-Length: 10\r\n\r\n123" % version)
    assert b"half" in client.received
    client.advance(10)
    assert client.statuses == [200]
    assert not client.received.endswith(b"0\r\n\r\n")
    assert client.wire.aborted is cut
    assert client.wire.aborted or client.wire.closing
    assert application.receivers[0].events == ["close"]
    assert len(gone) == 1


class Collecting:
    """A callback that says of some bodies that there is nothing to ask."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __call__(self, request: HTTPRequest) -> None:
        self.asked.append("served")
        request.connection.write_response(request, 200, None, HTTPHeaders(), request.body)

    def headers_received(self, request: HTTPRequest) -> None:
        self.asked.append("head")

    def collects_body(self, request: HTTPRequest) -> bool:
        return request.path == "/"


@pytest.mark.parametrize(
    ("path", "options", "expect", "asked", "status"),
    [
        pytest.param(b"/", {}, False, ["served"], [200], id="small"),
        pytest.param(b"/other", {}, False, ["head", "served"], [200], id="says-no"),
        pytest.param(b"/", {}, True, ["head", "served"], [100, 200], id="expects-100"),
        pytest.param(
            b"/", {"spool_threshold": 9}, False, ["head", "served"], [200], id="to-be-spooled"
        ),
        pytest.param(b"/", {"max_body_size": 9}, False, ["head"], [413], id="too-large"),
        pytest.param(
            b"/", {"decompress_request": True}, False, ["head", "served"], [200], id="inflates"
        ),
    ],
)
def test_a_body_that_comes_with_its_head(
    path: bytes, options: dict[str, Any], expect: bool, asked: list[str], status: list[int]
) -> None:
    callback = Collecting()
    client = Client(callback, **options)
    line = b"Expect: 100-continue\r\n" if expect else b""
    head = b"POST %b HTTP/1.1\r\nHost: x\r\n%bContent-Length: 10\r\n\r\n" % (path, line)
    client.send(head + b"0123456789")
    assert callback.asked == asked
    assert client.statuses == status
    if status[-1] == 200:
        assert client.received.endswith(b"\r\n0123456789")
        # What follows in the same piece is the next request
        client.take()
        client.send(head + b"0123456789" + b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.statuses == [*status, 200]
        assert callback.asked == [*asked, *asked, "served"]
