"""What the kernel did not take at once: a bounded queue in front of the transport.

On a plain TCP connection an `Outlet` exists only while something waits. Pieces of at most 64 KiB
go to the transport, the next one when it was taken. Over TLS (or any transport whose socket is not
ours) one outlet exists all the time, and the transport says when it has enough.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any, Final, Protocol

from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer

from cyclone.httpserver import Taken
from cyclone.httputil import append_joined

from ._errors import WebSocketClosedError

PIECE: Final = 65536
# Smaller frames are put together while they wait: each by itself costs more than its bytes
_SMALL: Final = 256


class Drained(Protocol):
    """What an outlet tells its connection."""

    def output_progressed(self) -> None:
        """The transport took something."""

    def output_drained(self) -> None:
        """Nothing waits any more."""


@implementer(IPushProducer, IPullProducer)
class Outlet:
    """The waiting output of one connection; ``send`` is the socket's own send, or None."""

    __slots__ = (
        "_blocked",
        "_connection",
        "_handed",
        "_lost",
        "_parts",
        "_registered",
        "_send",
        "_starting",
        "_transport",
        "_waiters",
        "size",
    )

    def __init__(
        self,
        connection: Drained,
        transport: Any,
        send: Callable[[bytes | memoryview], int] | None,
    ) -> None:
        self._connection = connection
        self._transport = transport
        self._send = send
        self._parts: deque[bytes | bytearray | memoryview] = deque()
        # What the transport was given and has not sent yet
        self._handed = 0
        self._waiters: deque[Taken] = deque()
        self._blocked = False
        self._lost = False
        self._registered = False
        self._starting = False
        #: Bytes that wait.
        self.size = 0

    def open(self) -> None:
        """Let the transport say when it has enough."""
        self._registered = True
        # A pull producer is asked at once, before anything was written
        self._starting = True
        self._transport.registerProducer(self, self._send is None)
        self._starting = False

    def put(self, data: bytes | memoryview) -> None:
        """Queue ``data``."""
        self.size += len(data)
        if self._blocked and len(data) < _SMALL:
            append_joined(self._parts, data, PIECE)
            return
        self._parts.append(data)
        if not self._blocked:
            self._pump()

    def wait(self, size: int) -> Taken:
        """A Deferred for the moment when no more than ``size`` bytes wait.

        When the connection is lost it errbacks with `WebSocketClosedError`.
        """
        return Taken(self, size)

    def is_settled(self, waiter: Taken) -> bool:
        """Whether no more waits than it says, or the connection is lost."""
        return self._lost or self.size <= waiter.size

    def join(self, waiter: Taken) -> None:
        """Somebody waits."""
        if self._lost:
            waiter.errback(_lost())
        elif self.size <= waiter.size:
            waiter.callback(None)
        else:
            self._waiters.append(waiter)

    def leave(self, waiter: Taken) -> None:
        """Nobody waits for it any more."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def _pump(self) -> None:
        send = self._send
        while self._parts and not self._blocked:
            piece = self._next_piece()
            if send is not None:
                try:
                    sent = send(piece)
                except OSError:
                    sent = 0  # full, or broken: the transport finds out which
                self.size -= sent
                if sent == len(piece):
                    continue
                piece = piece[sent:]
                self._handed = len(piece)
                self._blocked = True
            if not self._registered:
                self.open()
            self._transport.write(piece)
            if send is None:
                self.size -= len(piece)
        if self._waiters:
            self._wake()
        if not self._parts and not self._blocked:
            self._connection.output_drained()

    def _next_piece(self) -> bytes:
        """The next bytes to send: small frames together, a large one in parts."""
        parts = self._parts
        part = parts.popleft()
        if len(part) > PIECE:
            view = memoryview(part)
            parts.appendleft(view[PIECE:])
            return bytes(view[:PIECE])
        room = PIECE - len(part)
        if not parts or len(parts[0]) > room:
            return bytes(part)
        pieces = [part]
        while parts and len(parts[0]) <= room:
            room -= len(parts[0])
            pieces.append(parts.popleft())
        return b"".join(pieces)

    def _wake(self) -> None:
        waiters = self._waiters
        while waiters and self.size <= waiters[0].size:
            waiters.popleft().callback(None)

    def release(self) -> None:
        """Leave the transport alone."""
        if self._registered:
            self._registered = False
            self._transport.unregisterProducer()

    def fail(self) -> None:
        """The connection is gone."""
        self._lost = self._blocked = True
        self._registered = False
        self._parts.clear()
        self.size = 0
        waiters, self._waiters = self._waiters, deque()
        for waiter in waiters:
            waiter.errback(_lost())

    def resumeProducing(self) -> None:
        """Twisted: the transport took what it had."""
        if self._starting:
            return
        self._blocked = False
        self.size -= self._handed
        self._handed = 0
        self._connection.output_progressed()
        self._pump()

    def pauseProducing(self) -> None:
        """Twisted: the transport has enough for now."""
        self._blocked = True

    def stopProducing(self) -> None:
        """Twisted: the transport lost its connection; `fail` follows."""
        self._blocked = True


def _lost() -> WebSocketClosedError:
    return WebSocketClosedError("The connection was lost")
