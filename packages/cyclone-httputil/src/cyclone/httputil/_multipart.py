"""A push parser for multipart/form-data: bytes in, parts out, everything bounded.

The splitting is done by the ``multipart`` package. What stands around it here makes the verdict
independent of how the bytes are cut into pieces (the preamble and the epilogue are handled here,
so its own treatment of them is never reached) and sets the limits and the strictness.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from ._abnf import CONTROL
from ._errors import HTTPInputError
from ._params import base_name, check_charset, extended_value, parse_parameters

_MAX_BOUNDARY: Final = 256


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


class MultipartReceiver:
    """Push parser of one multipart/form-data body.

    ``for event in receiver.feed(chunk)`` for every chunk, however cut, then ``receiver.finish()``.
    The iterator must be run to its end before the next chunk. Events come as `PartBegin`, any
    number of `PartData`, `PartEnd`, for each part. `HTTPInputError` for malformed input (400) or a
    size over its limit (413), after which nothing more may be fed. Time is linear and memory is
    constant beyond the chunk given.
    """

    __slots__ = (
        "_close",
        "_done",
        "_field_bytes",
        "_files",
        "_head",
        "_is_field",
        "_limits",
        "_parser",
        "_part_bytes",
        "_parts",
        "_received",
        "_tail",
    )

    def __init__(
        self, boundary: str | bytes, limits: MultipartLimits = MultipartLimits()
    ) -> None:  # frozen, so it may be shared
        from multipart import PushMultipartParser  # type: ignore[import-untyped]

        mark = check_boundary(boundary)
        self._limits = limits
        # A line may reach the parser's limit with what is not counted here (white space), so the
        # exact check of the whole header block is made in _begin
        self._parser = PushMultipartParser(
            mark,
            max_header_size=2 * limits.max_header_size,
            max_header_count=limits.max_headers,
            strict=True,
        )
        self._close = b"\r\n--" + mark + b"--"
        self._head: bytes | None = b"\r\n"  # until the first delimiter is found
        self._tail = b""
        self._done = False
        self._is_field = False
        self._received = self._parts = self._files = 0
        self._part_bytes = self._field_bytes = 0

    def feed(self, data: bytes) -> Iterator[MultipartEvent]:
        """Take the next bytes of the body and give the events they complete."""
        from multipart import MultipartError, ParserLimitReached

        self._received += len(data)
        if self._limits.max_size is not None and self._received > self._limits.max_size:
            raise HTTPInputError("multipart/form-data body too large", 413)
        if self._done:  # RFC 2046: an epilogue is ignored
            return
        data = self._trim(data)
        if not data:
            return
        try:
            for event in self._parser.parse(data):
                if event is None:
                    yield _PART_END
                elif isinstance(event, bytes | bytearray):
                    self._count(len(event))
                    yield PartData(bytes(event))
                else:
                    yield self._begin(tuple(event.headerlist))
            if self._done:
                self._parser.close()
        except ParserLimitReached:
            raise HTTPInputError("multipart/form-data part header too large") from None
        except MultipartError as error:
            raise HTTPInputError(f"Invalid multipart/form-data: {error}") from None

    def finish(self) -> None:
        """The body is complete. `HTTPInputError` if its last boundary did not come."""
        if not self._done:
            raise HTTPInputError("Invalid multipart/form-data: no final boundary found")

    def _trim(self, data: bytes) -> bytes:
        """What of ``data`` is between the first delimiter and the end of the last one."""
        if self._head is not None:
            self._head += data
            start = self._head.find(self._close[:-2])
            if (start if start >= 0 else len(self._head) - len(self._close) + 3) > (
                self._limits.max_preamble
            ):
                raise HTTPInputError("Invalid multipart/form-data: no boundary found at its start")
            if start < 0:
                return b""
            data = self._head[start + 2 :]
            self._tail = b"\r\n"
            self._head = None
        window = self._tail + data
        end = window.find(self._close)
        if end >= 0:
            self._done = True
            return data[: end + len(self._close) - len(self._tail)]
        self._tail = window[1 - len(self._close) :]
        return data

    def _begin(self, headers: tuple[tuple[str, str], ...]) -> PartBegin:
        limits = self._limits
        self._parts += 1
        if self._parts > limits.max_parts:
            raise HTTPInputError("multipart/form-data has too many parts")
        size = sum([len(name) + len(value.encode()) + 4 for name, value in headers])
        if size > limits.max_header_size:
            raise HTTPInputError("multipart/form-data part header too large")
        part = _part_of(headers)
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


def _part_of(headers: tuple[tuple[str, str], ...]) -> PartBegin:
    """What the headers of a part say: RFC 7578, with ``filename*`` as browsers once sent it."""
    disposition: str | None = None
    content_type: str | None = None
    for name, value in headers:
        if CONTROL.search(value):
            raise HTTPInputError("Invalid header value in multipart/form-data")
        if name == "Content-Disposition":
            if disposition is not None:
                raise HTTPInputError("multipart/form-data part with two Content-Disposition")
            disposition = value
        elif name == "Content-Type" and content_type is None:
            content_type = value.strip(" \t")
    kind, parameters = parse_parameters(disposition or "")
    if kind.lower() != "form-data":
        raise HTTPInputError("Invalid multipart/form-data: not form-data")
    # name* is not looked at (RFC 7578 section 4.2): it could say something else than name (BP-08)
    field = parameters.get("name")
    if not field:
        raise HTTPInputError("multipart/form-data missing name")
    filename = _filename(parameters)
    if not filename and content_type is not None:
        charset = parse_parameters(content_type)[1].get("charset")
        if charset is not None:
            check_charset(charset)
    return PartBegin(field, filename or None, content_type, headers)


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
