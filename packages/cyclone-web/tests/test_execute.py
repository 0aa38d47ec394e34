"""Handlers that put something around every request by overriding ``_execute``."""

# mypy: allow-untyped-calls

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from twisted.internet.defer import Deferred, inlineCallbacks

from cyclone.web import RequestHandler, stream_request_body

Events = list[str]
Override = Callable[..., Any]


def plain(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> Any:
    self.events.append("before")
    return RequestHandler._execute(self, transforms, *args, **kwargs)


async def coroutine(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> None:
    self.events.append("before")
    await RequestHandler._execute(self, transforms, *args, **kwargs)
    self.events.append("after")


@inlineCallbacks
def generator(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> Any:
    self.events.append("before")
    yield RequestHandler._execute(self, transforms, *args, **kwargs)
    self.events.append("after")


KINDS = pytest.mark.parametrize(
    ("override", "after"), [(plain, []), (coroutine, ["after"]), (generator, ["after"])]
)


def handler(override: Override, events: Events, waiting: Deferred[None] | None = None) -> Any:
    class Handler(RequestHandler):
        _execute = override

        def initialize(self) -> None:
            self.events = events

        def get(self, *args: str, **kwargs: str) -> Any:
            self.write({"args": args, "kwargs": kwargs})
            return waiting

        post = get

        def on_finish(self) -> None:
            events.append("finished")

    return Handler


@KINDS
def test_an_override_is_called_around_the_request(
    serve: Any, override: Override, after: Events
) -> None:
    events: Events = []
    client = serve([(r"/(\w+)", handler(override, events))])
    assert client.fetch("GET", "/x").json() == {"args": ["x"], "kwargs": {}}
    assert events == ["before", "finished", *after]


@KINDS
def test_an_override_waits_for_the_end_of_the_request(
    serve: Any, override: Override, after: Events
) -> None:
    events: Events = []
    waiting: Deferred[None] = Deferred()
    client = serve([(r"/(?P<name>\w+)", handler(override, events, waiting))])
    answer = client.start("GET", "/x")
    assert events == ["before"]
    waiting.callback(None)
    assert answer.responses()[0].json() == {"args": [], "kwargs": {"name": "x"}}
    assert sorted(events) == sorted(["before", "finished", *after])


def test_arguments_that_an_override_adds_reach_the_method(serve: Any) -> None:
    def execute(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> Any:
        return RequestHandler._execute(self, transforms, *args, user="ann", **kwargs)

    client = serve([("/", handler(execute, []))])
    assert client.fetch("GET", "/").json()["kwargs"] == {"user": "ann"}


def test_an_override_may_answer_by_itself(serve: Any) -> None:
    def execute(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> bool:
        self.set_status(401)
        self._transforms = []
        self.finish()
        return False

    response = serve([("/", handler(execute, []))]).fetch("GET", "/")
    assert (response.code, response.body) == (401, b"")


async def failing_later(self: Any, *args: Any, **kwargs: Any) -> None:
    raise ValueError("no")


def failing(self: Any, *args: Any, **kwargs: Any) -> None:
    raise ValueError("no")


@inlineCallbacks
def failing_deferred(self: Any, *args: Any, **kwargs: Any) -> Any:
    yield None
    raise ValueError("no")


@pytest.mark.parametrize("override", [failing, failing_later, failing_deferred])
def test_what_an_override_raises_is_answered(
    serve: Any, override: Override, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert serve([("/", handler(override, []))]).fetch("GET", "/").code == 500
    assert "ValueError: no" in caplog.text


def refusing(self: Any, transforms: Any, *args: Any, **kwargs: Any) -> None:
    self.set_status(401)
    self.finish("who?")


@pytest.mark.parametrize(
    ("override", "code", "body"),
    [(plain, 200, b"abc"), (coroutine, 200, b"abc"), (refusing, 401, b"who?")],
)
@pytest.mark.parametrize("waits", [False, True])
def test_an_override_goes_before_a_streamed_body(
    serve: Any, override: Override, code: int, body: bytes, waits: bool
) -> None:
    events: Events = []
    prepared: Deferred[None] = Deferred()

    @stream_request_body
    class Handler(RequestHandler):
        _execute = override

        def initialize(self) -> None:
            self.events = events

        def prepare(self) -> Any:
            events.append("prepare")
            return prepared if waits else None

        def data_received(self, chunk: bytes) -> None:
            self.write(chunk)

        def post(self) -> None:
            events.append("post")

    answer = serve([("/", Handler)]).start("POST", "/", body=b"abc")
    if waits and code == 200:
        assert events == ["before", "prepare"]
        prepared.callback(None)
    (response,) = answer.responses()
    assert (response.code, response.body) == (code, body)
    if code == 200:
        assert events[:3] == ["before", "prepare", "post"]
    else:
        assert events == []


async def coming_to_nothing(self: Any, *args: Any, **kwargs: Any) -> None:
    await Deferred()


never: Any = coming_to_nothing


def test_a_client_that_leaves_before_the_body_is_wanted(serve: Any) -> None:
    @stream_request_body
    class Handler(RequestHandler):
        _execute = never

        def post(self) -> None:
            raise AssertionError

    answer = serve([("/", Handler)]).start("POST", "/", body=b"abc")
    answer.lose()
