"""Which bytes of a file a request asks for, and how several ranges make one body (RFC 9110, 14)."""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from cyclone.httputil import RangeNotSatisfiable, format_content_range, parse_byte_ranges

#: A request with more ranges gets the whole file.
MAX_RANGES = 16

_ONE_RANGE = re.compile(
    r"[ \t]*bytes[ \t]*=[ \t]*([0-9]{1,18})(?:-([0-9]{1,18}))?[ \t]*", re.IGNORECASE
)


class Part(NamedTuple):
    """One piece of a body: literal *head*, then the file from *start* up to and without *end*."""

    head: bytes
    start: int
    end: int

    @property
    def size(self) -> int:
        """The number of bytes of the piece."""
        return len(self.head) + self.end - self.start


class RangeAnswer(NamedTuple):
    """A 206: its *parts*, what follows the last one, and the headers that describe them."""

    parts: list[Part]
    tail: bytes
    content_type: str
    content_range: str | None

    @property
    def size(self) -> int:
        """The length of the body."""
        return sum(part.size for part in self.parts) + len(self.tail)


def choose_ranges(header: str, size: int) -> list[tuple[int, int]] | None:
    """Return the ranges (start, end) to send of *size* bytes; None to send all of them.

    All of them is the answer for a malformed header, more than :data:`MAX_RANGES` ranges, ranges
    that together are longer than the file, and one range that is the whole file.
    RangeNotSatisfiable when none overlaps the file, and for a lone range that ends before it
    starts, as in Tornado.
    """
    single = _ONE_RANGE.fullmatch(header)
    if single is not None:
        first, last = int(single[1]), single[2]
        if first >= size or (last is not None and int(last) < first):
            raise RangeNotSatisfiable(size)
    ranges = parse_byte_ranges(header, size, MAX_RANGES)
    if ranges is None or sum(end - start for start, end in ranges) > size:
        return None
    return None if ranges == [(0, size)] else ranges


def range_answer(ranges: list[tuple[int, int]], size: int, content_type: str) -> RangeAnswer:
    """Return how *ranges* of a file of *size* bytes are sent.

    As they are if one, else as multipart.
    """
    if len(ranges) == 1:
        ((start, end),) = ranges
        part = Part(b"", start, end)
        return RangeAnswer([part], b"", content_type, format_content_range(start, end, size))
    boundary = os.urandom(16).hex()
    parts: list[Part] = []
    for start, end in ranges:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n"
            f"Content-Range: {format_content_range(start, end, size)}\r\n\r\n"
        )
        # The first delimiter needs no line end before it.
        parts.append(Part((head if parts else head[2:]).encode("latin-1"), start, end))
    tail = f"\r\n--{boundary}--\r\n".encode("ascii")
    return RangeAnswer(parts, tail, f"multipart/byteranges; boundary={boundary}", None)
