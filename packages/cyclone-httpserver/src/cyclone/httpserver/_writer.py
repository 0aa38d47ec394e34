"""The head and the framing of a response: from values to bytes, without I/O."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Final

from cyclone.httputil import HTTPHeaders, HTTPOutputError, http_date, responses

CRLF: Final = b"\r\n"
LAST_CHUNK: Final = b"0\r\n\r\n"
CONTINUE: Final = b"HTTP/1.1 100 Continue\r\n\r\n"
CLOSE: Final = b"Connection: close\r\n"
#: Spelt as HTTP/1.0 clients wrote it first: some compare it as it stands.
KEEP_ALIVE: Final = b"Connection: Keep-Alive\r\n"
CHUNKED_LINE: Final = b"Transfer-Encoding: chunked\r\n"

# RFC 9112 section 4: a reason is printable text; a client's eyes only, so ASCII will do
_REASON = re.compile(r"[\t\x20-\x7e\x80-\xff]*")

STATUS_LINES: Final[dict[int, bytes]] = {
    code: f"HTTP/1.1 {code} {reason}\r\n".encode("latin-1") for code, reason in responses.items()
}
#: ``Content-Length: n`` with the empty line behind it, for the lengths most answers have.
LENGTH_LINES: Final = tuple(b"Content-Length: %d\r\n\r\n" % size for size in range(1024))


def status_line(status: int, reason: str | None = None) -> bytes:
    """The status line; the standard phrase if no reason is given.

    `HTTPOutputError` for a status that is not of three digits or a reason with control characters.
    """
    if reason is None:
        line = STATUS_LINES.get(status)
        if line is not None:
            return line
        reason = "Unknown"
    if not 100 <= status <= 999:
        raise HTTPOutputError(f"Invalid status code {status}")
    if not _REASON.fullmatch(reason):
        raise HTTPOutputError("Invalid character in the reason phrase")
    return f"HTTP/1.1 {status} {reason}\r\n".encode("latin-1")


def length_line(size: int) -> bytes:
    """``Content-Length`` and the end of the head."""
    return LENGTH_LINES[size] if size < 1024 else b"Content-Length: %d\r\n\r\n" % size


def chunk(data: bytes) -> bytes:
    """One chunk; ``data`` must not be empty, that would be the end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def bodiless(status: int) -> bool:
    """Whether answers with this status never have a body (RFC 9110 section 6.4.1)."""
    return status < 200 or status == 204 or status == 304


class DateLine:
    """The ``Date`` header line, made once a second.

    Asked with the time of a monotonic clock; ``until`` is when the line has to be made again. A
    jump of the wall clock shows within a second.
    """

    __slots__ = ("_time", "line", "until")

    def __init__(self, wall_clock: Callable[[], float] = time.time) -> None:
        self._time = wall_clock
        self.line: bytes = b""
        self.until: float = float("-inf")

    def __call__(self, now: float) -> bytes:
        """The line at the monotonic time ``now``."""
        if now >= self.until:
            wall = self._time()
            self.line = f"Date: {http_date(wall)}\r\n".encode("ascii")
            self.until = now + 1.0 - wall % 1.0
        return self.line


def declared_length(headers: HTTPHeaders) -> int | None:
    """The ``Content-Length`` the program set, or None. `HTTPOutputError` if it is no number."""
    value = headers.get("Content-Length")
    if value is None:
        return None
    if not (value.isascii() and value.isdigit()):
        raise HTTPOutputError("Invalid Content-Length in a response")
    return int(value)
