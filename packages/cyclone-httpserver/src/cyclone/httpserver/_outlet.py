"""What the kernel did not take at once: a bounded queue in front of the transport.

An `Outlet` exists only while something waits, so that a connection that is served at once has
none. Pieces of at most 64 KiB go to the transport; the next one when it was taken. That shows
progress (for the write timeout) and keeps the order: whoever writes meanwhile gets behind what
waits.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from twisted.internet.interfaces import IPullProducer, IPushProducer
from zope.interface import implementer

from cyclone.httputil import append_joined

from ._errors import StreamClosedError
from ._taken import Taken

if TYPE_CHECKING:
    from ._output import OutputSide

PIECE: Final = 65536
# Smaller pieces are put together while they wait: each by itself costs some hundred bytes
_SMALL: Final = 1024


@implementer(IPushProducer, IPullProducer)
class Outlet:
    """The waiting output of one connection.

    ``send`` is the socket's own send on a plain TCP or UNIX transport, which is then asked with the
    pull interface to say when it is empty; other transports (TLS) pause and resume as they do.
    """

    __slots__ = (
        "_blocked",
        "_connection",
        "_error",
        "_over",
        "_parts",
        "_registered",
        "_send",
        "_starting",
        "_waiters",
        "size",
    )

    def __init__(
        self, connection: OutputSide, send: Callable[[memoryview | bytes], int] | None
    ) -> None:
        self._connection = connection
        self._send = send
        self._parts: deque[memoryview | bytearray] = deque()
        self._waiters: list[Taken] = []
        self._over = False
        self._error: StreamClosedError | None = None
        self._blocked = False
        self._registered = False
        self._starting = False
        #: Bytes that wait here or in the transport, at most.
        self.size = 0

    def put(self, data: bytes | memoryview) -> None:
        """Queue ``data``."""
        self.size += len(data)
        if self._blocked and len(data) < _SMALL:
            append_joined(self._parts, data, PIECE)
            return
        self._parts.append(memoryview(data))
        if not self._blocked:
            self._pump()

    def wait(self) -> Taken:
        """A Deferred for the moment when all was taken; errbacks when the client is gone."""
        return Taken(self)

    def is_settled(self, waiter: Taken) -> bool:
        """Whether all was taken, or the client is gone."""
        return self._over

    def join(self, waiter: Taken) -> None:
        """Somebody waits."""
        if not self._over:
            self._waiters.append(waiter)
        elif self._error is None:
            waiter.callback(None)
        else:
            waiter.errback(self._error)

    def leave(self, waiter: Taken) -> None:
        """Nobody waits for it any more."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def _register(self) -> None:
        if not self._registered:
            self._registered = True
            # A pull producer is asked at once, before anything was written
            self._starting = True
            self._connection.transport.registerProducer(self, self._send is None)
            self._starting = False

    def _pump(self) -> None:
        parts = self._parts
        transport = self._connection.transport
        while parts and not self._blocked:
            part = memoryview(parts.popleft())
            if self._send is not None:
                try:
                    sent = self._send(part)
                except OSError:
                    # Full, or broken: the transport finds out which
                    sent = 0
                self.size -= sent
                if sent == len(part):
                    continue
                part = part[sent:]
                self._blocked = True
            if len(part) > PIECE:
                parts.appendleft(part[PIECE:])
                part = part[:PIECE]
            self._register()
            transport.write(bytes(part))
            if self._send is None:
                self.size -= len(part)
        if not parts and not self._blocked:
            self._drained()

    def _drained(self) -> None:
        self.size = 0
        self._over = True
        self.release()
        waiters, self._waiters = self._waiters, []
        self._connection._outlet_drained(self)
        for waiter in waiters:
            waiter.callback(None)

    def release(self) -> None:
        """Leave the transport alone."""
        if self._registered:
            self._registered = False
            self._connection.transport.unregisterProducer()

    def hand_over(self) -> None:
        """Give everything that waits to the transport at once and leave (for `detach`)."""
        self.release()
        transport = self._connection.transport
        for part in self._parts:
            transport.write(bytes(part))
        self._parts.clear()
        self._over = True
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.callback(None)

    def fail(self, error: StreamClosedError) -> None:
        """The connection is gone."""
        self._over = True
        self._error = error
        self._blocked = True
        self._registered = False
        self._parts.clear()
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            waiter.errback(error)

    def resumeProducing(self) -> None:
        """The transport took what it had."""
        if self._starting:
            return
        self._blocked = False
        if self._send is not None:
            self.size = sum(map(len, self._parts))
        self._connection._write_progress()
        self._pump()

    def pauseProducing(self) -> None:
        """The transport has enough for now."""
        self._blocked = True

    def stopProducing(self) -> None:
        """The transport lost its connection; `fail` follows."""
        self._blocked = True
