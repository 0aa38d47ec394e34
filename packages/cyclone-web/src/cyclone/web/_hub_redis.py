"""RedisHub: a hub whose channels reach over several processes."""

from __future__ import annotations

import json
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import (
    CancelledError,
    Deferred,
    gatherResults,
    inlineCallbacks,
    maybeDeferred,
)
from twisted.python.failure import Failure

from ._hub import Hub, parse_id
from ._hub_channel import Channel, HubMessage
from ._log import general_log

if TYPE_CHECKING:
    from ._hub_redis_link import Link

# The place in the history of somebody who joins while the history is on its way: its end.
_NOW = -1
# A client that changed to this process may have seen what is only on its way here: ids that are
# no further ahead are taken for real ones.
_AHEAD = 10_000

# Number the message, keep it, pass it on: all at once, so that order and numbers agree.
# A number of Redis' Lua is a double: exact for these ids, but not in its own text form.
_PUBLISH = """
redis.call('SET', KEYS[1], ARGV[1], 'NX')
local id = string.format('%.0f', redis.call('INCR', KEYS[1]))
local entry = id .. ' ' .. ARGV[2]
if tonumber(ARGV[3]) > 0 then
  redis.call('RPUSH', KEYS[2], entry)
  redis.call('LTRIM', KEYS[2], '-' .. ARGV[3], -1)
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
redis.call('PUBLISH', KEYS[3], entry)
return id
"""
_LOAD = """
local entries = redis.call('LRANGE', KEYS[2], 0, -1)
table.insert(entries, 1, redis.call('GET', KEYS[1]) or '0')
return entries
"""
_decode = json.JSONDecoder().raw_decode


class HubUnavailableError(ConnectionError):
    """Redis could not be reached in time, or broke the connection off before it answered."""


