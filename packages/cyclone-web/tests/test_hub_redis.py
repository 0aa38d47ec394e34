"""RedisHub and its connections, against a Redis in memory that can fail in many ways."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cyclone.web import HubMessage, HubUnavailableError, RedisHub
from cyclone.web._hub_redis import _LOAD, _PUBLISH


class Redis:
    """What the hub needs of Redis; reached through `connect`, as an endpoint is."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.up = True
        self.mute = False  # takes commands and never answers
        self.password: str | None = None
        self.attempts = 0
        self.counter = 0
        self.lists: dict[str, list[str]] = {}
        self.connections: list[Connection] = []
        self.commands: list[list[str]] = []

    def connect(self, factory: Any) -> Deferred[Any]:
        self.attempts += 1
        if not self.up:
            return fail(OSError(111, "Connection refused"))
        protocol = factory.buildProtocol(None)
        connection = Connection(self, protocol)
        self.connections.append(connection)
        protocol.makeConnection(connection)
        return succeed(protocol)

    def go_down(self) -> None:
        self.up = False
        for connection in self.connections[:]:
            connection.abortConnection()

    def command(self, connection: Connection, name: str, *arguments: str) -> Any:
        self.commands.append([name, *arguments])
        if name == "AUTH":
            if arguments[-1] != self.password:
                raise ValueError("WRONGPASS invalid username-password pair")
            connection.known = True
            return "+OK"
        if self.password and not connection.known:
            raise ValueError("NOAUTH Authentication required.")
        if name == "SELECT":
            return "+OK"
        if name == "PING":
            return ["pong", ""] if connection.topic else "+PONG"
        if name == "SUBSCRIBE":
            (connection.topic,) = arguments
            return ["subscribe", arguments[0], 1]
        if name == "EVALSHA":
            script = {sha(script): script for script in (_PUBLISH, _LOAD)}[arguments[0]]
            return self.evaluate(script, *arguments[2:])
        assert name == "EVAL"
        return self.evaluate(arguments[0], *arguments[2:])

    def evaluate(self, script: str, counter: str, history: str, *rest: str) -> Any:
        kept = self.lists.setdefault(history, [])
        if "broken" in history:
            raise ValueError("WRONGTYPE Operation against a key")
        if script == _LOAD:
            return [str(self.counter), *kept]
        topic, first, entry, length, _ = rest
        self.counter = (self.counter or int(first)) + 1
        entry = f"{self.counter} {entry}"
        self.lists[history] = [*kept, entry][-int(length) :] if int(length) else []
        self.publish(topic, entry)
        return str(self.counter)

    def publish(self, topic: str, entry: str) -> None:
        for connection in self.connections:
            if connection.topic == topic:
                connection.reply(["message", topic, entry])


def sha(script: str) -> str:
    return hashlib.sha1(script.encode()).hexdigest()


def encode(reply: Any) -> bytes:
    if isinstance(reply, list):
        return b"*%d\r\n" % len(reply) + b"".join(map(encode, reply))
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if reply.startswith(("+", "-")):
        return reply.encode() + b"\r\n"  # type: ignore[no-any-return]
    data = reply.encode()
    return b"$%d\r\n%b\r\n" % (len(data), data)


class Connection:
    """Redis' side of a connection; for the client it is the transport."""

    disconnecting = False

    def __init__(self, redis: Redis, protocol: Any) -> None:
        self.redis = redis
        self.protocol = protocol
        self.known = False
        self.topic: str | None = None
        self._buffer = b""

    def write(self, data: bytes) -> None:
        """Commands come as arrays of strings; what they say is done in the next turn."""
        if self.redis.mute:
            return
        self._buffer += data
        while self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n")
            words = []
            for _ in range(int(head[1:])):
                size, _, rest = rest.partition(b"\r\n")
                words.append(rest[: int(size[1:])].decode())
                rest = rest[int(size[1:]) + 2 :]
            self._buffer = rest
            self.redis.clock.callLater(0, self.execute, words)

    def execute(self, words: list[str]) -> None:
        if self not in self.redis.connections:
            return
        try:
            reply = self.redis.command(self, *words)
        except ValueError as error:
            reply = f"-{error}"
        self.reply(reply)

    def reply(self, reply: Any) -> None:
        self.protocol.dataReceived(encode(reply))

    def abortConnection(self) -> None:
        if self in self.redis.connections:
            self.redis.connections.remove(self)
            self.protocol.connectionLost(Failure(ConnectionLost()))  # type: ignore[no-untyped-call]

    loseConnection = abortConnection

    def pauseProducing(self) -> None:
        pass

    def resumeProducing(self) -> None:
        pass


