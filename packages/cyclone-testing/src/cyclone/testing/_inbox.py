"""A queue between what arrives and who asks for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar, cast

from twisted.internet.defer import Deferred

T = TypeVar("T")


def _at_once(action: Callable[[], None]) -> None:
    action()


class Inbox(Generic[T]):
    """What came waits for `get`, and `get` waits for what comes; then comes the end.

    ``soon`` calls a function when the caller is done: who waits may do anything.
    """

    def __init__(self, soon: Callable[[Callable[[], None]], object] | None = None) -> None:
        self._soon = soon or _at_once
        self._items: deque[T] = deque()
        self._waiters: deque[Deferred[T]] = deque()
        self._end: T | Exception | None = None
        self._ended = False

    def __len__(self) -> int:
        return len(self._items)

    @property
    def ended(self) -> bool:
        """Whether the end has come."""
        return self._ended

    @property
    def failure(self) -> Exception | None:
        """What went wrong, if that is what the end was."""
        return self._end if isinstance(self._end, Exception) else None

    def drain(self) -> list[T]:
        """Take all that wait."""
        items = list(self._items)
        self._items.clear()
        return items

    def put(self, item: T) -> None:
        """One has come."""
        self._items.append(item)
        if self._waiters:
            self._soon(self._serve)

    def _serve(self) -> None:
        while self._waiters and self._items:
            self._waiters.popleft().callback(self._items.popleft())
        while self._waiters and self._ended:
            waiter = self._waiters.popleft()
            if isinstance(self._end, Exception):
                waiter.errback(self._end)
            else:
                waiter.callback(cast(T, self._end))

    def end(self, item: T | Exception) -> None:
        """No more will come: from now on there is this, or this failure."""
        if self._ended:
            return
        self._ended, self._end = True, item
        if self._waiters:
            self._soon(self._serve)

    def get(self) -> Deferred[T]:
        """A Deferred for the next one."""
        waiter: Deferred[T] = Deferred(self._waiters.remove)
        at_once = not self._waiters
        self._waiters.append(waiter)
        if at_once:
            self._serve()
        return waiter
