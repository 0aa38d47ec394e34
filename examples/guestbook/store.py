"""The guestbook's entries in SQLite, through twisted.enterprise.adbapi."""

import time
from dataclasses import dataclass
from pathlib import Path

from twisted.enterprise import adbapi

MAX_AUTHOR = 60
MAX_MESSAGE = 2000

SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    author TEXT NOT NULL,
    message TEXT NOT NULL,
    written REAL NOT NULL
)
"""


@dataclass(frozen=True)
class Entry:
    """One entry of the guestbook; `written` is in seconds since the epoch."""

    id: int
    author: str
    message: str
    written: float


class EntryError(ValueError):
    """An entry that cannot be kept; the text is meant for the person who wrote it."""


def checked(author: str, message: str) -> tuple[str, str]:
    """The trimmed author and message; EntryError says what is wrong with them."""
    author, message = author.strip(), message.strip()
    if not author or not message:
        raise EntryError("Please give both a name and a message.")
    if len(author) > MAX_AUTHOR:
        raise EntryError(f"A name has at most {MAX_AUTHOR} characters.")
    if len(message) > MAX_MESSAGE:
        raise EntryError(f"A message has at most {MAX_MESSAGE} characters.")
    return author, message


class Store:
    """The entries; every method but `close` is a coroutine that works in the reactor's threads."""

    def __init__(self, path: Path) -> None:
        # One connection: SQLite has one writer anyway, and the thread that made it is kept.
        self._pool = adbapi.ConnectionPool(
            "sqlite3", str(path), check_same_thread=False, cp_min=1, cp_max=1
        )
        self._ready = self._pool.runOperation(SCHEMA)

    async def latest(self, count: int = 50) -> list[Entry]:
        """The newest entries, newest first."""
        await self._opened()
        rows = await self._pool.runQuery(
            "SELECT id, author, message, written FROM entry ORDER BY id DESC LIMIT ?", (count,)
        )
        return [Entry(*row) for row in rows]

    async def get(self, entry_id: int) -> Entry | None:
        """One entry, or None."""
        await self._opened()
        rows = await self._pool.runQuery(
            "SELECT id, author, message, written FROM entry WHERE id = ?", (entry_id,)
        )
        return Entry(*rows[0]) if rows else None

    async def add(self, author: str, message: str) -> int:
        """Keep an entry and return its id; EntryError when it is not fit to keep."""
        values = (*checked(author, message), time.time())
        await self._opened()

        def insert(cursor: adbapi.Transaction) -> int:
            cursor.execute("INSERT INTO entry (author, message, written) VALUES (?, ?, ?)", values)
            return int(cursor.lastrowid)

        entry_id: int = await self._pool.runInteraction(insert)
        return entry_id

    def close(self) -> None:
        """Close the database."""
        self._pool.close()

    async def _opened(self) -> None:
        if not self._ready.called:
            await self._ready
