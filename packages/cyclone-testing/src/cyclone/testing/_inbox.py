"""A queue between what arrives and who asks for it."""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

T = TypeVar("T")


class Inbox(Generic[T]):
    """What came waits for `get`, and `get` waits for what comes; then comes the end."""

    def __init__(self) -> None:
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
        if self._waiters:
            self._waiters.popleft().callback(item)
        else:
            self._items.append(item)

    def end(self, item: T | Exception) -> None:
        """No more will come: from now on there is this, or this failure."""
        if self._ended:
            return
        self._ended, self._end = True, item
        while self._waiters:
            waiter = self._waiters.popleft()
            if isinstance(item, Exception):
                waiter.errback(item)
            else:
                waiter.callback(item)

    def get(self) -> Deferred[T]:
        """A Deferred for the next one."""
        if self._items:
            return succeed(self._items.popleft())
        if self._ended:
            end = self._end
            return fail(end) if isinstance(end, Exception) else succeed(end)  # type: ignore[arg-type]
        waiter: Deferred[T] = Deferred(self._waiters.remove)
        self._waiters.append(waiter)
        return waiter
