"""Hub: publishing, joining, replay, waiting, and its bounds."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock

from cyclone.web import Hub, HubFullError, HubMessage
from cyclone.web._hub import parse_id


class Subscriber:
    def __init__(self) -> None:
        self.got: list[Any] = []

    def on_hub_message(self, message: HubMessage) -> Any:
        self.got.append(message.data)

    def on_hub_overflow(self) -> None:
        raise AssertionError


def joined(hub: Hub, channel: str = "room", after: Any = None) -> list[Any]:
    """What somebody who joins now gets."""
    subscriber = Subscriber()
    hub.join(channel, subscriber, after)
    return subscriber.got


def publish(hub: Hub, *data: Any, channel: str = "room") -> list[int]:
    ids: list[int] = []
    for each in data:
        hub.publish(channel, each).addCallback(ids.append)
    return ids


def test_everybody_in_the_channel_gets_it() -> None:
    hub = Hub()
    first, second, other = joined(hub), joined(hub), joined(hub, "other")
    ids = publish(hub, "one", {"two": 2})
    assert first == second == ["one", {"two": 2}]
    assert other == []
    assert ids[1] == ids[0] + 1 == hub.last_id


def test_ids_go_on_after_a_restart() -> None:
    before = int(time.time() * 1_000_000)
    (first,) = publish(Hub(), "x")
    assert first > before
    assert first < 2**53  # JavaScript counts as far as this


def test_joining_twice_and_leaving() -> None:
    hub, subscriber = Hub(), Subscriber()
    hub.join("room", subscriber)
    hub.join("room", subscriber, after=0)
    publish(hub, 1)
    assert subscriber.got == [1]
    assert hub.count("room") == 1
    hub.leave("room", subscriber)
    hub.leave("room", subscriber)
    hub.leave("other", subscriber)
    publish(hub, 2)
    assert subscriber.got == [1]
    assert hub.count("room") == hub.count("other") == 0


def test_replay() -> None:
    hub = Hub(history=3)
    ids = publish(hub, 1, 2, 3, 4)
    assert joined(hub) == []
    assert joined(hub, after=ids[2]) == [4]
    assert joined(hub, after=str(ids[1])) == [3, 4]
    assert joined(hub, after=ids[3]) == []
    assert joined(hub, after=ids[0]) == [2, 3, 4]
    assert joined(hub, after=0) == [2, 3, 4]
    got = joined(hub, after=ids[2])
    publish(hub, 5)
    assert got == [4, 5]


def test_an_id_is_good_for_all_channels() -> None:
    hub = Hub()
    publish(hub, 1, channel="a")
    ids = publish(hub, 2, channel="b")
    publish(hub, 3, channel="a")
    assert joined(hub, "a", ids[0]) == [3]


UNKNOWN = ["", "x", "-1", "1.5", "\u0663", "9" * 20, "9" * 5000, str(2**63)]


@pytest.mark.parametrize("after", UNKNOWN, ids=range(len(UNKNOWN)))
def test_an_unknown_id_gets_all_there_is(after: str) -> None:
    hub = Hub()
    publish(hub, 1, 2)
    assert joined(hub, after=after) == [1, 2]


@given(st.text() | st.integers())
def test_any_text_is_an_id_or_none(after: Any) -> None:
    assert parse_id(after) >= 0


@given(st.lists(st.tuples(st.sampled_from("pjl"), st.integers(0, 3))), st.integers(0, 5))
def test_every_message_once_and_in_order(steps: list[tuple[str, int]], history: int) -> None:
    hub, published = Hub(history=history), 0
    members: list[tuple[Subscriber, int]] = []
    for step, number in steps:
        if step == "p":
            published += 1
            publish(hub, published)
        elif step == "j":
            subscriber = Subscriber()
            kept = min(history, published)
            hub.join("room", subscriber, None if number == 0 else 0)
            members.append((subscriber, published if number == 0 else published - kept))
        elif members:
            hub.leave("room", members.pop(number % len(members))[0])
    for subscriber, first in members:
        assert subscriber.got == list(range(first + 1, published + 1))


# --- waiting --------------------------------------------------------------------------------


def waiting(hub: Hub, *arguments: Any) -> list[list[Any]]:
    answers: list[list[Any]] = []
    hub.wait("room", *arguments).addCallback(lambda found: answers.append([m.data for m in found]))
    return answers


def test_wait_for_the_next() -> None:
    hub = Hub()
    first, second = waiting(hub), waiting(hub)
    assert first == []
    publish(hub, 1, 2)
    assert first == second == [[1]]


def test_wait_answers_at_once_with_what_came_after() -> None:
    hub = Hub()
    ids = publish(hub, 1, 2, 3)
    assert waiting(hub, ids[0]) == [[2, 3]]
    assert waiting(hub, 0) == [[1, 2, 3]]
    later = waiting(hub, ids[2])
    assert later == []
    publish(hub, 4)
    assert later == [[4]]


def test_wait_has_a_time_limit() -> None:
    clock = Clock()
    hub = Hub(reactor=clock, history=0)
    answers = waiting(hub, None, 10)
    clock.advance(9)
    assert answers == []
    clock.advance(1)
    assert answers == [[]]
    answered = waiting(hub, None, 10)
    publish(hub, 1)
    assert answered == [[1]]
    assert clock.getDelayedCalls() == []
    assert hub._channels == {}


def test_a_wait_can_be_cancelled() -> None:
    clock = Clock()
    hub = Hub(reactor=clock, history=0)
    waiter = hub.wait("room", timeout=10)
    waiter.addErrback(lambda _: None)
    waiter.cancel()
    assert clock.getDelayedCalls() == []
    assert hub._channels == {}


# --- bounds ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "x" * 201, 7, None, b"room"])
def test_names_of_channels(name: Any) -> None:
    hub = Hub()
    for call in (hub.wait, lambda name: hub.join(name, Subscriber())):
        with pytest.raises(ValueError, match="1 to 200"):
            call(name)
    with pytest.raises(ValueError, match="1 to 200"):
        hub.publish(name, "x")
    assert hub._channels == {}


def test_messages() -> None:
    hub = Hub(max_message_size=10)
    for bad in (b"x", object()):
        with pytest.raises(TypeError):
            hub.publish("room", bad)
    with pytest.raises(ValueError, match="11 characters"):
        hub.publish("room", "x" * 11)
    assert joined(hub, after=0) == []


def test_slow_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="drop_oldest"):
        Hub(slow="ignore")  # type: ignore[arg-type]


def test_channels_without_members_make_room() -> None:
    hub = Hub(max_channels=3)
    keeper = joined(hub, "kept")
    for number in range(10):
        publish(hub, number, channel=f"channel-{number}")
    assert sorted(hub._channels) == ["channel-8", "channel-9", "kept"]
    publish(hub, "x", channel="kept")
    assert keeper == ["x"]
    joined(hub, "channel-8")
    joined(hub, "channel-9")
    with pytest.raises(HubFullError) as raised:
        joined(hub, "another")
    assert raised.value.status_code == 503
    with pytest.raises(HubFullError):
        hub.publish("another", "x")


def test_the_history_of_all_channels_is_bounded() -> None:
    hub = Hub(history=1000, max_history_size=1000)
    first = joined(hub, "joined")
    for number in range(100):
        publish(hub, "x" * 90, channel=f"idle-{number % 7}")
        publish(hub, "x" * 90, channel="joined")
        total = sum(channel.size for channel in hub._channels.values())
        assert total == hub._size <= 1000
    assert len(first) == 100
    assert len(joined(hub, "joined", 0)) == 11  # those that nobody is in went first
    publish(hub, "y" * 2000, channel="joined")
    assert len(first) == 101
    assert hub._size == 0


def test_nothing_is_kept_without_history() -> None:
    hub = Hub(history=0)
    publish(hub, 1)
    assert hub._channels == {}
    got = joined(hub, after=0)
    publish(hub, 2)
    assert got == [2]


def test_a_channel_that_was_used_stays_longest() -> None:
    hub = Hub(max_channels=2)
    publish(hub, 1, channel="a")
    publish(hub, 2, channel="b")
    publish(hub, 3, channel="a")
    publish(hub, 4, channel="c")
    assert sorted(hub._channels) == ["a", "c"]


def test_many_members_take_linear_time() -> None:
    def seconds(count: int) -> float:
        hub = Hub()
        members = [Subscriber() for _ in range(count)]
        start = time.process_time()
        for member in members:
            hub.join("room", member)
        publish(hub, *range(5))
        for member in members:
            hub.leave("room", member)
        return time.process_time() - start

    seconds(100)
    assert seconds(10_000) < 100 * max(seconds(1000), 0.001)
