"""Reading from all busy connections that have something, in one step of the reactor.

Twisted's epoll reactor takes some 2 µs of Python for each socket that can be read: it makes a log
context, looks whether the descriptor is still valid, and so on. For a small request that is a
fifth of all its time. But an epoll set can itself be waited for. So the busy plain connections of
a reactor share one of their own, which is one descriptor to the reactor, and are read in a plain
loop.
"""

from __future__ import annotations

import contextlib
import select
import sys
from typing import Any, Final
from weakref import WeakKeyDictionary

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

#: Connections that are read in one step at most; the others have their turn in the next one.
MAX_EVENTS: Final = 512

_log = Logger(namespace="cyclone.httpserver")
_all: WeakKeyDictionary[Any, Readers] = WeakKeyDictionary()


def read_together(transport: Any) -> None:
    """From now on ``transport``, a plain TCP one that is being read, is read with the others.

    With any other reactor than Twisted's on epoll all stays as it is, and so it does for a
    transport that does not ask its ``reactor`` to be read. This pays for connections that are
    busy at the same time as others.
    """
    reactor = getattr(transport, "reactor", None)
    epollreactor = sys.modules.get("twisted.internet.epollreactor")
    if epollreactor is None or not isinstance(reactor, epollreactor.EPollReactor):
        return
    readers = _all.get(reactor)
    if readers is None:
        readers = _all[reactor] = Readers(reactor)
    transport.stopReading()
    transport.reactor = readers
    transport.startReading()
    if not readers.reads(transport):
        # Twisted's transports ask their ``reactor`` to be read; this one asked somebody else
        transport.reactor = reactor


def read_alone(transport: Any) -> None:
    """Give ``transport`` back to its reactor, if it was read together with others."""
    readers = getattr(transport, "reactor", None)
    if type(readers) is not Readers:
        return
    reading = readers.reads(transport)
    transport.stopReading()
    transport.reactor = readers.reactor
    if reading:
        transport.startReading()


@implementer(IReadDescriptor)
class Readers:
    """To its transports it is their reactor, which does all but the reading itself."""

    def __init__(self, reactor: Any) -> None:
        self.reactor = reactor
        self._epoll: select.epoll | None = None
        self._transports: dict[int, Any] = {}

    def __repr__(self) -> str:
        return f"<{len(self._transports)} connections that are read together>"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.reactor, name)

    def reads(self, transport: Any) -> bool:
        """Tell whether ``transport`` is being read here."""
        return self._transports.get(transport.fileno()) is transport

    # --- for the transports (IReactorFDSet) -------------------------------------------------

    def addReader(self, transport: Any) -> None:
        """Read from it."""
        number = transport.fileno()
        if self._transports.get(number) is transport:
            return
        if self._epoll is None:
            try:
                self._epoll = select.epoll()
            except OSError:  # no descriptor is left
                transport.reactor = self.reactor
                self.reactor.addReader(transport)
                return
        # Each time: trial takes away what a test has left behind, and says nothing to it
        self.reactor.addReader(self)
        # Of a socket that was closed behind our back its number is all that is left
        self._transports[number] = transport
        self._epoll.register(number, select.EPOLLIN)

    def removeReader(self, transport: Any) -> None:
        """Do not read from it."""
        number = transport.fileno()
        if self._transports.get(number) is not transport:
            return
        del self._transports[number]
        epoll = self._epoll
        assert epoll is not None
        with contextlib.suppress(OSError):  # closed behind our back
            epoll.unregister(number)
        if not self._transports:
            self.reactor.removeReader(self)
            self._epoll = None
            epoll.close()

    # --- for the reactor (IReadDescriptor) --------------------------------------------------

    def fileno(self) -> int:
        """The descriptor of the epoll set; -1 while there is none."""
        return -1 if self._epoll is None else self._epoll.fileno()

    def logPrefix(self) -> str:
        """How Twisted calls this in its log."""
        return "cyclone.httpserver"

    def doRead(self) -> None:
        """Read once from each that has something."""
        transports, epoll = self._transports, self._epoll
        assert epoll is not None
        for number, _ in epoll.poll(0, min(len(transports), MAX_EVENTS)):
            transport = transports.get(number)
            if transport is None:
                continue  # the callback of another one has closed or paused it
            try:
                why = transport.doRead()
            except BaseException as error:
                _log.failure("Unhandled error in dataReceived")
                why = error
            if why:
                _disconnect(transport, why)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor drops all that it has, for it stops."""
        for transport in list(self._transports.values()):
            _lose(transport, reason)


def _disconnect(transport: Any, why: BaseException) -> None:
    """What reactors do with a transport that cannot be read any more."""
    transport.stopReading()
    reason = Failure(why)  # type: ignore[no-untyped-call]
    if type(why) is ConnectionDone:
        _lose(transport, reason, half=True)
    else:
        _lose(transport, reason)


def _lose(transport: Any, reason: Failure, half: bool = False) -> None:
    """Tell a transport; what that raises is logged and does no harm to the others."""
    try:
        if half:
            transport.readConnectionLost(reason)
        else:
            transport.stopWriting()
            transport.connectionLost(reason)
    except BaseException:
        _log.failure("Unhandled error in connectionLost")
