"""A push parser for multipart/form-data: bytes in, parts out, everything bounded.

The push parser of the ``multipart`` package was tried first: its verdict on a preamble depends on
how the bytes are cut into pieces, it refuses a part without a body (``headers CRLF`` and
the delimiter at once: RFC 2046 section 5.1.1, and what Tornado accepts), and it bounds lines of a
part's header but not their sum. A differential test keeps the two in step on ordinary bodies.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from ._abnf import CONTROL, HTTP_WHITESPACE, TOKEN
from ._errors import HTTPInputError
from ._params import base_name, check_charset, extended_value, parse_parameters

_MAX_BOUNDARY: Final = 256
_SINGLE: Final = frozenset(("Content-Disposition", "Content-Type", "Content-Length"))
_DIGITS: Final = re.compile(r"[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class MultipartLimits:
    """Limits of one multipart body. Sizes are bytes; None means no limit of its own.

    ``max_field_size`` bounds all parts without a file name together, since they stay in memory;
    ``max_size`` bounds the whole body, epilogue included. Counts and part headers over
    their limit answer 400, sizes 413.
    """

    max_parts: int = 1000
    max_files: int = 100
    max_headers: int = 16
    max_header_size: int = 8192
    max_preamble: int = 1024
    max_part_size: int | None = None
    max_field_size: int | None = 8 * 1024 * 1024
    max_size: int | None = None


@dataclass(frozen=True, slots=True)
class PartBegin:
    """A part starts. ``filename`` is None for an ordinary field, a base name for a file."""

    name: str
    filename: str | None
    content_type: str | None
    headers: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class PartData:
    """A piece of the current part; never empty."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnd:
    """The current part is complete."""


_PART_END: Final = PartEnd()

MultipartEvent = PartBegin | PartData | PartEnd


class _State(Enum):
    """What comes next in the body."""

    PREAMBLE = auto()
    DELIMITER = auto()  # it starts with the CRLF that ends what came before
    HEADERS = auto()
    BODY_START = auto()  # at the CRLF that ends the headers, which may begin a delimiter
    BODY = auto()
    EPILOGUE = auto()


