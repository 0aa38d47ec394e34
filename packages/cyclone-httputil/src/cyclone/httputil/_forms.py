"""Receiving a multipart form as it arrives: fields in memory, large files on disk."""

import io
import threading
from collections.abc import Callable, Iterable
from typing import BinaryIO, Final, Protocol

from ._files import HTTPFile
from ._multipart import MultipartLimits, MultipartReceiver, PartBegin, PartData
from ._pieces import Pieces

DEFAULT_SPOOL_THRESHOLD: Final = 512 * 1024

FileFactory = Callable[[], BinaryIO]
"""Makes a new empty file, open for reading and writing, that vanishes when it is closed."""


def temporary_file(directory: str | None = None) -> BinaryIO:
    """A temporary file without a name (mode 0600) in ``directory`` or the system's default one."""
    from tempfile import TemporaryFile

    return TemporaryFile(dir=directory, prefix="cyclone-")


class _Spool:
    """One temporary file that all files of a form share: one descriptor, however many parts."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()
        self.size = 0

    def append(self, pieces: list[bytes]) -> None:
        """Write at the end. OSError if the disk is full."""
        self._file.writelines(pieces)
        self.size += sum(map(len, pieces))

    def read_at(self, position: int, size: int) -> bytes:
        """Read up to ``size`` bytes; files of one form may be read in different threads."""
        with self._lock:
            self._file.seek(position)
            return self._file.read(size)

    def close(self) -> None:
        self._file.close()

    def __del__(self) -> None:
        self._file.close()


class _ReadableAt(Protocol):
    """What can be read anywhere."""

    def read_at(self, position: int, size: int) -> bytes:
        """Up to ``size`` bytes from ``position`` on; empty at the end."""


class SpooledPart(io.RawIOBase):
    """Some bytes of a spool, as a seekable file with a position of its own; keeps the spool."""

    def __init__(self, spool: _ReadableAt, start: int, size: int) -> None:
        self._spool = spool
        self._start = start
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        if base + offset < 0:
            raise ValueError("negative seek position")
        self._position = base + offset
        return self._position

    def readall(self) -> bytes:
        # The inherited one reads 8 KiB at a time; the kernel gives at most 2 GiB at once
        pieces = []
        while self._position < self._size:
            start = self._start + self._position
            piece = self._spool.read_at(start, self._size - self._position)
            if not piece:
                break
            self._position += len(piece)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        wanted = min(len(buffer), self._size - self._position)
        if wanted <= 0:
            return 0
        data = self._spool.read_at(self._start + self._position, wanted)
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)


class FormReceiver:
    """Takes a multipart/form-data body in pieces and holds the fields and files it had.

    Files are kept in memory as long as all of them together stay within ``spool_threshold``
    bytes (None: always); what goes beyond is written to one temporary file, made by
    ``file_factory`` (default: an unnamed file in ``spool_dir``). Fields stay in memory, bounded by
    ``limits.max_field_size``.

    `feed` each chunk and `finish` at the end, or `close` if the body will not be completed: it
    frees the temporary file. `feed` may block while it writes (`spooling` tells); calls may come
    from different threads, one at a time. `HTTPInputError` as from `MultipartReceiver`, `OSError`
    from the disk; both leave the receiver closed.

    After `finish`: ``arguments`` (name -> values as bytes) and ``files`` (name -> `HTTPFile`).
    """

    def __init__(
        self,
        boundary: str | bytes,
        limits: MultipartLimits = MultipartLimits(),  # noqa: B008 - frozen
        *,
        spool_threshold: int | None = DEFAULT_SPOOL_THRESHOLD,
        spool_dir: str | None = None,
        file_factory: FileFactory | None = None,
    ) -> None:
        self.arguments: dict[str, list[bytes]] = {}
        self.files: dict[str, list[HTTPFile]] = {}
        self._receiver = MultipartReceiver(boundary, limits)
        self._threshold = spool_threshold
        self._directory = spool_dir
        self._factory = file_factory
        self._spool: _Spool | None = None
        self._part: PartBegin | None = None
        self._pieces = Pieces()
        self._start = -1  # where the current part is in the spool
        self._in_memory = 0

    @property
    def spooling(self) -> bool:
        """Whether the part that is being received goes to disk."""
        return self._start >= 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes of the body."""
        self.feed_pieces((data,))

    def feed_pieces(self, pieces: Iterable[bytes]) -> None:
        """The same for several pieces that follow each other; they are written together."""
        try:
            for data in pieces:
                for event in self._receiver.feed(data):
                    if isinstance(event, PartData):
                        self._take(event.data)
                    elif isinstance(event, PartBegin):
                        self._part = event
                    else:
                        self._end_part()
            if self._start >= 0:
                self._flush()
        except BaseException:
            self.close()
            raise

    def finish(self) -> None:
        """The body is complete; ``arguments`` and ``files`` are. `HTTPInputError` if it is cut."""
        try:
            self._receiver.finish()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Drop everything and free the temporary file; for a body that is not wanted any more."""
        self._pieces.clear()
        self.arguments = {}
        self.files = {}
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    def _take(self, data: bytes) -> None:
        self._pieces.append(data)
        if self._start >= 0:
            return
        if self._part is None or self._part.filename is None:
            return
        self._in_memory += len(data)
        if self._threshold is not None and self._in_memory > self._threshold:
            self._spill()

    def _opened_spool(self) -> _Spool:
        if self._spool is None:
            factory = self._factory
            file = temporary_file(self._directory) if factory is None else factory()
            self._spool = _Spool(file)
        return self._spool

    def _spill(self) -> None:
        """Move the current part to disk, where the rest of it will go too."""
        self._start = self._opened_spool().size
        self._in_memory -= self._pieces.size

    def _flush(self) -> None:
        self._opened_spool().append(self._pieces.take())

    def _end_part(self) -> None:
        part = self._part
        assert part is not None  # the receiver's events are in order
        if self._start >= 0:
            self._flush()
        body = self._pieces.joined()
        self._pieces.clear()
        self._part = None
        if part.filename is None:
            self.arguments.setdefault(part.name, []).append(body)
            return
        content_type = part.content_type or "application/unknown"
        if self._start < 0:
            file = HTTPFile(part.filename, body, content_type)
        else:
            spool = self._opened_spool()
            raw = SpooledPart(spool, self._start, spool.size - self._start)
            self._start = -1
            file = HTTPFile(part.filename, None, content_type, file=io.BufferedReader(raw))
        self.files.setdefault(part.name, []).append(file)
