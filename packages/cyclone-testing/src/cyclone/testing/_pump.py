"""What carries bytes between the two ends of a connection in memory.

Over a real socket nothing that one end writes is seen by the other inside the call that wrote it.
Here it is the same: deliveries wait in a queue, which is worked off when the call is over.
"""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

from ._reactor import running_reactor

#: So many deliveries in a row are two ends that answer each other for ever.
MAX_STEPS = 100_000


class Pump:
    """A queue of deliveries.

    While the client does something (`held`), they are worked off at the end of that. What the
    application writes by itself is delivered in the reactor's next turn if the reactor runs; if it
    does not, at once, for nothing else would ever happen.
    """

    def __init__(self, due: Callable[[], bool] = lambda: False) -> None:
        self._queue: deque[Callable[[], object]] = deque()
        self._due = due
        self._busy = False
        self._planned = False

    def soon(self, action: Callable[[], object]) -> None:
        """Call ``action``, but not now."""
        self._queue.append(action)
        self.wake()

    def wake(self) -> None:
        """There is something to do."""
        if self._busy or self._planned:
            return
        reactor = running_reactor()
        if reactor is None:
            self.run()
        else:
            self._planned = True
            reactor.callLater(0, self._planned_run)

    def plan(self) -> None:
        """There is something to do, which can wait for whoever comes next."""
        if running_reactor() is not None:
            self.wake()

    def _planned_run(self) -> None:
        self._planned = False
        self.run()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Deliver what is written in the block when the block is over."""
        if self._busy:
            yield
            return
        self._busy = True
        try:
            yield
        finally:
            self._busy = False
            self.run()

    def run(self) -> None:
        """Deliver until there is nothing left; nothing if that is under way already."""
        if self._busy:
            return
        self._busy = True
        try:
            self.drain()
        finally:
            self._busy = False

    def drain(self) -> None:
        """For whoever holds the pump: deliver now."""
        for _ in range(MAX_STEPS):
            if self._queue:
                self._queue.popleft()()
            elif not self._due():
                return
        raise RuntimeError("the two ends of a connection never come to rest")