class MultipartReceiver:
    """Push parser of one multipart/form-data body.

    ``for event in receiver.feed(chunk)`` for every chunk, however cut, then ``receiver.finish()``.
    The iterator must be run to its end before the next chunk. Events come as `PartBegin`, any
    number of `PartData`, `PartEnd`, for each part. `HTTPInputError` for malformed input (400) or a
    size over its limit (413), after which nothing more may be fed. Time is linear, memory is
    constant beyond the chunk given, and the verdict does not depend on the cuts.
    """

    __slots__ = (
        "_at",
        "_buffer",
        "_delimiter",
        "_field_bytes",
        "_files",
        "_is_field",
        "_limits",
        "_part_bytes",
        "_parts",
        "_received",
        "_state",
    )

    def __init__(
        self,
        boundary: str | bytes,
        limits: MultipartLimits = MultipartLimits(),
    ) -> None:
        self._limits = limits
        self._delimiter = b"\r\n--" + check_boundary(boundary)
        self._state = _State.PREAMBLE
        # The CRLF lets a delimiter at the very start be found like the others
        self._buffer = b"\r\n"
        self._at = 0
        self._is_field = False
        self._received = self._parts = self._files = 0
        self._part_bytes = self._field_bytes = 0

    @property
    def complete(self) -> bool:
        """Whether the last boundary came; what follows it is ignored."""
        return self._state is _State.EPILOGUE

    def feed(self, data: bytes) -> Iterator[MultipartEvent]:
        """Take the next bytes of the body and give the events they complete."""
        self._received += len(data)
        if self._limits.max_size is not None and self._received > self._limits.max_size:
            raise HTTPInputError("multipart/form-data body too large", 413)
        # Neither the slice nor the sum copies when nothing was left over
        self._buffer = self._buffer[self._at :] + data
        self._at = 0
        while True:
            match self._state:
                case _State.BODY:
                    end, complete = self._find_end()
                    if self._at < end:
                        yield self._data(end)
                    if not complete:
                        return
                    self._state = _State.DELIMITER
                    yield _PART_END
                case _State.HEADERS:
                    part = self._read_headers()
                    if part is None:
                        return
                    yield part
                case _State.PREAMBLE | _State.DELIMITER | _State.BODY_START:
                    if not self._step():
                        return
                case _State.EPILOGUE:
                    self._buffer = b""
                    return

    def finish(self) -> None:
        """The body is complete. `HTTPInputError` if its last boundary did not come."""
        if not self.complete:
            raise HTTPInputError("Invalid multipart/form-data: no final boundary found")

    def _step(self) -> bool:
        """Pass what makes no event; False if more bytes are needed to decide."""
        if self._state is _State.PREAMBLE:
            return self._skip_preamble()
        if self._state is _State.DELIMITER:
            return self._pass_delimiter()
        return self._start_body()

    def _skip_preamble(self) -> bool:
        index = self._buffer.find(self._delimiter)
        # Where it is, or the first place where it may still turn out to be
        earliest = index if index >= 0 else len(self._buffer) - len(self._delimiter) + 1
        if earliest > self._limits.max_preamble:
            raise HTTPInputError("Invalid multipart/form-data: no boundary found at its start")
        if index < 0:
            return False
        if self._buffer.find(self._delimiter[2:], 0, index) >= 0:
            raise HTTPInputError("Invalid multipart/form-data: bytes before the first boundary")
        self._at = index
        self._state = _State.DELIMITER
        return True

    def _pass_delimiter(self) -> bool:
        start = self._at + len(self._delimiter)
        tail = self._buffer[start : start + 2]
        if len(tail) < 2:
            return False
        if tail == b"--":
            self._state = _State.EPILOGUE
        elif tail == b"\r\n":
            self._state = _State.HEADERS
            self._at = start + 2
        else:
            raise HTTPInputError("Invalid multipart/form-data: unexpected bytes after a boundary")
        return True

    def _read_headers(self) -> PartBegin | None:
        limit = self._limits.max_header_size
        start = self._at
        if self._buffer.startswith(b"\r\n", start):
            raise HTTPInputError("multipart/form-data missing headers")
        index = self._buffer.find(b"\r\n\r\n", start, start + limit + 4)
        if index < 0:
            if len(self._buffer) - start > limit + 3:
                raise HTTPInputError("multipart/form-data part header too large")
            return None
        self._at = index + 2
        self._state = _State.BODY_START
        return self._begin(self._buffer[start:index])

    def _start_body(self) -> bool:
        """A part may have no body at all: then its headers end where the delimiter begins."""
        delimiter = self._delimiter
        ahead = self._buffer[self._at : self._at + len(delimiter)]
        if ahead != delimiter:
            if delimiter.startswith(ahead):
                return False
            self._at += 2
        self._state = _State.BODY
        return True

    def _find_end(self) -> tuple[int, bool]:
        """Up to where the buffer is certainly content, and whether the part ends there."""
        buffer, delimiter = self._buffer, self._delimiter
        # One byte is found many times faster than several, and a lot of content has no CR
        index = buffer.find(b"\r", self._at)
        if index < 0:
            return len(buffer), False
        index = buffer.find(delimiter, index)
        if index >= 0:
            return index, True
        # Only the last CR can begin a delimiter that the next bytes would complete
        index = buffer.rfind(b"\r", max(self._at, len(buffer) - len(delimiter) + 1))
        if index >= 0 and delimiter.startswith(buffer[index:]):
            return index, False
        return len(buffer), False

    def _data(self, end: int) -> PartData:
        piece = self._buffer[self._at : end]
        self._at = end
        self._count(len(piece))
        return PartData(piece)

    def _begin(self, block: bytes) -> PartBegin:
        limits = self._limits
        self._parts += 1
        if self._parts > limits.max_parts:
            raise HTTPInputError("multipart/form-data has too many parts")
        part = _part_of(_parse_headers(block, limits.max_headers))
        if part.filename is not None:
            self._files += 1
            if self._files > limits.max_files:
                raise HTTPInputError("multipart/form-data has too many files")
        self._is_field = part.filename is None
        self._part_bytes = 0
        return part

    def _count(self, size: int) -> None:
        limits = self._limits
        self._part_bytes += size
        if limits.max_part_size is not None and self._part_bytes > limits.max_part_size:
            raise HTTPInputError("multipart/form-data part too large", 413)
        if self._is_field:
            self._field_bytes += size
            if limits.max_field_size is not None and self._field_bytes > limits.max_field_size:
                raise HTTPInputError("multipart/form-data fields too large", 413)


