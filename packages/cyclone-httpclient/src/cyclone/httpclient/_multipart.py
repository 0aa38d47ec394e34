"""``files=``: a ``multipart/form-data`` body (RFC 7578) from fields and files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from mimetypes import guess_type
from typing import IO, TypeAlias, cast

FileContent: TypeAlias = str | bytes | IO[bytes]
FileValue: TypeAlias = (
    FileContent | tuple[str | None, FileContent] | tuple[str | None, FileContent, str]
)

_CONTENT_TYPE = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z/]+(?:[ \t;=\"!#-\[\]-~]*)")
_PIECE = 64 * 1024


def encode_multipart(
    files: Mapping[str, FileValue] | Iterable[tuple[str, FileValue]],
) -> tuple[str, object]:
    """The ``Content-Type`` and the body of a form.

    A value is the content of a plain field (``str`` or ``bytes``), an open binary file, or a tuple
    ``(filename, content)`` or ``(filename, content, content_type)``. Files are read when they are
    sent; a form without files is ``bytes``.

    :raises TypeError: for a content of another type.
    :raises ValueError: for a content type that is not one.
    """
    pairs = files.items() if isinstance(files, Mapping) else files
    boundary = os.urandom(16).hex()
    parts: list[bytes | IO[bytes]] = []
    for name, value in pairs:
        head, content = _part(boundary, name, value)
        parts += [head, content, b"\r\n"]
    parts.append(f"--{boundary}--\r\n".encode())
    content_type = f"multipart/form-data; boundary={boundary}"
    if all(isinstance(part, bytes) for part in parts):
        return content_type, b"".join(cast("list[bytes]", parts))
    return content_type, MultipartFile(parts)


def _part(boundary: str, name: str, value: FileValue) -> tuple[bytes, bytes | IO[bytes]]:
    filename: str | None = None
    content_type: str | None = None
    content: object = value
    if isinstance(value, tuple):
        filename, content, *rest = value
        content_type = rest[0] if rest else None
    elif hasattr(value, "read"):
        path = getattr(value, "name", None)
        filename = os.path.basename(path) if isinstance(path, str) else name
    if isinstance(content, str):
        content = content.encode("utf-8")
    if not isinstance(content, bytes) and not hasattr(content, "read"):
        raise TypeError(f"the content of form field {name!r} is a {type(content).__name__}")
    return _part_head(boundary, name, filename, content_type), cast("bytes | IO[bytes]", content)


def _part_head(boundary: str, name: str, filename: str | None, content_type: str | None) -> bytes:
    lines = [f"--{boundary}", f'Content-Disposition: form-data; name="{_quoted(name)}"']
    if filename is not None:
        lines[1] += f'; filename="{_quoted(filename)}"'
        content_type = content_type or guess_type(filename)[0] or "application/octet-stream"
    if content_type is not None:
        if not _CONTENT_TYPE.fullmatch(content_type):
            raise ValueError("the content type of a form field is not valid")
        lines.append(f"Content-Type: {content_type}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def _quoted(text: str) -> str:
    """Escaped as the WHATWG form encoding does: what would end the value becomes ``%XX``."""
    text = text.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    if "\0" in text:
        raise ValueError("the name of a form field holds a NUL")
    return text


class MultipartFile:
    """The parts one after the other, as a readable file that can go back to its start."""

    def __init__(self, parts: list[bytes | IO[bytes]]) -> None:
        self._parts = [BytesIO(part) if isinstance(part, bytes) else part for part in parts]
        self._starts = [_position(part) for part in self._parts]
        self._index = 0

    def read(self, size: int = _PIECE) -> bytes:
        """At most ``size`` bytes; empty at the end."""
        while self._index < len(self._parts):
            if piece := self._parts[self._index].read(size):
                return piece
            self._index += 1
        return b""

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read():
            yield piece

    def tell(self) -> int:
        """Zero: it is only asked before anything was read."""
        return 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """To the start (``0``), or report the size (``SEEK_END``).

        :raises OSError: when one of the files cannot do that.
        """
        if any(start is None for start in self._starts):
            raise OSError("a file of the form cannot seek")
        size = 0
        for part, start in zip(self._parts, cast("list[int]", self._starts), strict=True):
            if whence == os.SEEK_END:
                size += part.seek(0, os.SEEK_END) - start
            part.seek(start)
        self._index = 0
        return size


def _position(part: IO[bytes]) -> int | None:
    try:
        position = part.tell()
        part.seek(position)
    except (AttributeError, OSError, ValueError):
        return None
    return position
