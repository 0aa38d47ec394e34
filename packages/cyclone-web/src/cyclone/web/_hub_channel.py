"""One channel of a hub: its messages, who gets them, and what happens to those who are slow."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, Any, Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.python.failure import Failure

from cyclone.escape import json_encode

from ._coroutines import start
from ._log import application_log

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall


class HubMessage:
    """What was published: `data`, to `channel`, with the `id` it got.

    One object goes to all subscribers, so `data` must not be changed.
    """

    __slots__ = ("_encodings", "channel", "data", "id", "text")

    def __init__(self, id: int, channel: str, data: Any, text: str | None = None) -> None:
        self.id: int = id
        self.channel: str = channel
        self.data: Any = data
        #: The data as text: a str as it is, anything else as JSON.
        self.text: str = text_of(data) if text is None else text
        self._encodings: dict[Hashable, bytes] = {}

    def __repr__(self) -> str:
        return f"<HubMessage {self.id} in {self.channel!r}>"

    def encoded(self, kind: Hashable, encode: Callable[[HubMessage], bytes]) -> bytes:
        """The message as *kind* of client needs it: made once, by ``encode(message)``."""
        encoding = self._encodings.get(kind)
        if encoding is None:
            encoding = self._encodings[kind] = encode(self)
        return encoding

    def json(self) -> bytes:
        """``{"id": ..., "data": ...}``, as long-polling clients get it."""
        return self.encoded("json", _to_json)


def _to_json(message: HubMessage) -> bytes:
    data = json_encode(message.data) if isinstance(message.data, str) else message.text
    return f'{{"id": {message.id}, "data": {data}}}'.encode()


def text_of(data: object) -> str:
    """Text as it is, all else as JSON; TypeError if that cannot be."""
    if isinstance(data, bytes | bytearray | memoryview):
        raise TypeError("A message is text or something that JSON can express, not bytes")
    return data if isinstance(data, str) else json_encode(data)


class Subscriber(Protocol):
    """Somebody who joined a channel."""

    def on_hub_message(self, message: HubMessage) -> Any:
        """Take a message.

        What is awaitable is waited for before the next message comes, which is how a hub notices
        that a client is slow. An exception ends the membership.
        """

    def on_hub_overflow(self) -> None:
        """Too many messages wait, and the hub's rule is to disconnect: the membership has ended."""


class Member:
    """A subscriber in one channel."""

    __slots__ = ("_busy", "_gone", "_queue", "channel", "dropped", "position", "subscriber")

    def __init__(self, channel: Channel, subscriber: Subscriber, position: int) -> None:
        self.channel = channel
        self.subscriber = subscriber
        #: The id of the last message it was offered.
        self.position = position
        #: How many messages it has missed, being slow.
        self.dropped = 0
        self._queue: deque[HubMessage] = deque()
        self._busy = False
        self._gone = False

    def offer(self, message: HubMessage, limit: int, disconnect: bool) -> None:
        """Give the subscriber a message now, or when it has taken those before."""
        if message.id <= self.position or self._gone:
            return
        self.position = message.id
        if not self._busy:
            self._give(message)
            return
        queue = self._queue
        if len(queue) >= limit:
            if disconnect:
                self.channel.remove(self.subscriber)
                self.subscriber.on_hub_overflow()
                return
            self.dropped += 1
            if not limit:
                return
            queue.popleft()
        queue.append(message)

    def stop(self) -> None:
        """The membership is over."""
        self._gone = True
        self._queue.clear()

    def _give(self, message: HubMessage) -> None:
        try:
            result = self.subscriber.on_hub_message(message)
            if result is None:
                return
            taken = start(result)
        except Exception:
            self._failed(Failure())  # type: ignore[no-untyped-call]
            return
        if taken.called and not taken.paused and not isinstance(taken.result, Failure):
            return
        self._busy = True
        taken.addCallbacks(self._taken, self._failed)

    def _taken(self, _: object) -> None:
        self._busy = False
        while self._queue and not self._busy:
            self._give(self._queue.popleft())

    def _failed(self, failure: Failure) -> None:
        self._busy = False
        if not self._gone:
            self.channel.remove(self.subscriber)
        error = failure.value
        # That a client went away is told otherwise.
        if error is not None and not isinstance(error, ConnectionError | CancelledError):
            application_log.error(
                "A subscriber of {channel} failed and was removed",
                channel=self.channel.name,
                exc_info=error,
            )


class Waiter:
    """Somebody who waits for one answer."""

    __slots__ = ("answer", "position", "timeout")

    def __init__(self, position: int, forget: Callable[[Waiter], None]) -> None:
        self.position = position
        self.timeout: IDelayedCall | None = None
        self.answer: Deferred[list[HubMessage]] = Deferred(lambda _: forget(self))

    def stop(self) -> None:
        """The time limit is of no interest any more."""
        if self.timeout is not None and self.timeout.active():
            self.timeout.cancel()


class Channel:
    """What a hub knows of one channel."""

    __slots__ = (
        "_delivering",
        "_emptied",
        "_outgoing",
        "history",
        "loading",
        "members",
        "name",
        "size",
        "waiters",
    )

    def __init__(self, name: str, emptied: Callable[[Channel], None]) -> None:
        self.name = name
        self.history: deque[HubMessage] = deque()
        #: The characters in the history.
        self.size = 0
        self.members: dict[int, Member] = {}
        self.waiters: dict[Waiter, None] = {}
        #: Whether its history is on its way from elsewhere.
        self.loading = False
        self._emptied = emptied
        self._outgoing: deque[HubMessage] = deque()
        self._delivering = False

    @property
    def is_idle(self) -> bool:
        """Whether nobody is here."""
        return not self.members and not self.waiters

    def record(self, message: HubMessage) -> None:
        """Keep a message."""
        self.history.append(message)
        self.size += len(message.text)

    def forget(self) -> int:
        """Drop the oldest message; return how large it was."""
        size = len(self.history.popleft().text)
        self.size -= size
        return size

    def since(self, position: int) -> list[HubMessage]:
        """The messages after *position* that are still there."""
        history = self.history
        if not history or history[-1].id <= position:
            return []
        return [message for message in history if message.id > position]

    def remove(self, subscriber: Subscriber) -> None:
        """*subscriber* leaves; nothing happens if it is not here."""
        member = self.members.pop(id(subscriber), None)
        if member is not None:
            member.stop()
            self.check_idle()

    def check_idle(self) -> None:
        """Tell the hub if nobody is here any more."""
        if self.is_idle:
            self._emptied(self)

    def deliver(self, message: HubMessage, limit: int, disconnect: bool) -> None:
        """Give a message to everybody.

        What is published meanwhile, by those who get it, comes behind it for everybody.
        """
        self._outgoing.append(message)
        if self._delivering:
            return
        self._delivering = True
        try:
            while self._outgoing:
                message = self._outgoing.popleft()
                for member in list(self.members.values()):
                    member.offer(message, limit, disconnect)
                for waiter in list(self.waiters):
                    self.answer(waiter, [message])
        finally:
            self._delivering = False

    def answer(self, waiter: Waiter, messages: list[HubMessage]) -> None:
        """Give somebody who waits these messages."""
        self.forget_waiter(waiter)
        if not waiter.answer.called:
            waiter.answer.callback(messages)

    def forget_waiter(self, waiter: Waiter) -> None:
        """*waiter* waits no more."""
        waiter.stop()
        if waiter in self.waiters:
            del self.waiters[waiter]
            self.check_idle()
