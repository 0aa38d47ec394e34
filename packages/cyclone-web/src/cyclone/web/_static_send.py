"""Sending a file: small answers in one piece, others at the pace of the client."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from cyclone.httpserver import StreamClosedError

from ._log import general_log
from ._static_paths import Stamp

if TYPE_CHECKING:
    from ._static import StaticFileHandler
    from ._static_ranges import Part

#: Answers up to this many bytes leave with their head in one piece.
WHOLE_SIZE = 128 * 1024

_CHUNK = 64 * 1024
# Without O_NONBLOCK the opening of a FIFO that was put in a file's place would wait for a writer.
_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_FLAGS |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class FileChanged(Exception):
    """The file is not the one that was looked at, or not any more."""


def open_same(path: str, stamp: Stamp) -> int:
    """Open the file at *path*, which must be the one *stamp* was taken of.

    Return its descriptor.
    """
    try:
        descriptor = os.open(path, _FLAGS)
    except OSError:
        raise FileChanged(path) from None
    if Stamp.of(os.fstat(descriptor)) != stamp:
        os.close(descriptor)
        raise FileChanged(path)
    return descriptor


def read_span(path: str, start: int, end: int) -> Iterator[bytes]:
    """Read a part of a file in pieces of 64 KiB; it may end early if the file does."""
    with open(path, "rb") as file:
        file.seek(start)
        while start < end:
            chunk = file.read(min(_CHUNK, end - start))
            if not chunk:
                return
            start += len(chunk)
            yield chunk


async def send_parts(
    handler: StaticFileHandler, path: str, stamp: Stamp, parts: list[Part], tail: bytes
) -> None:
    """Write *parts* of the file at *path*, then *tail*, as the body.

    FileChanged if the file is another one before anything was sent. If it gets shorter later, the
    connection is cut: the length that was promised cannot be kept.
    """
    descriptor = open_same(path, stamp)
    try:
        if not handler._transforms and sum(part.size for part in parts) <= WHOLE_SIZE:
            for part in parts:
                handler._write_buffer.append(part.head + _read(descriptor, part.start, part.end))
            handler._write_buffer.append(tail)
            return
        for part in parts:
            if part.head:
                handler._write_buffer.append(part.head)
            await handler.flush()
            await _send_span(handler, descriptor, part.start, part.end)
        if tail:
            handler._write_buffer.append(tail)
    except StreamClosedError:
        handler._abort_answer()  # the client went away: there is nothing to finish
    except FileChanged:
        if not handler._headers_written:
            raise
        _cut(handler, path)
    finally:
        os.close(descriptor)


async def send_content(
    handler: StaticFileHandler, parts: list[Part], tail: bytes, *, whole: bool
) -> None:
    """Write what the handler's own ``get_content`` gives for *parts*, then *tail*."""
    assert handler.absolute_path is not None
    try:
        for part in parts:
            if part.head:
                handler._write_buffer.append(part.head)
            start, end = (None, None) if whole else (part.start, part.end)
            content = handler.get_content(handler.absolute_path, start, end)
            if isinstance(content, bytes):
                handler.write(content)
                if handler._transforms or tail:
                    await handler.flush()
            else:
                await _send_pieces(handler, content)
        if tail:
            handler._write_buffer.append(tail)
    except StreamClosedError:
        handler._abort_answer()


async def _send_pieces(handler: StaticFileHandler, pieces: Iterable[bytes]) -> None:
    for chunk in pieces:
        handler.write(chunk)
        await handler.flush()


async def _send_span(handler: StaticFileHandler, descriptor: int, start: int, end: int) -> None:
    """Send bytes of an open file, by the kernel alone where that can be done."""
    connection: Any = handler.request.connection
    send_file = getattr(connection, "send_file", None)
    if send_file is not None and not handler._transforms:
        try:
            await send_file(descriptor, start, end - start)
        except EOFError:
            raise FileChanged from None
        handler._body_bytes_written += end - start
        return
    while start < end:
        chunk = _read(descriptor, start, min(end, start + _CHUNK))
        start += len(chunk)
        handler._write_buffer.append(chunk)
        await handler.flush()


def _read(descriptor: int, start: int, end: int) -> bytes:
    """Read exactly these bytes; FileChanged if the file has become shorter."""
    data = os.pread(descriptor, end - start, start)
    if len(data) < end - start:
        raise FileChanged
    return data


def _cut(handler: StaticFileHandler, path: str) -> None:
    general_log.warning("{path} became shorter while it was sent", path=path)
    handler._abort_answer()