class Subscriber:
    def __init__(self) -> None:
        self.got: list[Any] = []

    def on_hub_message(self, message: HubMessage) -> None:
        self.got.append(message.data)

    def on_hub_overflow(self) -> None:
        raise AssertionError


class World:
    """Some processes and their Redis."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.redis = Redis(self.clock)
        self.hubs: list[RedisHub] = []

    def hub(self, **options: Any) -> RedisHub:
        hub = RedisHub(endpoint=self.redis, reactor=self.clock, **options)
        self.hubs.append(hub)
        return hub

    def settle(self, seconds: float = 0) -> None:
        """Let everything that is under way arrive."""
        self.clock.advance(seconds)
        for _ in range(50):
            self.clock.advance(0)

    def joined(self, hub: RedisHub, channel: str = "room", after: Any = None) -> list[Any]:
        subscriber = Subscriber()
        hub.join(channel, subscriber, after)
        return subscriber.got

    def published(self, hub: RedisHub, *data: Any, channel: str = "room") -> list[Any]:
        """The ids, or the errors, as they come."""
        results: list[Any] = []
        for each in data:
            hub.publish(channel, each).addCallbacks(results.append, results.append)
        self.settle()
        return results


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    for hub in world.hubs:
        hub.close()
    world.settle()
    assert world.redis.connections == []
    assert [call for call in world.clock.getDelayedCalls() if call.active()] == []


def test_nothing_connects_before_it_is_used(world: World) -> None:
    world.hub()
    world.settle()
    assert world.redis.attempts == 0


def test_two_processes(world: World) -> None:
    one, two = world.hub(), world.hub()
    got = [world.joined(one), world.joined(two), world.joined(two, "other")]
    world.settle()
    first, second = world.published(one, {"a": ["ü", 1]}), world.published(two, "text")
    assert got == [[{"a": ["ü", 1]}, "text"]] * 2 + [[]]
    assert second == [first[0] + 1]
    assert one.last_id == two.last_id == second[0]


def test_what_is_published_after_joining_arrives(world: World) -> None:
    """Even if neither could be done yet."""
    hub = world.hub()
    got = world.joined(hub)
    world.published(hub, 1, 2)
    assert got == [1, 2]


def test_a_client_that_comes_to_another_process(world: World) -> None:
    one, two = world.hub(history=3), world.hub()
    ids = world.published(one, 1, 2, 3, 4)
    got = [world.joined(two, after=after) for after in (ids[2], ids[3], 0, "unknown", None)]
    got.append(world.joined(two, after=ids[3] + 10**12))
    world.settle()
    world.published(one, 5)
    assert got == [[4, 5], [5], [2, 3, 4, 5], [2, 3, 4, 5], [5], [2, 3, 4, 5]]
    assert world.joined(two, after=ids[2]) == [4, 5]  # it is known by now
    assert world.joined(two) == []


def test_waiting(world: World) -> None:
    one, two = world.hub(), world.hub()
    ids = world.published(one, 1, 2)
    answers: list[Any] = []

    def wait(after: Any = None) -> None:
        two.wait("room", after, 10).addCallback(
            lambda found: answers.append([message.data for message in found])
        )

    wait(ids[0])
    wait()
    assert answers == []
    world.settle()
    assert answers == [[2]]
    world.published(one, 3)
    assert answers == [[2], [3]]
    wait(ids[1])
    world.settle()
    assert answers == [[2], [3], [3]]
    wait()
    world.settle(10)
    assert answers[3:] == [[]]


def test_a_channel_that_nobody_is_in_is_not_kept_here(world: World) -> None:
    hub, subscriber = world.hub(), Subscriber()
    hub.join("room", subscriber)
    world.settle()
    world.published(hub, 1)
    hub.leave("room", subscriber)
    world.published(hub, 2)
    assert (hub._channels, hub._early, hub._size) == ({}, {}, 0)
    assert world.joined(hub, after=0) == []
    hub.close()


def test_leaving_before_the_history_has_come(world: World) -> None:
    hub, subscriber = world.hub(), Subscriber()
    world.published(hub, 1)
    hub.join("room", subscriber, after=0)
    hub.leave("room", subscriber)
    again = world.joined(hub, after=0)
    world.settle()
    assert (subscriber.got, again) == ([], [1])


def test_redis_goes_away_and_comes_back(world: World, caplog: pytest.LogCaptureFixture) -> None:
    one, two = world.hub(), world.hub()
    got = [world.joined(one), world.joined(two)]
    world.settle()
    world.published(one, 1)
    # Only the second process is cut off, and misses something.
    for connection in world.redis.connections[2:]:
        connection.abortConnection()
    world.published(one, 2)
    assert got == [[1, 2], [1]]
    world.settle(5)
    assert got == [[1, 2], [1, 2]]
    world.redis.go_down()
    results = world.published(one, 3)
    world.redis.up = True
    world.settle(1)
    world.settle(1)
    assert got == [[1, 2, 3], [1, 2, 3]]
    assert len(results) == 1
    texts = [record.getMessage() for record in caplog.records]
    assert len([text for text in texts if "cannot be used" in text]) <= 8


def test_f_40_redis_is_not_there(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.redis.up = False
    hub = world.hub(timeout=5, max_pending=3)
    results = world.published(hub, *range(5))
    assert [type(result.value) for result in results] == [HubUnavailableError] * 2
    assert "3 messages wait" in str(results[0].value)
    world.settle(5)
    assert len(results) == 5
    assert "cannot be reached" in str(results[-1].value)
    attempts = world.redis.attempts
    for _ in range(60):
        world.settle(1)
    assert 2 <= world.redis.attempts - attempts <= 30  # ever more slowly
    assert len([r for r in caplog.records if "cannot be used" in r.getMessage()]) == 2


def test_f_40_redis_does_not_answer(world: World) -> None:
    hub = world.hub(timeout=5)
    got = world.joined(hub)
    world.published(hub, 1)
    world.redis.mute = True
    results = world.published(hub, 2)
    world.settle(5)
    assert isinstance(results[0].value, HubUnavailableError)
    world.redis.mute = False
    world.settle(2)
    world.settle(2)
    world.published(hub, 3)
    assert got == [1, 3]


def test_f_40_a_silent_connection_is_found_out(world: World) -> None:
    hub = world.hub(timeout=5)
    got = world.joined(hub)
    world.settle()
    world.settle(31)
    assert ["PING"] in world.redis.commands
    world.redis.mute = True
    old = list(world.redis.connections)
    world.settle(31)
    world.settle(6)
    assert not set(old) & set(world.redis.connections)
    world.redis.mute = False
    for _ in range(10):
        world.settle(2)
    world.published(hub, 1)
    assert got == [1]


def test_f_40_half_a_reply(world: World) -> None:
    hub = world.hub()
    got = world.joined(hub)
    world.settle()
    for connection in world.redis.connections[:]:
        connection.protocol.dataReceived(b"*3\r\n$7\r\nmess")
        connection.abortConnection()
    for _ in range(5):
        world.settle(1)
    world.published(hub, 1)
    assert got == [1]


@pytest.mark.parametrize(
    "name", ["a\r\nFLUSHALL\r\n", "*1\r\n$8\r\nFLUSHALL\r\n", "$-1\r\n", "'", '"', "\0", "room' 0"]
)
def test_what_is_sent_is_no_command_LG_14(world: World, name: str) -> None:
    """LG-14: each argument goes with its length, whatever a client put in it."""
    one, two = world.hub(), world.hub()
    got = world.joined(two, name)
    world.settle()
    (number,) = world.published(one, name, channel=name)
    assert got == [name]
    assert isinstance(number, int)
    assert {command[0] for command in world.redis.commands} == {"SUBSCRIBE", "EVAL"}
    assert list(world.redis.lists) == [f"cyclone-hub:history:{name}"]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"$99999999999\r\n" + bytes(1000), id="string"),
        pytest.param(b"*2147483647\r\n", id="array"),
        pytest.param(b"*1\r\n" * 100_000, id="nested"),
        pytest.param(b"$-5\r\nabc", id="negative"),
        pytest.param(b"\xff\xfe\r\n", id="not-utf-8"),
        pytest.param(b"+" + b"x" * 100_000, id="line"),
        pytest.param(b"+OK\r\n" * 1000, id="unasked"),
        pytest.param(b"*3\r\n$7\r\nmes", id="half"),
    ],
)
@pytest.mark.parametrize("which", ["commands", "subscription"])
def test_hostile_replies_LG_14(
    world: World, reply: bytes, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    """LG-14: the connection is given up, what waits fails, and a new one is made."""
    hub = world.hub(timeout=5)
    got = world.joined(hub)
    world.settle()
    world.published(hub, 1)
    world.redis.mute = True
    results = world.published(hub, "lost")
    assert results == []
    protocol: Any = getattr(hub, f"_{which}").protocol
    protocol.dataReceived(reply)
    if reply.endswith(b"mes"):
        protocol.transport.abortConnection()
    assert protocol.gone
    protocol.dataReceived(reply)  # nothing is kept any more
    world.redis.mute = False
    for _ in range(10):
        world.settle(1)
    assert [type(result) for result in results] == [Failure]
    world.published(hub, 2)
    assert got == [1, 2]
    said = [record for record in caplog.records if "cannot be used" in record.getMessage()]
    assert 1 <= len(said) <= 2
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("id_", [b"$1\r\nx\r\n", b"$-1\r\n", b"*0\r\n", b"+OK\r\n", b"-ERR no\r\n"])
def test_an_id_that_is_none_LG_14(world: World, id_: bytes) -> None:
    """LG-14: whoever published hears of it."""
    hub = world.hub()
    world.joined(hub)
    world.settle()
    world.redis.mute = True
    results = world.published(hub, 1)
    protocol: Any = hub._commands and hub._commands.protocol
    protocol.dataReceived(id_)
    assert [type(result.value) for result in results] == [HubUnavailableError]
    world.redis.mute = False


def test_f_40_wrong_password(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.redis.password = "right"
    hub = world.hub(password="wrong", timeout=5)
    results = world.published(hub, 1)
    world.settle(5)
    assert isinstance(results[0].value, HubUnavailableError)
    assert "WRONGPASS" in caplog.text
    attempts = world.redis.attempts
    for _ in range(60):
        world.settle(1)
    assert world.redis.attempts - attempts <= 30


def test_login(world: World) -> None:
    world.redis.password = "right"
    hub = world.hub(username="me", password="right", db=3)
    got = world.joined(hub)
    world.published(hub, 1)
    assert got == [1]
    assert world.redis.commands[:4:2] == [["AUTH", "me", "right"]] * 1 + [["SELECT", "3"]]


def test_a_history_that_is_none(world: World, caplog: pytest.LogCaptureFixture) -> None:
    hub = world.hub()
    got = world.joined(hub, "broken", 0)
    world.settle()
    assert "WRONGTYPE" in caplog.text
    world.redis.publish("cyclone-hub:messages", '7 "broken" 1')
    world.settle()
    assert got == [1]
    results = world.published(hub, 1, channel="broken")
    assert isinstance(results[0].value, HubUnavailableError)


NONSENSE = ["", "x", "1", "1 x", '1 "room"', '1 "room" {', 'x "room" 1', "1 [] 2", '1 {"a":1} 2']


@pytest.mark.parametrize("entry", NONSENSE, ids=range(len(NONSENSE)))
def test_what_is_no_message(world: World, entry: str, caplog: pytest.LogCaptureFixture) -> None:
    hub = world.hub()
    got = world.joined(hub)
    world.settle()
    world.redis.publish("cyclone-hub:messages", entry)
    world.settle()
    assert "no message" in caplog.text
    world.published(hub, 1)
    assert got == [1]


def test_bad_messages_are_refused_before_they_are_sent(world: World) -> None:
    hub = world.hub()
    with pytest.raises(TypeError):
        hub.publish("room", b"x")
    with pytest.raises(ValueError, match="1 to 200"):
        hub.publish("", "x")
    assert world.redis.attempts == 0


def test_closing(world: World) -> None:
    world.redis.up = False
    hub = world.hub()
    results = world.published(hub, 1)
    hub.close()
    assert isinstance(results[0].value, HubUnavailableError)
    world.redis.up = True
    assert len(world.published(hub, 2)) == 1


ENDPOINTS = [
    ("host and port", {"host": "127.0.0.2", "port": 7000}, "_host", "127.0.0.2"),
    ("description", {"endpoint": "unix:/run/redis.sock"}, "_path", "/run/redis.sock"),
]


@pytest.mark.parametrize(
    ("options", "attribute", "value"),
    [each[1:] for each in ENDPOINTS],
    ids=[each[0] for each in ENDPOINTS],
)
def test_endpoints(options: dict[str, Any], attribute: str, value: str) -> None:
    hub = RedisHub(**options)
    assert getattr(hub._make_endpoint(Clock()), attribute) == value
