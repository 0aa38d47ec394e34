"""Handlers in the channels of a hub."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet.task import Clock

from cyclone.web import Hub, HubMessage, HubMixin, RequestHandler, asynchronous


class Poll(HubMixin, RequestHandler):
    async def get(self) -> None:
        after = self.get_query_argument("after", None)
        self.write_messages(await self.wait_for("room", after, 10))


class Stream(HubMixin, RequestHandler):
    """Not the SSE handler, but like it."""

    handlers: list[Stream]

    @asynchronous
    def get(self) -> None:
        self.handlers.append(self)
        self.flush()
        self.join("room")
        self.join("other", 0)

    def on_hub_message(self, message: HubMessage) -> Any:
        self.write(message.text)
        return self.flush()

    def on_hub_overflow(self) -> None:
        raise AssertionError


@pytest.fixture
def hub(clock: Clock) -> Hub:
    return Hub(reactor=clock)


def messages(connection: Any) -> list[Any]:
    (response,) = connection.responses()
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert response.headers["Cache-Control"] == "no-store"
    return [message["data"] for message in json.loads(response.body)["messages"]]


def test_long_polling(serve: Any, hub: Hub, clock: Clock) -> None:
    client = serve([("/", Poll)], hub=hub)
    polls = [client.start(), client.start()]
    assert polls[0].received == b""
    hub.publish("room", "one")
    assert messages(polls[0]) == messages(polls[1]) == ["one"]
    hub.publish("room", {"n": 2})
    assert messages(client.start(uri=f"/?after={hub.last_id - 1}")) == [{"n": 2}]
    assert messages(client.start(uri="/?after=0")) == ["one", {"n": 2}]
    late = client.start(uri=f"/?after={hub.last_id}")
    clock.advance(10)
    assert messages(late) == []
    assert clock.getDelayedCalls() == [client.app.sweeper._call]


def test_a_client_that_leaves_waits_no_more(
    serve: Any, hub: Hub, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    connection = serve([("/", Poll)], hub=hub).start()
    channel = hub._channels["room"]
    assert len(channel.waiters) == 1
    connection.lose()
    assert len(channel.waiters) == 0
    assert clock.getDelayedCalls() == []
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


def test_a_cancelled_handler_waits_no_more(serve: Any, hub: Hub, clock: Clock) -> None:
    connection = serve([("/", Poll)], hub=hub, cancel_on_disconnect=True).start()
    connection.lose()
    assert hub._channels == {}
    assert clock.getDelayedCalls() == []


def test_joining(serve: Any, hub: Hub) -> None:
    class Handler(Stream):
        handlers: list[Stream] = []  # noqa: RUF012

    hub.publish("other", "before")
    connection = serve([("/", Handler)], hub=hub).start()
    hub.publish("room", "now")
    (handler,) = Handler.handlers
    assert connection.responses()[0].body == b"beforenow"
    handler.leave("other")
    handler.leave("other")
    handler.leave("never joined")
    hub.publish("other", "later")
    assert (hub.count("room"), hub.count("other")) == (1, 0)
    handler.finish("")
    assert hub.count("room") == 0
    assert connection.responses()[0].body == b"beforenow"
    handler.join("room")
    assert hub.count("room") == 0


def test_a_client_that_leaves_leaves_its_channels(serve: Any, hub: Hub) -> None:
    class Handler(Stream):
        handlers: list[Stream] = []  # noqa: RUF012

    connection = serve([("/", Handler)], hub=hub).start()
    assert hub.count("room") == hub.count("other") == 1
    connection.lose()
    assert hub.count("room") == hub.count("other") == 0
    Handler.handlers[0].join("room")
    assert hub.count("room") == 0


def test_waiting_for_nobody(serve: Any, hub: Hub) -> None:
    answers: list[Any] = []

    class Late(HubMixin, RequestHandler):
        def get(self) -> None:
            self.finish("done")
            self.wait_for("room").addCallback(answers.append)

    assert serve([("/", Late)], hub=hub).fetch().body == b"done"
    assert answers == [[]]


def test_a_full_hub_is_a_503(serve: Any, clock: Clock) -> None:
    hub = Hub(max_channels=1, reactor=clock)
    hub.wait("other")
    assert serve([("/", Poll)], hub=hub).fetch().status == 503


def test_the_setting_is_needed(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert serve([("/", Poll)]).fetch().status == 500
    assert "'hub' setting" in caplog.text
