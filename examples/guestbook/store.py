"""The guestbook's entries and users in SQLite, through twisted.enterprise.adbapi."""

import sqlite3
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
    written REAL NOT NULL,
    user_id INTEGER REFERENCES user (id),
    picture TEXT
);
CREATE TABLE IF NOT EXISTS user (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE COLLATE NOCASE,
    password TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS identity (
    subject TEXT PRIMARY KEY,
    user_id INTEGER NOT NULL REFERENCES user (id)
);
"""
# What the first version of the guestbook did not have.
LATER_COLUMNS = {"user_id": "INTEGER REFERENCES user (id)", "picture": "TEXT"}
COLUMNS = "id, author, message, written, user_id, picture"


@dataclass(frozen=True)
class Entry:
    """One entry of the guestbook.

    `written` is in seconds since the epoch, `user_id` whose it is (None: a visitor without an
    account), `picture` a file name.
    """

    id: int
    author: str
    message: str
    written: float
    user_id: int | None
    picture: str | None


@dataclass(frozen=True)
class User:
    """Somebody with an account."""

    id: int
    name: str


class EntryError(ValueError):
    """An entry that cannot be kept; the text is meant for the person who wrote it."""


class NameTakenError(ValueError):
    """Another user has this name."""


def checked(author: str, message: str) -> tuple[str, str]:
    """The trimmed author and message; EntryError says what is wrong with them."""
    author, message = author.strip(), message.strip()
    if not author or not message:
        raise EntryError("Please give both a name and a message.")
    if len(author) > MAX_AUTHOR:
        raise EntryError("This name is too long.")
    if len(message) > MAX_MESSAGE:
        raise EntryError("This message is too long.")
    return author, message


class Store:
    """Entries and users; each method is a coroutine. It closes itself when the reactor stops."""

    def __init__(self, path: Path) -> None:
        # One connection: SQLite has one writer anyway, and the thread that made it is kept.
        self._pool = adbapi.ConnectionPool(
            "sqlite3", str(path), check_same_thread=False, cp_min=1, cp_max=1
        )
        self._ready = self._pool.runInteraction(_prepare)

    async def latest(self, count: int = 50) -> list[Entry]:
        """The newest entries, newest first."""
        rows = await self._query(f"SELECT {COLUMNS} FROM entry ORDER BY id DESC LIMIT ?", count)
        return [Entry(*row) for row in rows]

    async def get(self, entry_id: int) -> Entry | None:
        """One entry, or None."""
        rows = await self._query(f"SELECT {COLUMNS} FROM entry WHERE id = ?", entry_id)
        return Entry(*rows[0]) if rows else None

    async def count(self) -> int:
        """How many entries there are."""
        rows = await self._query("SELECT COUNT(*) FROM entry")
        return int(rows[0][0])

    async def add(
        self, author: str, message: str, user: User | None = None, picture: str | None = None
    ) -> int:
        """Keep an entry and return its id; EntryError when it is not fit to keep."""
        author, message = checked(author, message)
        return await self._insert(
            "INSERT INTO entry (author, message, written, user_id, picture) VALUES (?, ?, ?, ?, ?)",
            *(author, message, time.time(), user.id if user else None, picture),
        )

    async def delete(self, entry: Entry) -> None:
        """Forget an entry."""
        await self._query("DELETE FROM entry WHERE id = ?", entry.id)

    async def add_user(self, name: str, password: str, subject: str | None = None) -> User:
        """Keep a user with the hash of a password; NameTakenError if there is one of that name.

        `subject` is who the user is for a login provider.
        """

        def insert(cursor: adbapi.Transaction) -> int:
            cursor.execute("INSERT INTO user (name, password) VALUES (?, ?)", (name, password))
            user_id = int(cursor.lastrowid)
            if subject is not None:
                cursor.execute("INSERT INTO identity VALUES (?, ?)", (subject, user_id))
            return user_id

        await self._opened()
        try:
            return User(await self._pool.runInteraction(insert), name)
        except sqlite3.IntegrityError:
            raise NameTakenError(name) from None

    async def user_of(self, subject: str) -> User | None:
        """The user whom a login provider calls `subject`, or None."""
        rows = await self._query(
            "SELECT id, name FROM user JOIN identity ON user_id = id WHERE subject = ?", subject
        )
        return User(*rows[0]) if rows else None

    async def user(self, user_id: int) -> User | None:
        """The user of this id, or None."""
        rows = await self._query("SELECT id, name FROM user WHERE id = ?", user_id)
        return User(*rows[0]) if rows else None

    async def user_and_password(self, name: str) -> tuple[User, str] | None:
        """The user of this name and the hash of the password, or None."""
        rows = await self._query("SELECT id, name, password FROM user WHERE name = ?", name)
        return (User(*rows[0][:2]), rows[0][2]) if rows else None

    async def _query(self, statement: str, *values: object) -> list[tuple]:
        await self._opened()
        return await self._pool.runQuery(statement, values)

    async def _insert(self, statement: str, *values: object) -> int:
        def insert(cursor: adbapi.Transaction) -> int:
            cursor.execute(statement, values)
            return int(cursor.lastrowid)

        await self._opened()
        return await self._pool.runInteraction(insert)

    async def _opened(self) -> None:
        if not self._ready.called:
            await self._ready


def _prepare(cursor: adbapi.Transaction) -> None:
    """Make the tables that are missing, and the columns that an older guestbook lacks."""
    for statement in SCHEMA.split(";"):
        cursor.execute(statement)
    present = {row[1] for row in cursor.execute("PRAGMA table_info(entry)")}
    for name, kind in LATER_COLUMNS.items():
        if name not in present:
            cursor.execute(f"ALTER TABLE entry ADD COLUMN {name} {kind}")