def check_boundary(boundary: str | bytes) -> bytes:
    """The boundary as bytes, without the quotes it may have. `HTTPInputError` if it is none.

    Printable ASCII, 1 to 256 bytes, not ending with a space (RFC 2046 allows 70 bytes and fewer
    characters; real clients have gone beyond).
    """
    mark = boundary.encode("utf-8") if isinstance(boundary, str) else bytes(boundary)
    if len(mark) >= 2 and mark[:1] == mark[-1:] == b'"':
        mark = mark[1:-1]
    if (
        not 0 < len(mark) <= _MAX_BOUNDARY
        or mark[-1:] == b" "
        or not (mark.isascii() and mark.decode("ascii").isprintable())
    ):
        raise HTTPInputError("Invalid multipart/form-data: bad boundary")
    return mark


def _parse_headers(block: bytes, max_headers: int) -> list[tuple[str, str]]:
    """The lines of a part's header, in UTF-8 as browsers write them (RFC 7578 section 5.1)."""
    if block.count(b"\r\n") >= max_headers:
        raise HTTPInputError("multipart/form-data part with too many headers")
    try:
        lines = block.decode("utf-8").split("\r\n")
    except UnicodeDecodeError:
        raise HTTPInputError("Invalid multipart/form-data: part header is not UTF-8") from None
    headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not TOKEN.fullmatch(name):  # a folded line has no token before the colon
            raise HTTPInputError("Invalid multipart/form-data: malformed part header")
        if CONTROL.search(value):
            raise HTTPInputError("Invalid header value in multipart/form-data")
        headers.append((name.title(), value.strip(HTTP_WHITESPACE)))
    return headers


def _part_of(headers: list[tuple[str, str]]) -> PartBegin:
    """What the headers of a part say: RFC 7578, with ``filename*`` as Tornado reads it."""
    known: dict[str, str] = {}
    for name, value in headers:
        if name in known and name in _SINGLE:
            raise HTTPInputError(f"Invalid multipart/form-data: two {name} in a part")
        known[name] = value
    kind, parameters = parse_parameters(known.get("Content-Disposition", ""))
    if kind.lower() != "form-data":
        raise HTTPInputError("Invalid multipart/form-data: not form-data")
    # name* is not looked at (RFC 7578 section 4.2): it could say something else than name (BP-08)
    field = parameters.get("name")
    if not field:
        raise HTTPInputError("multipart/form-data missing name")
    length = known.get("Content-Length")
    if length is not None and not _DIGITS.fullmatch(length):
        raise HTTPInputError("Invalid multipart/form-data: bad Content-Length in a part")
    filename = _filename(parameters)
    content_type = known.get("Content-Type")
    if not filename and content_type is not None:
        charset = parse_parameters(content_type)[1].get("charset")
        if charset is not None:
            check_charset(charset)
    return PartBegin(field, filename or None, content_type, tuple(headers))


def _filename(parameters: dict[str, str]) -> str:
    filename = parameters.get("filename", "")
    extended = parameters.get("filename*")
    if extended is not None:
        decoded = extended_value(extended)
        if decoded is not None:
            filename = decoded
            if CONTROL.search(filename):
                raise HTTPInputError("Invalid header value in multipart/form-data")
    return base_name(filename)