class RedisHub(Hub):
    """A `Hub` whose messages go through Redis, to all processes that use the same *prefix*.

    Redis numbers the messages and keeps the history, so that a client can come back to any process.
    It connects when it is first used. While Redis is away the members stay; when it is back they
    get what they missed, as far as it was kept. Needs ``cyclone-web[redis]``.

    :arg host: and *port*: where Redis listens.
    :arg endpoint: in place of these, a Twisted client endpoint or its description as a string.
    :arg username: and *password*, *db*: how to log in, and the database.
    :arg prefix: what the names of all keys begin with.
    :arg timeout: seconds that `publish` waits for Redis.
    :arg max_pending: how many messages may wait for Redis to come back.
    :arg history_ttl: seconds after the last message of a channel that its history is kept.
    :arg options: those of `Hub`. The history of a channel without members is Redis' alone.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 6379,
        *,
        endpoint: Any = None,
        username: str | None = None,
        password: str | None = None,
        db: int = 0,
        prefix: str = "cyclone-hub",
        timeout: float = 5.0,
        max_pending: int = 1000,
        history_ttl: int = 86400,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.timeout = timeout
        self.max_pending = max_pending
        self.history_ttl = history_ttl
        self._endpoint = endpoint or (host, port)
        self._login = [part for part in (username, password) if part is not None]
        self._db = db
        self._counter = f"{prefix}:id"
        self._topic = f"{prefix}:messages"
        self._history_key = f"{prefix}:history:".__add__
        self._last_id = 0
        self._commands: Link | None = None
        self._subscription: Link | None = None
        self._pending: deque[_Pending] = deque()
        # What was published to a channel while its history is on its way
        self._early: dict[str, deque[HubMessage]] = {}

    # --- the connections --------------------------------------------------------------------

    def _connect(self) -> None:
        if self._commands is not None:
            return
        # Late, for txredisapi installs a reactor.
        try:
            from ._hub_redis_link import MAX_REPLY, Link
        except ImportError as error:
            raise ImportError("RedisHub needs txredisapi: install cyclone-web[redis]") from error
        reactor = self._get_reactor()
        endpoint = self._make_endpoint(reactor)
        common = (endpoint, reactor, self.timeout)
        # A history of the longest messages fits, each character escaped twice
        longest = (max(self.history, 0) + 1) * 12 * (self.max_message_size + 1024)
        limit = max(longest, MAX_REPLY)
        self._commands = Link(*common, self._log_in, self._ready, max_reply=limit)
        self._subscription = Link(
            *common, self._subscribe, self._ready, self._message_received, max_reply=limit
        )
        self._commands.start()
        self._subscription.start()

    def _make_endpoint(self, reactor: Any) -> Any:
        from twisted.internet.endpoints import TCP4ClientEndpoint, clientFromString

        endpoint = self._endpoint
        if isinstance(endpoint, str):
            return clientFromString(reactor, endpoint)  # type: ignore[no-untyped-call]
        if isinstance(endpoint, tuple):
            host, port = endpoint
            return TCP4ClientEndpoint(reactor, host, port, timeout=self.timeout)
        return endpoint

    def close(self) -> Deferred[None]:
        """Disconnect; the Deferred fires when that is done. Any further use connects again."""
        links = [link for link in (self._commands, self._subscription) if link is not None]
        self._commands = self._subscription = None
        while self._pending:
            self._pending[0].fail("the hub was closed")
        return gatherResults([link.stop() for link in links]).addCallback(lambda _: None)

    @inlineCallbacks
    def _log_in(self, protocol: Any) -> Any:
        if self._login:
            yield protocol.execute_command("AUTH", *self._login)
        if self._db:
            yield protocol.execute_command("SELECT", self._db)

    @inlineCallbacks
    def _subscribe(self, protocol: Any) -> Any:
        yield self._log_in(protocol)
        yield protocol.execute_command("SUBSCRIBE", self._topic)

    @property
    def _is_ready(self) -> bool:
        """Whether both connections are there.

        Nothing is published before we are subscribed: whoever joins here and then publishes gets
        that message.
        """
        commands, subscription = self._commands, self._subscription
        return bool(commands and commands.protocol and subscription and subscription.protocol)

    def _ready(self) -> None:
        """A connection is there (again): something may have been missed."""
        if not self._is_ready:
            return
        for channel in list(self._channels.values()):
            self._begin_load(channel)
        for pending in list(self._pending):
            self._send(pending)

    # --- publishing -------------------------------------------------------------------------

    def publish(self, channel: str, message: Any) -> Deferred[int]:
        """Pass *message* on to everybody in *channel*; the Deferred fires with its id.

        It fails with `HubUnavailableError` when Redis does not take the message in time, or too
        many wait already; the message may have been passed on nevertheless.

        :raises TypeError: when *message* is neither text nor anything JSON can express.
        :raises ValueError: when it, or the channel's name, is too long.
        """
        self._check(channel, message)
        self._connect()
        entry = f"{json.dumps(channel)} {json.dumps(message)}"
        pending = _Pending(self._pending, channel, entry)
        if len(self._pending) > self.max_pending:
            pending.fail(f"{self.max_pending} messages wait for Redis")
        elif self._is_ready:
            self._send(pending)
        else:
            pending.expire(self._get_reactor(), self.timeout)
        return pending.done

    def _send(self, pending: _Pending) -> None:
        """Hand a message to Redis."""
        pending.leave_queue()
        keys = [self._counter, self._history_key(pending.channel), self._topic]
        first_id = int(time.time() * 1_000_000)
        arguments = [first_id, pending.entry, max(self.history, 0), self.history_ttl]
        self._evaluate(_PUBLISH, keys, arguments).addCallback(int).addCallbacks(
            pending.succeed, lambda failure: pending.fail(failure.getErrorMessage())
        )

    def _evaluate(self, script: str, keys: list[str], arguments: list[Any]) -> Deferred[Any]:
        """Run a script in Redis; only while both connections are there."""
        protocol: Any = self._commands and self._commands.protocol
        return maybeDeferred(protocol.eval, script, keys, arguments)

    # --- messages ---------------------------------------------------------------------------

    def _message_received(self, entry: bytes) -> None:
        message = self._parse(entry, only_known=True)
        if message is None:
            return
        self._last_id = max(self._last_id, message.id)
        early = self._early.get(message.channel)
        if early is None:
            self._receive(message)
        else:
            early.append(message)

    def _parse(self, entry: bytes, only_known: bool = False) -> HubMessage | None:
        """A message as Redis has it: its id, and channel and data as JSON."""
        try:
            number, _, rest = entry.decode().partition(" ")
            channel, end = _decode(rest)
            if only_known and channel not in self._channels:
                self._last_id = max(self._last_id, int(number))
                return None
            return HubMessage(int(number), channel, json.loads(rest[end:]))
        except (ValueError, TypeError, RecursionError):
            general_log.warning("What is no message came from Redis: {entry}", entry=entry[:200])
            return None

    # --- channels ---------------------------------------------------------------------------

    def _position(self, after: int | str | None, channel: Channel) -> int:
        if after is None:
            return _NOW if channel.loading else self._last_id
        position = parse_id(after)
        return position if channel.loading else self._place(position, self._last_id)

    def _place(self, position: int, last_id: int) -> int:
        """A place in the history, when its end is known."""
        if position == _NOW:
            return last_id
        return 0 if position > self._last_id + _AHEAD else position

    def _receive(self, message: HubMessage) -> None:
        if message.channel in self._channels:
            super()._receive(message)

    def _make(self, name: str) -> Channel:
        channel = super()._make(name)
        self._connect()
        self._begin_load(channel)
        return channel

    def _drop(self, channel: Channel) -> None:
        super()._drop(channel)
        self._early.pop(channel.name, None)

    def _left(self, channel: Channel) -> None:
        if self._channels.get(channel.name) is channel:
            self._drop(channel)

    def _begin_load(self, channel: Channel) -> None:
        """Ask for the history of a channel; if that cannot be now, it comes when it can."""
        if not channel.loading:
            channel.loading = True
            self._early[channel.name] = deque(maxlen=max(self.history, self.max_queue, 1))
        if not self._is_ready:
            return
        keys = [self._counter, self._history_key(channel.name)]
        self._evaluate(_LOAD, keys, []).addCallbacks(
            self._loaded,
            self._not_loaded,
            callbackArgs=(channel,),
            errbackArgs=(channel,),
        ).addErrback(_log_failure)

    def _not_loaded(self, failure: Failure, channel: Channel) -> None:
        from txredisapi import ResponseError

        if isinstance(failure.value, ResponseError):
            general_log.error(
                "Redis has no history of {channel}: {reason}",
                channel=channel.name,
                reason=failure.getErrorMessage(),
            )
            self._loaded([b"0"], channel)

    def _loaded(self, reply: list[bytes], channel: Channel) -> None:
        """The history is here: bring everybody up to date."""
        if self._channels.get(channel.name) is not channel or not channel.loading:
            return
        last_id = int(reply[0])
        self._last_id = max(self._last_id, last_id)
        known = channel.history[-1].id if channel.history else 0
        for entry in reply[1:]:
            message = self._parse(entry)
            if message is not None and message.id > known:
                self._record(channel, message)
        channel.loading = False
        early = self._early.pop(channel.name)
        for member in list(channel.members.values()):
            member.position = self._place(member.position, last_id)
            self._replay(channel, member)
        for waiter in list(channel.waiters):
            waiter.position = self._place(waiter.position, last_id)
            messages = channel.since(waiter.position)
            if messages:
                channel.answer(waiter, messages)
        newest = channel.history[-1].id if channel.history else 0
        for message in early:
            if message.id > newest:
                self._receive(message)


class _Pending:
    """A message on its way to Redis."""

    def __init__(self, queue: deque[_Pending], channel: str, entry: str) -> None:
        self.channel = channel
        self.entry = entry
        self.done: Deferred[int] = Deferred(lambda _: self.leave_queue())
        self._queue = queue
        self._expiry: Any = None
        queue.append(self)

    def expire(self, reactor: Any, seconds: float) -> None:
        """Wait so long and no longer."""
        self._expiry = reactor.callLater(seconds, self.fail, "Redis cannot be reached")

    def leave_queue(self) -> None:
        """It waits no more."""
        if self in self._queue:
            self._queue.remove(self)
        if self._expiry is not None and self._expiry.active():
            self._expiry.cancel()

    def succeed(self, id: int) -> None:
        """Redis has it."""
        if not self.done.called:
            self.done.callback(id)

    def fail(self, reason: str) -> None:
        """Give up."""
        self.leave_queue()
        if not self.done.called:
            self.done.errback(HubUnavailableError(reason))


def _log_failure(failure: Failure) -> None:
    if not isinstance(failure.value, CancelledError):
        general_log.error("The hub's channels could not be loaded", exc_info=failure.value)
