"""The guestbook: what all the servers of this process share."""

import collections
import itertools
from collections.abc import Callable
from dataclasses import dataclass

MAX_ENTRIES = 1000
MAX_TEXT = 2000


@dataclass(frozen=True)
class Entry:
    number: int
    name: str
    text: str
    way: str  # how it came: "web", "mail" or "console"


class Book:
    """The last entries, in memory; `watch` hears of new ones."""

    def __init__(self) -> None:
        self.entries: collections.deque[Entry] = collections.deque(maxlen=MAX_ENTRIES)
        self._numbers = itertools.count(1)
        self._watchers: set[Callable[[Entry], object]] = set()

    def add(self, name: str, text: str, way: str) -> Entry:
        name, text = name.strip()[:100] or "somebody", text.strip()[:MAX_TEXT]
        if not text:
            raise ValueError("an entry has a text")
        entry = Entry(next(self._numbers), name, text, way)
        self.entries.append(entry)
        for watcher in list(self._watchers):
            watcher(entry)
        return entry

    def watch(self, watcher: Callable[[Entry], object]) -> None:
        self._watchers.add(watcher)

    def unwatch(self, watcher: Callable[[Entry], object]) -> None:
        self._watchers.discard(watcher)
