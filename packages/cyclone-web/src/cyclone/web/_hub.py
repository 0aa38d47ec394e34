"""Hub: what is published to a channel reaches everybody who joined it."""

from __future__ import annotations

import time
from typing import Any, Literal

from twisted.internet.defer import Deferred, succeed

from ._errors import HTTPError
from ._hub_channel import Channel, HubMessage, Member, Subscriber, Waiter, text_of

MAX_CHANNEL_NAME = 200


class HubFullError(HTTPError):
    """The hub has as many channels as it may have; an unhandled one is answered with 503."""

    def __init__(self, limit: int) -> None:
        super().__init__(503, f"all {limit} channels of the hub are in use")


class Hub:
    """Passes messages on to the subscribers of named channels, within this process.

    A subscriber is anything with the two methods of `Subscriber`. Handlers use `HubMixin`, which
    finds the hub in the setting ``hub``. Messages are text, or what JSON can express; each gets an
    id, higher than all before in any channel, also after a restart.

    :arg history: how many messages of a channel are kept for those who come back.
    :arg max_history_size: how many characters the kept messages of all channels may have.
    :arg max_queue: how many messages may wait for a slow subscriber.
    :arg slow: what happens to it then: ``"drop_oldest"`` of the messages, or ``"disconnect"``.
    :arg max_channels: how many channels there may be; those that nobody has joined make room first.
    :arg max_message_size: how many characters a message may have.
    :arg reactor: for the time limit of `wait`.
    """

    def __init__(
        self,
        *,
        history: int = 100,
        max_history_size: int = 16 * 1024 * 1024,
        max_queue: int = 200,
        slow: Literal["drop_oldest", "disconnect"] = "drop_oldest",
        max_channels: int = 10_000,
        max_message_size: int = 256 * 1024,
        reactor: Any = None,
    ) -> None:
        if slow not in ("drop_oldest", "disconnect"):
            raise ValueError(f"slow is 'drop_oldest' or 'disconnect', not {slow!r}")
        self.history = history
        self.max_history_size = max_history_size
        self.max_queue = max_queue
        self.slow = slow
        self.max_channels = max_channels
        self.max_message_size = max_message_size
        self._reactor = reactor
        self._channels: dict[str, Channel] = {}
        # Those that nobody is in, the one that was left or published to longest ago first
        self._idle: dict[str, Channel] = {}
        self._size = 0
        # In microseconds, so that a client that comes back after a restart is not ahead of us
        self._last_id = int(time.time() * 1_000_000)

    @property
    def last_id(self) -> int:
        """The id of the last message; those to come have higher ones."""
        return self._last_id

    def count(self, channel: str) -> int:
        """How many subscribers a channel has."""
        found = self._channels.get(channel)
        return len(found.members) if found else 0

    # --- what everybody does ----------------------------------------------------------------

    def publish(self, channel: str, message: Any) -> Deferred[int]:
        """Pass *message* on to everybody in *channel*; the Deferred fires with its id.

        :raises TypeError: when *message* is neither text nor anything JSON can express.
        :raises ValueError: when it, or the channel's name, is too long.
        :raises HubFullError: when there can be no further channel.
        """
        text = self._check(channel, message)
        self._last_id += 1
        self._receive(HubMessage(self._last_id, channel, message, text))
        return succeed(self._last_id)

    def join(self, channel: str, subscriber: Subscriber, after: int | str | None = None) -> None:
        """Pass on to *subscriber* what is published to *channel* from now on.

        With *after*, the id of a message, first what came after that and was kept; all of it when
        the id is unknown here. Again, it does nothing.

        :raises HubFullError: when there can be no further channel.
        """
        found = self._enter(channel)
        if id(subscriber) in found.members:
            return
        member = Member(found, subscriber, self._position(after, found))
        found.members[id(subscriber)] = member
        if not found.loading:
            self._replay(found, member)

    def leave(self, channel: str, subscriber: Subscriber) -> None:
        """Pass nothing more of *channel* on to *subscriber*; it need not be in it."""
        found = self._channels.get(channel)
        if found is not None:
            found.remove(subscriber)

    def wait(
        self, channel: str, after: int | str | None = None, timeout: float | None = None
    ) -> Deferred[list[HubMessage]]:
        """The messages after *after*, as a list; if there are none, the next one.

        After *timeout* seconds the list is empty. The Deferred may be cancelled.

        :raises HubFullError: when there can be no further channel.
        """
        found = self._enter(channel)
        waiter = Waiter(self._position(after, found), found.forget_waiter)
        if after is not None and not found.loading:
            messages = found.since(waiter.position)
            if messages:
                found.check_idle()
                return succeed(messages)
        found.waiters[waiter] = None
        if timeout is not None:
            reactor = self._get_reactor()
            waiter.timeout = reactor.callLater(timeout, found.answer, waiter, [])
        return waiter.answer

    # --- inside -----------------------------------------------------------------------------

    def _check(self, channel: str, message: object) -> str:
        """The text of a message that may be published."""
        check_channel(channel)
        text = text_of(message)
        if len(text) > self.max_message_size:
            raise ValueError(
                f"The message has {len(text)} characters; {self.max_message_size} are possible"
            )
        return text

    def _position(self, after: int | str | None, channel: Channel) -> int:
        """The place in the history that *after*, mostly a word of the client's, stands for."""
        if after is None:
            return self._last_id
        position = parse_id(after)
        return 0 if position > self._last_id else position

    def _enter(self, name: str) -> Channel:
        """The channel, for somebody who will be in it."""
        check_channel(name)
        channel = self._channels.get(name) or self._make(name)
        self._idle.pop(name, None)
        return channel

    def _make(self, name: str) -> Channel:
        while len(self._channels) >= self.max_channels:
            if not self._idle:
                raise HubFullError(self.max_channels)
            self._drop(next(iter(self._idle.values())))
        channel = self._channels[name] = Channel(name, self._left)
        return channel

    def _left(self, channel: Channel) -> None:
        """Nobody is in the channel any more."""
        if self._channels.get(channel.name) is not channel:
            return
        if channel.history:
            self._idle.pop(channel.name, None)
            self._idle[channel.name] = channel
        else:
            self._drop(channel)

    def _drop(self, channel: Channel) -> None:
        self._size -= channel.size
        del self._channels[channel.name]
        self._idle.pop(channel.name, None)

    def _receive(self, message: HubMessage) -> None:
        """Record a message and pass it on."""
        name = message.channel
        channel = self._channels.get(name)
        if channel is None:
            if self.history <= 0:
                return
            channel = self._make(name)
        self._record(channel, message)
        channel.deliver(message, self.max_queue, self.slow == "disconnect")
        channel.check_idle()

    def _record(self, channel: Channel, message: HubMessage) -> None:
        channel.record(message)
        self._size += len(message.text)
        while len(channel.history) > self.history:
            self._size -= channel.forget()
        while self._size > self.max_history_size:
            idle = next((other for other in self._idle.values() if other is not channel), None)
            if idle is not None:
                self._drop(idle)
            else:
                self._size -= channel.forget()

    def _replay(self, channel: Channel, member: Member) -> None:
        """Offer what came after the member's position."""
        limit = max(self.max_queue, self.history)
        for message in channel.since(member.position):
            member.offer(message, limit, False)

    def _get_reactor(self) -> Any:
        if self._reactor is None:
            from twisted.internet import reactor

            self._reactor = reactor
        return self._reactor


def check_channel(name: object) -> None:
    """A channel's name is text of 1 to 200 characters; ValueError if not."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_CHANNEL_NAME:
        raise ValueError(f"A channel's name has 1 to {MAX_CHANNEL_NAME} characters")


def parse_id(after: int | str) -> int:
    """An id as a client gives it; 0, which is before all, if it cannot be one."""
    text = str(after)
    return int(text) if len(text) <= 20 and text.isascii() and text.isdecimal() else 0
