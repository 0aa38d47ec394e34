"""What Redis answers (RESP 2), read from bytes as they come: everything in it has a bound.

The readers of txredisapi and of hiredis believe each length that is announced, and keep what they
get for as long as it comes.
"""

from __future__ import annotations

import re

#: The longest line, in bytes: a number, a status or an error.
MAX_LINE = 16 * 1024
#: What an item of a reply counts for, in bytes, beside its content.
ITEM_COST = 64

_number = re.compile(rb"-?[0-9]{1,18}").fullmatch


class BadReply(ValueError):
    """What came is no reply, or one that is too large; nothing that follows can be understood."""


Item = bytes | int | Exception | None
Reply = Item | list[Item]


class ReplyReader:
    """Takes bytes and gives replies. One is no larger than *max_size* bytes; items are flat.

    An error is an *error* with the text of Redis.
    """

    def __init__(self, max_size: int, error: type[Exception]) -> None:
        self._max_size = max_size
        self._error = error
        self._buffer = bytearray()
        # Of the reply under way: its size so far, its items if it is an array, how many are missing
        self._size = 0
        self._items: list[Item] | None = None
        self._missing = 0
        # The length of the string that comes next, -1 before its line has come
        self._length = -1

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies that *data* completes. Raises `BadReply`."""
        self._buffer += data
        replies: list[Reply] = []
        position = 0
        while True:
            end = self._line_end(position) if self._length < 0 else self._string_end(position)
            if end < 0:
                break
            self._take(position, end, replies)
            position = end + 2
        del self._buffer[:position]
        return replies

    def _string_end(self, position: int) -> int:
        end = position + self._length
        ending = self._buffer[end : end + 2]
        if len(ending) == 2 and ending != b"\r\n":
            raise BadReply("a string is not as long as it says")
        return end if len(ending) == 2 else -1

    def _line_end(self, position: int) -> int:
        end = self._buffer.find(b"\r\n", position, position + MAX_LINE + 2)
        if end < 0 and len(self._buffer) - position >= MAX_LINE + 2:
            raise BadReply("a line is too long")
        return end

    def _take(self, position: int, end: int, replies: list[Reply]) -> None:
        """The line or the string up to *end* is complete."""
        content = bytes(self._buffer[position:end])
        if self._length >= 0:
            self._length = -1
            self._add(content, replies)
            return
        kind, content = content[:1], content[1:]
        if kind == b"+":
            self._count(len(content))
            self._add(content, replies)
        elif kind == b"-":
            self._count(len(content))
            text = content.decode("utf-8", "replace").removeprefix("ERR ")
            self._add(self._error(text), replies)
        elif kind == b":":
            self._add(_int(content), replies)
        elif kind == b"$":
            length = _int(content)
            if length == -1:
                self._add(None, replies)
            elif length < 0:
                raise BadReply("a length is negative")
            else:
                self._count(length)
                self._length = length
        elif kind == b"*":
            self._begin(_int(content), replies)
        else:
            raise BadReply("what came is no reply of Redis")

    def _begin(self, missing: int, replies: list[Reply]) -> None:
        """An array comes."""
        if self._items is not None:
            raise BadReply("an array is inside another")
        if missing > 0:
            if missing * ITEM_COST > self._max_size:
                raise BadReply("a reply is too large")
            self._items, self._missing = [], missing
        elif missing < -1:
            raise BadReply("a length is negative")
        else:
            replies.append([] if missing == 0 else None)

    def _count(self, size: int) -> None:
        self._size += size
        if self._size > self._max_size:
            raise BadReply("a reply is too large")

    def _add(self, item: Item, replies: list[Reply]) -> None:
        if self._items is None:
            replies.append(item)
        else:
            self._count(ITEM_COST)
            self._items.append(item)
            self._missing -= 1
            if self._missing:
                return
            replies.append(self._items)
            self._items = None
        self._size = 0


def _int(digits: bytes) -> int:
    if not _number(digits):
        raise BadReply("a number is none")
    return int(digits)
