"""What a hub passes on, and to whom: messages, members, channels."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed

from cyclone.httpserver import StreamClosedError
from cyclone.web._hub_channel import Channel, HubMessage, Member, Waiter, text_of


class Subscriber:
    """Takes messages at once, or when the test says so."""

    def __init__(self, slow: bool = False) -> None:
        self.slow = slow
        self.got: list[Any] = []
        self.waiting: list[Deferred[None]] = []
        self.overflows = 0

    def on_hub_message(self, message: HubMessage) -> Any:
        self.got.append(message.data)
        if not self.slow:
            return None
        self.waiting.append(Deferred())
        return self.waiting[-1]

    def on_hub_overflow(self) -> None:
        self.overflows += 1


def channel_with(*subscribers: Any) -> tuple[Channel, list[Channel]]:
    emptied: list[Channel] = []
    channel = Channel("room", emptied.append)
    for subscriber in subscribers:
        channel.members[id(subscriber)] = Member(channel, subscriber, 0)
    return channel, emptied


def deliver(channel: Channel, *numbers: int, limit: int = 3, disconnect: bool = False) -> None:
    for number in numbers:
        channel.deliver(HubMessage(number, "room", number), limit, disconnect)


TEXTS = [
    ("text", "a\nb", "a\nb"),
    ("dict", {"a": 1}, '{"a": 1}'),
    ("list", [1, None], "[1, null]"),
    ("number", 1.5, "1.5"),
    ("nothing", None, "null"),
]


@pytest.mark.parametrize(
    ("data", "text"), [each[1:] for each in TEXTS], ids=[each[0] for each in TEXTS]
)
def test_text_of_a_message(data: Any, text: str) -> None:
    assert HubMessage(1, "room", data).text == text


def test_the_json_of_a_message() -> None:
    assert HubMessage(7, "room", 'say "x"').json() == b'{"id": 7, "data": "say \\"x\\""}'
    assert HubMessage(7, "room", {"a": 1}).json() == b'{"id": 7, "data": {"a": 1}}'
    assert "7" in repr(HubMessage(7, "room", "x"))


@pytest.mark.parametrize("data", [b"x", bytearray(), memoryview(b""), object(), {1, 2}])
def test_what_is_no_message(data: object) -> None:
    with pytest.raises(TypeError):
        text_of(data)


def test_an_encoding_is_made_once() -> None:
    message, calls = HubMessage(1, "room", "x"), []

    def encode(message: HubMessage) -> bytes:
        calls.append(message)
        return message.text.encode()

    assert message.encoded("a", encode) is message.encoded("a", encode)
    assert message.encoded("b", encode) == b"x"
    assert calls == [message, message]


def test_a_slow_subscriber_gets_one_message_at_a_time() -> None:
    subscriber = Subscriber(slow=True)
    channel, _ = channel_with(subscriber)
    deliver(channel, 1, 2, 3)
    assert subscriber.got == [1]
    subscriber.waiting[0].callback(None)
    assert subscriber.got == [1, 2]
    subscriber.slow = False
    subscriber.waiting[1].callback(None)
    assert subscriber.got == [1, 2, 3]


def test_ws_17_the_oldest_is_dropped_for_a_slow_subscriber() -> None:
    slow, fast = Subscriber(slow=True), Subscriber()
    channel, _ = channel_with(slow, fast)
    deliver(channel, *range(1, 11))
    assert fast.got == list(range(1, 11))
    (member, _) = channel.members.values()
    assert member.dropped == 6
    slow.slow = False
    slow.waiting[0].callback(None)
    assert slow.got == [1, 8, 9, 10]


def test_ws_17_or_it_is_disconnected() -> None:
    slow, fast = Subscriber(slow=True), Subscriber()
    channel, _ = channel_with(slow, fast)
    deliver(channel, 1, 2, 3, 4, disconnect=True)
    assert (slow.overflows, len(channel.members)) == (0, 2)
    deliver(channel, 5, 6, disconnect=True)
    assert (slow.overflows, len(channel.members)) == (1, 1)
    slow.waiting[0].callback(None)
    assert slow.got == [1]
    assert fast.got == [1, 2, 3, 4, 5, 6]


def test_without_a_queue_everything_is_dropped() -> None:
    slow = Subscriber(slow=True)
    channel, _ = channel_with(slow)
    deliver(channel, 1, 2, limit=0)
    slow.waiting[0].callback(None)
    deliver(channel, 3, limit=0)
    assert slow.got == [1, 3]


def test_a_long_queue_is_taken_without_recursion() -> None:
    class Prompt(Subscriber):
        def on_hub_message(self, message: HubMessage) -> Any:
            super().on_hub_message(message)
            return self.waiting[-1] if len(self.got) == 1 else succeed("anything")

    subscriber = Prompt(slow=True)
    channel, _ = channel_with(subscriber)
    deliver(channel, *range(5000), limit=10_000)
    subscriber.waiting[0].callback(None)
    assert len(subscriber.got) == 4999  # the message with id 0 is not after position 0


def test_a_coroutine_is_waited_for() -> None:
    ready: Deferred[None] = Deferred()

    class Waiting(Subscriber):
        async def on_hub_message(self, message: HubMessage) -> None:
            self.got.append(message.data)
            await ready

    subscriber = Waiting()
    channel, _ = channel_with(subscriber)
    deliver(channel, 1, 2)
    assert subscriber.got == [1]
    ready.callback(None)
    assert subscriber.got == [1, 2]


FAILURES = [
    ("raises", lambda: 1 / 0, True),
    ("fails", lambda: fail(ZeroDivisionError()), True),
    ("no awaitable", lambda: 7, True),
    ("the client went away", lambda: fail(StreamClosedError()), False),
]


@pytest.mark.parametrize(
    ("result", "logged"), [each[1:] for each in FAILURES], ids=[each[0] for each in FAILURES]
)
def test_a_subscriber_that_fails_is_removed(
    result: Any, logged: bool, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Subscriber):
        def on_hub_message(self, message: HubMessage) -> Any:
            return result()

    failing, other = Failing(), Subscriber()
    channel, _ = channel_with(failing, other)
    deliver(channel, 1)
    assert other.got == [1]
    assert list(channel.members) == [id(other)]
    assert bool(caplog.records) is logged


def test_a_failure_after_leaving_is_the_end_of_it() -> None:
    slow = Subscriber(slow=True)
    channel, emptied = channel_with(slow)
    deliver(channel, 1, 2)
    channel.remove(slow)
    channel.remove(slow)
    assert emptied == [channel]
    slow.waiting[0].errback(StreamClosedError())
    assert slow.got == [1]


def test_what_is_published_by_a_subscriber_comes_behind_for_all() -> None:
    class Echo(Subscriber):
        def on_hub_message(self, message: HubMessage) -> Any:
            super().on_hub_message(message)
            if message.data < 10:
                deliver(channel, message.data + 10)

    first, last = Echo(), Subscriber()
    channel, _ = channel_with(first, last)
    deliver(channel, 1)
    assert first.got == last.got == [1, 11]


def test_subscribers_come_and_go_while_a_message_is_passed_on() -> None:
    class Leaving(Subscriber):
        def on_hub_message(self, message: HubMessage) -> Any:
            super().on_hub_message(message)
            channel.remove(other)
            channel.members[id(new)] = Member(channel, new, message.id)

    leaving, other, new = Leaving(), Subscriber(), Subscriber()
    channel, _ = channel_with(leaving, other)
    deliver(channel, 1)
    deliver(channel, 2)
    assert (leaving.got, other.got, new.got) == ([1, 2], [], [2])


def test_history() -> None:
    channel, _ = channel_with()
    for number in (3, 5, 8):
        channel.record(HubMessage(number, "room", "x" * number))
    assert channel.size == 16
    assert [message.id for message in channel.since(0)] == [3, 5, 8]
    assert [message.id for message in channel.since(4)] == [5, 8]
    assert channel.since(8) == channel.since(9) == []
    assert channel.forget() == 3
    assert channel.size == 13


def test_waiters_are_answered_once() -> None:
    channel, emptied = channel_with()
    waiters = [Waiter(0, channel.forget_waiter) for _ in range(3)]
    channel.waiters.update(dict.fromkeys(waiters))
    waiters[0].answer.addErrback(lambda _: None).cancel()
    deliver(channel, 1)
    deliver(channel, 2)
    results: list[Any] = [waiter.answer.result for waiter in waiters[1:]]
    assert [[message.data for message in result] for result in results] == [[1], [1]]
    assert results[0] is not results[1]
    assert emptied == [channel]
