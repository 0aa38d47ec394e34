"""HTTP/1.x responses from bytes: no socket, no clock. Feed, then take events until ``None``.

Written for this package because neither parser at hand does what a client owes: ``httptools`` can
neither be told that a response has no body (HEAD) nor that the stream ended, and counts nothing;
Twisted's takes a bare LF, ``Content-Length`` beside ``Transfer-Encoding``, any number of header
lines and endless ``1xx`` responses.

The rule is RFC 9112's strict reading: one framing decision for each response, from the raw header
lines; whatever two readers could take in two ways is a :class:`ProtocolError` (rows CL-09, CL-10,
CL-11). Every limit counts bytes before their terminator is found, and nothing is scanned twice.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final, NamedTuple

MAX_INTERIM_RESPONSES = 10
MAX_HEADER_COUNT = 256
MAX_CHUNK_LINE = 256
MAX_TRAILER_SIZE = 8192

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([\t \x21-\x7e\x80-\xff]*))?")
# field-name ":" OWS field-value OWS, RFC 9112 section 5; no folding, no bare CR or LF.
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*([\t \x21-\x7e\x80-\xff]*)")
_DIGITS = re.compile(rb"[0-9]{1,19}")
_CHUNK_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;[\t \x21-\x7e\x80-\xff]*)?")
_FRAMING_NAMES = frozenset((b"content-length", b"transfer-encoding", b"connection"))


class ProtocolError(Exception):
    """The bytes are not an HTTP/1.x response that can be trusted."""


class LimitError(ProtocolError):
    """The head of the response is larger than allowed."""


class ResponseHead(NamedTuple):
    """Status line and header fields; names and values are the bytes that came."""

    code: int
    reason: str
    version: str
    fields: list[tuple[bytes, bytes]]
    length: int | None
    """How many body bytes will follow; ``None``: told by chunks or by the end of the stream."""
    keep_alive: bool


class End(Enum):
    """The response is whole."""

    END = 0


END: Final = End.END
Event = ResponseHead | bytes | End


class _State(Enum):
    HEAD = 0
    LENGTH = 1
    CHUNK_SIZE = 2
    CHUNK_DATA = 3
    CHUNK_END = 4
    TRAILERS = 5
    UNTIL_CLOSE = 6
    DONE = 7


class ResponseParser:
    """The response to one request after another on a connection.

    ``start(method)`` prepares for the response to a request; ``feed(data)`` hands over bytes;
    ``next_event()`` gives a :class:`ResponseHead` (also for each ``1xx``), pieces of the body,
    ``END``, or ``None`` when more bytes are needed. Any exception leaves the parser unusable.
    """

    def __init__(self, max_header_size: int = 65536) -> None:
        self._max_header_size = max_header_size
        self._buffer = b""
        self._pos = 0
        self._scanned = 0
        self._state = _State.DONE
        self._method = "GET"
        self._left = 0
        self._interim = 0
        self._trailer_bytes = 0
        self.keep_alive = False

    @property
    def idle(self) -> bool:
        """Whether nothing is expected and nothing unexpected has come."""
        return self._state is _State.DONE and self._pos >= len(self._buffer)

    @property
    def started(self) -> bool:
        """Whether any byte of the current response has been seen."""
        unread = self._pos < len(self._buffer)
        return unread or self._state is not _State.HEAD or self._interim > 0

    def start(self, method: str) -> None:
        """Expect the response to a request of this method."""
        self._method = method
        self._state = _State.HEAD
        self._interim = 0

    def feed(self, data: bytes) -> None:
        """Take bytes off the wire; they are looked at by :meth:`next_event`."""
        if self._pos < len(self._buffer):
            data = self._buffer[self._pos :] + data
        self._buffer = data
        self._pos = 0

    def next_event(self) -> Event | None:
        """The next thing the bytes say, or ``None`` for "not enough of them yet".

        :raises ProtocolError: when they are not a response of the right form.
        """
        while True:
            state = self._state
            if state is _State.HEAD:
                return self._take_head()
            if state is _State.LENGTH or state is _State.CHUNK_DATA:
                if self._left:
                    return self._take_body()
                if state is _State.LENGTH:
                    return self._finish()
                self._state = _State.CHUNK_END
            elif state is _State.UNTIL_CLOSE:
                return self.take_rest() or None
            elif state is _State.DONE:
                return None
            else:
                line = self._take_line(
                    MAX_CHUNK_LINE if state is _State.CHUNK_SIZE else MAX_TRAILER_SIZE
                )
                if line is None:
                    return None
                if self._chunk_line(state, line):
                    return self._finish()

    def end_of_stream(self) -> bool:
        """The peer closed; true when that is how this response ends.

        :raises ProtocolError: when a part of the response is missing.
        """
        if self._state is _State.UNTIL_CLOSE:
            self._state = _State.DONE
            return True
        if self._state is _State.DONE:
            return False
        if self.started:
            raise ProtocolError("the connection closed in the middle of the response")
        raise ProtocolError("the connection closed before the response")

    def take_rest(self) -> bytes:
        """The bytes after the response; they are forgotten here."""
        data = self._buffer[self._pos :]
        self._buffer = b""
        self._pos = 0
        return data

    def _finish(self) -> End:
        self._state = _State.DONE
        return END

    def _take_body(self) -> bytes | None:
        start = self._pos
        data = self._buffer[start : start + self._left]
        self._left -= len(data)
        self._pos = start + len(data)
        return data or None

    def _take_line(self, limit: int) -> bytes | None:
        """The next line without its CRLF, once it is all there."""
        start = self._pos
        end = self._buffer.find(b"\n", start, start + limit + 2)
        if end < 0:
            if len(self._buffer) - start > limit + 1:  # its CR may be there
                raise ProtocolError("a chunk or trailer line is too long")
            return None
        self._pos = end + 1
        if end == start or self._buffer[end - 1] != 13:
            raise ProtocolError("a line ends without CR")
        return self._buffer[start : end - 1]

    def _chunk_line(self, state: _State, line: bytes) -> bool:
        """Act on a line of the chunked framing; true at the end of the body."""
        if state is _State.CHUNK_SIZE:
            match = _CHUNK_SIZE.fullmatch(line)
            if match is None:
                raise ProtocolError("a chunk has no valid size")
            self._left = int(match[1], 16)
            self._state = _State.CHUNK_DATA if self._left else _State.TRAILERS
        elif state is _State.CHUNK_END:
            if line:
                raise ProtocolError("a chunk is longer than it says")
            self._state = _State.CHUNK_SIZE
        else:
            if not line:
                return True
            self._trailer_bytes += len(line) + 2
            if self._trailer_bytes > MAX_TRAILER_SIZE:
                raise LimitError("the trailers are larger than 8 KiB")
            if _FIELD.fullmatch(line) is None:
                raise ProtocolError("a trailer field is malformed")
        return False

    def _take_head(self) -> ResponseHead | None:
        buffer, start = self._buffer, self._pos
        end = buffer.find(b"\r\n\r\n", start + self._scanned)
        size = (end if end >= 0 else len(buffer)) - start
        # Of the empty line that ends it three bytes may be there
        if size > self._max_header_size + (3 if end < 0 else 0):
            raise LimitError("the header of the response is too large")
        if end < 0:
            self._scanned = max(0, size - 3)
            self._check_beginning(buffer[start : start + 7])
            return None
        self._scanned = 0
        self._pos = end + 4
        return self._read_head(buffer[start:end].split(b"\r\n"))

    @staticmethod
    def _check_beginning(start: bytes) -> None:
        """Refuse at once what can no longer become HTTP/1.x: HTTP/0.9, TLS records, noise."""
        if not b"HTTP/1.".startswith(start):
            raise ProtocolError("the answer is not HTTP/1.x")

    def _read_head(self, lines: list[bytes]) -> ResponseHead:
        match = _STATUS_LINE.fullmatch(lines[0])
        if match is None:
            raise ProtocolError("the status line is malformed")
        if len(lines) > MAX_HEADER_COUNT + 1:
            raise LimitError(f"the response has more than {MAX_HEADER_COUNT} header fields")
        fields = []
        framing: dict[bytes, list[bytes]] = {}
        match_field = _FIELD.fullmatch
        for line in lines[1:]:
            field = match_field(line)
            if field is None:
                raise ProtocolError("a header field is malformed")
            name, value = field.groups()
            value = value.rstrip(b" \t")
            fields.append((name, value))
            low = name.lower()
            if low in _FRAMING_NAMES:
                framing.setdefault(low, []).append(value)
        code = int(match[2])
        minor = match[1]
        reason = (match[3] or b"").strip().decode("latin-1")
        length = self._frame(code, minor == b"1", framing)
        version = "HTTP/1.1" if minor == b"1" else "HTTP/1.0"
        return ResponseHead(code, reason, version, fields, length, self.keep_alive)

    def _frame(self, code: int, is_11: bool, framing: dict[bytes, list[bytes]]) -> int | None:
        """Decide how the body ends (RFC 9112 section 6.3); returns its length if that is told."""
        length = _content_length(framing.get(b"content-length"))
        coding = framing.get(b"transfer-encoding")
        if coding is not None:
            if length is not None:
                raise ProtocolError("the response has both Content-Length and Transfer-Encoding")
            if not is_11:
                raise ProtocolError("an HTTP/1.0 response has a Transfer-Encoding")
            if len(coding) != 1 or coding[0].lower() != b"chunked":
                raise ProtocolError("the Transfer-Encoding is not chunked")
        self.keep_alive = _is_persistent(is_11, framing.get(b"connection"))
        if 100 <= code < 200:
            self._count_interim(code, length, coding)
            return 0
        if self._method == "HEAD" or code in (204, 304):
            if code == 204 and (coding is not None or length):
                raise ProtocolError("a 204 response announces a body")
            self._left = 0
            self._state = _State.LENGTH
            return length or 0
        if self._method == "CONNECT" and code < 300:
            self._left = 0
            self._state = _State.LENGTH
            return 0
        if coding is not None:
            self._trailer_bytes = 0
            self._state = _State.CHUNK_SIZE
        elif length is not None:
            self._left = length
            self._state = _State.LENGTH
        else:
            self.keep_alive = False
            self._state = _State.UNTIL_CLOSE
        return length

    def _count_interim(self, code: int, length: int | None, coding: list[bytes] | None) -> None:
        if code == 101:
            raise ProtocolError("the server switched protocols without being asked")
        if coding is not None or length:
            raise ProtocolError("a 1xx response announces a body")
        self._interim += 1
        if self._interim > MAX_INTERIM_RESPONSES:
            raise ProtocolError(f"more than {MAX_INTERIM_RESPONSES} interim responses")


def _content_length(values: list[bytes] | None) -> int | None:
    if values is None:
        return None
    if len(values) != 1 or _DIGITS.fullmatch(values[0]) is None:
        raise ProtocolError("the Content-Length is not one number")
    return int(values[0])


def _is_persistent(is_11: bool, values: list[bytes] | None) -> bool:
    if values is None:
        return is_11
    tokens = {token.strip() for value in values for token in value.lower().split(b",")}
    if b"close" in tokens:
        return False
    return is_11 or b"keep-alive" in tokens
