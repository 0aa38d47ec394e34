"""The body of a request: from raw bytes to body bytes, without I/O.

Both readers have the same interface: `feed` takes what arrived and returns the body bytes in it;
once ``done`` is true, ``rest`` holds what follows the message. Linear time for any split.
"""

from __future__ import annotations

import re
from typing import Final

from ._errors import RequestError
from ._options import ServerOptions

_TOKEN: Final = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++"
_QUOTED: Final = rb'"(?:[\t !#-\[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*+"'
# RFC 9112 section 7.1: chunk-size [ chunk-ext ] CRLF, extensions being tokens or quoted strings.
# The possessive quantifiers keep it linear.
_CHUNK_LINE: Final = re.compile(
    rb"([0-9A-Fa-f]{1,16}+)"
    rb"(?:[ \t]*+;[ \t]*+%b(?:[ \t]*+=[ \t]*+(?:%b|%b))?+)*+\r\n" % (_TOKEN, _TOKEN, _QUOTED)
)
_TRAILER_LINE: Final = re.compile(rb"(%b):[\t\x20-\x7e\x80-\xff]*+" % _TOKEN)
_FORBIDDEN_TRAILERS: Final = frozenset(
    b"""transfer-encoding content-length content-encoding content-type content-range trailer host
    authorization proxy-authorization cookie set-cookie expect connection upgrade te max-forwards
    cache-control range if-match if-none-match if-modified-since if-unmodified-since if-range
    forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-real-ip
    x-scheme keep-alive proxy-connection""".split()
)
_MAX_TRAILERS: Final = 32


class LengthReader:
    """A body framed by Content-Length."""

    __slots__ = ("done", "remaining", "rest")

    def __init__(self, length: int) -> None:
        self.remaining = length
        self.done = length == 0
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """The part of ``data`` that belongs to the body."""
        size = len(data)
        if size < self.remaining:
            self.remaining -= size
            return data
        if size > self.remaining:
            self.rest = data[self.remaining :]
            data = data[: self.remaining]
        self.remaining = 0
        self.done = True
        return data


class ChunkedReader:
    """A body in chunks. Extensions are checked and ignored, trailers checked and dropped."""

    __slots__ = ("_buffer", "_in_chunk", "_options", "_trailers", "_trailing", "done", "rest")

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        self._buffer = b""
        # Bytes of the current chunk still to come, with its CRLF; 0 between chunks
        self._in_chunk = 0
        self._trailing = -1
        self._trailers = 0
        self.done = False
        self.rest = b""

    def feed(self, data: bytes) -> bytes:
        """The body bytes in ``data``. `RequestError` for anything that is not RFC 9112 chunks."""
        if self._buffer:
            # At most an unfinished line: bounded by the limits below
            data = self._buffer + data
            self._buffer = b""
        if self._trailing >= 0:
            self._trailer_part(data, 0)
            return b""
        pieces: list[bytes] = []
        position = self._chunk_data(data, pieces)
        match = _CHUNK_LINE.match
        limit = self._options.max_chunk_line
        end = len(data)
        while position < end:
            line = match(data, position)
            if line is None:
                self._unfinished_line(data, position)
                break
            start = line.end()
            if start - position > limit + 2:
                raise RequestError(400, "chunk-size line too long")
            size = int(line[1], 16)
            if size == 0:
                self._trailing = 0
                self._trailer_part(data, start)
                break
            stop = start + size
            if stop + 2 <= end:
                if data[stop : stop + 2] != b"\r\n":
                    raise RequestError(400, "chunk without its line end")
                pieces.append(data[start:stop])
                position = stop + 2
            else:
                self._in_chunk = size + 2
                self._chunk_data(data[start:], pieces)
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _chunk_data(self, data: bytes, pieces: list[bytes]) -> int:
        """Go on with a chunk begun before; the position behind it."""
        left = self._in_chunk
        if not left:
            return 0
        size = len(data)
        if left > 2:
            pieces.append(data[: left - 2] if size > left - 2 else data)
        # What is here of the CRLF behind the data
        tail = data[max(0, left - 2) : left]
        if not b"\r\n"[max(0, 2 - left) :].startswith(tail):
            raise RequestError(400, "chunk without its line end")
        taken = min(size, left)
        self._in_chunk = left - taken
        return taken

    def _unfinished_line(self, data: bytes, position: int) -> None:
        """No complete chunk line: keep what may become one, refuse what cannot."""
        tail = data[position : position + self._options.max_chunk_line + 3]
        if len(tail) > self._options.max_chunk_line + 1:
            raise RequestError(400, "chunk-size line too long")
        # What we have, with the shortest possible end, must be a line
        if b"\n" in tail or not any(_CHUNK_LINE.fullmatch(tail + end) for end in _LINE_ENDS):
            raise RequestError(400, "malformed chunk size")
        self._buffer = tail

    def _trailer_part(self, data: bytes, position: int) -> None:
        """Trailer lines up to the empty one. Each is checked; none reaches the headers."""
        while True:
            end = data.find(b"\r\n", position)
            if end < 0:
                tail = data[position:]
                # A CR at its end may begin the empty line, which does not count
                stripped = tail.removesuffix(b"\r")
                if self._trailing + len(stripped) > self._options.max_trailer_size:
                    raise RequestError(431, "trailers too large")
                if b"\n" in stripped or b"\r" in stripped:
                    raise RequestError(400, "malformed trailer")
                self._buffer = tail
                return
            if end == position:
                self.done = True
                self.rest = data[end + 2 :]
                return
            self._trailing += end + 2 - position
            self._trailers += 1
            if self._trailing > self._options.max_trailer_size or self._trailers > _MAX_TRAILERS:
                raise RequestError(431, "trailers too large")
            line = _TRAILER_LINE.fullmatch(data, position, end)
            if line is None or line[1].lower() in _FORBIDDEN_TRAILERS:
                raise RequestError(400, "malformed or forbidden trailer")
            position = end + 2


# Ways in which the beginning of a chunk line can go on to its end
_LINE_ENDS: Final = (b"\r\n", b"\n", b"0\r\n", b'"\r\n', b'0"\r\n', b"a=a\r\n", b";a\r\n")


def reader_for(length: int, options: ServerOptions) -> LengthReader | ChunkedReader:
    """The reader for a framing decision: a length, or a negative number for chunks."""
    return LengthReader(length) if length >= 0 else ChunkedReader(options)
