"""Sharing the connections of one listening socket evenly between worker processes.

The kernel wakes all workers that wait for a connection, and whoever comes first may take all that
wait: 64 kept-alive connections have been seen to fall 53 to 11. So each worker shows the others how
many connections it has, in memory they share, and one that has more than another steps back for a
moment. It does not wait long for a worker that does not come: that may be busy, or hang.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import Any, Final

from cyclone.httpserver import HTTPServer

#: Nobody has this place.
ABSENT: Final = -1
#: A worker accepts while it has at most so many connections more than the worker with the fewest.
SLACK: Final = 1
#: Connections accepted in one turn of the reactor, at most.
BATCH: Final = 8
#: Seconds a worker steps back, and how often on end.
PAUSE: Final = 0.002
PATIENCE: Final = 5
#: Seconds in which it steps back but once for a worker that has not come.
NEGLECT: Final = 0.2
_FIELDS: Final = 2
_BYTES: Final = 4 * _FIELDS


class Counts:
    """How many connections each worker has, as all of them see it.

    Made by the supervisor, for so many workers; a worker opens the descriptor it inherits.
    """

    def __init__(self, workers: int, descriptor: int | None = None) -> None:
        made = descriptor is None
        self.descriptor = _memory(workers * _BYTES) if descriptor is None else descriptor
        self._workers = range(workers)
        self._map = mmap.mmap(self.descriptor, workers * _BYTES)
        self._values = memoryview(self._map).cast("i")
        if made:
            for number in self._workers:
                self.clear(number)

    def show(self, number: int, count: int) -> None:
        """Worker *number* has so many connections, and is alive."""
        place = number * _FIELDS
        self._values[place] = count
        self._values[place + 1] = (self._values[place + 1] + 1) & 0x7FFFFFFF

    def clear(self, number: int) -> None:
        """There is no worker *number*."""
        self._values[number * _FIELDS] = ABSENT

    def others(self, number: int) -> Iterator[tuple[int, int, int]]:
        """The workers but this one: the number, the connections, how often they were shown."""
        for other in self._workers:
            count = self._values[other * _FIELDS]
            if other != number and count != ABSENT:
                yield other, count, self._values[other * _FIELDS + 1]

    def close(self) -> None:
        """Give the memory back."""
        self._values.release()
        self._map.close()
        os.close(self.descriptor)


def _memory(size: int) -> int:
    """A descriptor of *size* zero bytes that have no name."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("cyclone-connections")
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.ftruncate(descriptor, size)
    return descriptor


class Balance:
    """Lets the ports of one worker accept their share; ``over()``: whether the worker drains."""

    def __init__(
        self, server: HTTPServer, counts: Counts, number: int, over: Callable[[], bool]
    ) -> None:
        self.server = server
        self.over = over
        self._counts = counts
        self._number = number
        #: Workers that were waited for in vain, what they had shown by then, and until when.
        self._given_up: dict[int, int] = {}
        self._until = 0.0

    def start(self) -> None:
        """Take part, with all ports the server listens on by now."""
        lost = self.server.connection_lost

        def connection_lost(connection: Any) -> None:
            lost(connection)
            self.show()

        setattr(self.server, "connection_lost", connection_lost)  # noqa: B010 - of this one only
        self.show()
        for port in self.server.gate.ports:
            BalancedPort(self, port)

    def show(self) -> None:
        """Show the others how many connections there are now."""
        if not self.over():  # else the place is the successor's
            self._counts.show(self._number, len(self.server.open_connections))

    def allowance(self) -> int:
        """How many connections may be accepted now; 0: step back."""
        self.show()
        counts = [count for _, count, _ in self._counts.others(self._number)]
        if not counts:
            return BATCH
        return max(0, min(BATCH, min(counts) + SLACK + 1 - len(self.server.open_connections)))

    def patience(self) -> int:
        """How often to step back for those with fewer connections."""
        if self._given_up and self.server.monotonic() >= self._until:
            self._given_up.clear()
        if all(self._given_up.get(other) == shown for other, shown in self._awaited()):
            return 1
        return PATIENCE

    def give_up(self) -> None:
        """They do not come: there is less patience with them until they show something."""
        awaited = dict(self._awaited())
        if not self._given_up.items() >= awaited.items():
            self._until = self.server.monotonic() + NEGLECT
        self._given_up.update(awaited)

    def _awaited(self) -> Iterator[tuple[int, int]]:
        enough = len(self.server.open_connections) - SLACK
        for other, count, shown in self._counts.others(self._number):
            if count < enough:
                yield other, shown


class BalancedPort:
    """One listening port: what the reactor calls, and how often the worker has stepped back."""

    def __init__(self, balance: Balance, port: Any) -> None:
        self._balance = balance
        self._port = port
        self._read: Callable[[], Any] = port.doRead
        self._waited = 0
        port.doRead = self._do_read

    def _do_read(self) -> Any:
        balance, port = self._balance, self._port
        if balance.over():
            return self._read()
        allowed = balance.allowance()
        if not allowed:
            if self._waited < balance.patience():
                self._waited += 1
                port.stopReading()
                balance.server.reactor.callLater(PAUSE, self._go_on)
                return None
            balance.give_up()
            allowed = BATCH
        self._waited = 0
        port.numberAccepts = allowed
        result = self._read()
        balance.show()
        return result

    def _go_on(self) -> None:
        """See whether there still is something to accept."""
        port = self._port
        if port.connected and not port.disconnecting and not self._balance.server.gate.paused:
            port.startReading()
