"""The body of a request that is collected before its handler runs: in memory, then on disk.

Small bodies are a list of pieces. Above ``spool_threshold`` a body goes to an unnamed temporary
file; of a multipart form, only the files in it do. Writing happens in a thread of the reactor's
pool, one batch at a time; when the disk is slower than the client, `Body.data_received` returns a
Deferred and reading stops until it fires.
"""

from __future__ import annotations

import dataclasses
import io
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, ClassVar, Final, cast

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from cyclone.httputil import (
    FormReceiver,
    Pieces,
    SpooledPart,
    get_parse_body_config,
    parse_parameters,
)

if TYPE_CHECKING:
    from ._request import HTTPRequest
    from ._server import HTTPServer

# A body of a known size over the first is read from the socket in pieces of the second, as long as
# all such bodies together read no more than the third: Twisted's 64 KiB cost a turn of the reactor
# and a write each
LARGE_BODY: Final = 512 * 1024
_LARGE_READ: Final = 1024 * 1024
_LARGE_READS: Final = 64 * 1024 * 1024
_LEAST_READ: Final = 65536
# A write is worth a thread from this size on ...
_BATCH: Final = 512 * 1024
# ... and while one is running, so much may wait
_MAX_WAITING: Final = 1024 * 1024
# What one call can take everywhere (IOV_MAX is 1024 on Linux and the BSDs)
_PIECES: Final = 512
_MAX_FIELDS_SIZE: Final = 8 * 1024 * 1024


class SpoolFile:
    """An unnamed temporary file that is written at its end and read anywhere.

    It has as much of a file's interface as `FormReceiver` needs, but is no file object of Python's:
    one that is left to the garbage collector is closed without a ResourceWarning.
    """

    __slots__ = ("_descriptor", "_position", "size")

    def __init__(self, directory: str | None) -> None:
        from tempfile import TemporaryFile

        with TemporaryFile(dir=directory, prefix="cyclone-", buffering=0) as file:
            self._descriptor = os.dup(file.fileno())
        self._position = 0
        self.size = 0

    def writelines(self, pieces: Sequence[bytes]) -> None:
        """Append. OSError if the disk is full."""
        for start in range(0, len(pieces), _PIECES):
            some = pieces[start : start + _PIECES]
            missing = sum(map(len, some))
            written = os.writev(self._descriptor, some)
            self.size += written
            if written < missing:
                self._write_rest(b"".join(some)[written:])

    def _write_rest(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._descriptor, view)
            view = view[written:]
            self.size += written

    def read_at(self, position: int, size: int) -> bytes:
        """Read up to ``size`` bytes; from any thread."""
        return os.pread(self._descriptor, size, position)

    def reader(self) -> SpooledPart:
        """All of it, as a file with a position of its own; each call gives another."""
        return SpooledPart(self, 0, self.size)

    def seek(self, position: int) -> None:
        """Where `read` begins."""
        self._position = position

    def read(self, size: int) -> bytes:
        """Read from the place of `seek`."""
        return self.read_at(self._position, size)

    def close(self) -> None:
        """Free the space on disk."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def __del__(self) -> None:
        if getattr(self, "_descriptor", -1) >= 0:
            self.close()


def spool_trouble(directory: str | None) -> str | None:
    """Why no temporary file can be made in ``directory``; None if one can."""
    try:
        SpoolFile(directory).close()
    except OSError as error:
        return str(error)
    return None


class Body:
    """Collects one body; afterwards `read` and `open` give it, or `form` what was in it."""

    __slots__ = (
        "_closed",
        "_failure",
        "_is_large",
        "_pieces",
        "_request",
        "_server",
        "_spool",
        "_wanted",
        "_write",
        "_writing",
        "form",
        "size",
    )
    #: How many batches threads have to write now.
    in_threads: ClassVar[int] = 0

    def __init__(self, request: HTTPRequest, server: HTTPServer) -> None:
        self._request: HTTPRequest | None = request
        self._server = server
        self._pieces = Pieces()
        self._spool: SpoolFile | None = None
        self._write: Callable[[list[bytes]], None] | None = None
        self._writing = False
        self._wanted: Deferred[None] | None = None
        self._failure: Failure | None = None
        self._closed = False
        #: A multipart form that was too large for the memory; the raw body is not kept then.
        self.form: FormReceiver | None = None
        self.size = 0
        self._is_large = request._length > LARGE_BODY
        if self._is_large:
            server._large_bodies += 1

    @property
    def read_size(self) -> int | None:
        """How much to read from the socket at once; None: as ever."""
        if not self._is_large:
            return None
        share = _LARGE_READS // self._server._large_bodies
        return max(_LEAST_READ, min(_LARGE_READ, share))

    def _received(self) -> None:
        """Nothing more of it will be read."""
        if self._is_large:
            self._is_large = False
            self._server._large_bodies -= 1

    def data_received(self, chunk: bytes) -> Deferred[None] | None:
        """Take a piece; a Deferred if the disk has to catch up first."""
        if self._failure is not None:
            return fail(self._failure)
        self._pieces.append(chunk)
        self.size += len(chunk)
        if self._write is None:
            if self.size <= self._server.server_options.spool_threshold:
                return None
            self._begin_spool()
        if self._pieces.size >= _BATCH and not self._writing:
            self._write_batch()
        if self._pieces.size >= _MAX_WAITING and self._writing:
            return self._want()
        return None

    def complete(self) -> Deferred[None] | None:
        """The body is in; a Deferred while it is still being written."""
        self._received()
        self._request = None
        if self._write is None:
            return None
        if self._failure is None and not self._writing and self._pieces.size:
            self._write_batch()
        if self._writing:
            return self._want().addCallback(lambda _: self.complete())
        # A method of our own: with it, the file would wait for the collector of cycles
        self._write = None
        if self._failure is not None:
            return fail(self._failure)
        if self.form is not None:
            self.form.finish()
        return None

    def _want(self) -> Deferred[None]:
        self._wanted = Deferred()
        return self._wanted

    def _begin_spool(self) -> None:
        assert self._request is not None
        self.form = _form_for(self._request, self._server)
        self._write = self._write_raw if self.form is None else self.form.feed_pieces

    def _write_raw(self, pieces: list[bytes]) -> None:
        if self._spool is None:
            self._spool = SpoolFile(self._server.server_options.spool_dir)
        self._spool.writelines(pieces)

    def _write_batch(self) -> None:
        """Hand what waits to a thread (or write it here, when none will have the time)."""
        assert self._write is not None
        pieces = self._pieces.take()
        self._writing = True
        write = self._write
        reactor = self._server.reactor
        pool = _free_pool(reactor)
        if pool is None:
            try:
                write(pieces)
            except Exception:
                self._written(Failure())  # type: ignore[no-untyped-call]
            else:
                self._written(None)
            return
        from twisted.internet.threads import deferToThreadPool

        Body.in_threads += 1
        written = deferToThreadPool(reactor, pool, lambda: write(pieces))
        written.addBoth(self._written_by_thread)

    def _written_by_thread(self, result: Failure | None) -> None:
        Body.in_threads -= 1
        self._written(result)

    def _written(self, result: Failure | None) -> None:
        self._writing = False
        if isinstance(result, Failure):
            self._failure = result
            self._pieces.clear()
        if self._closed:
            self._free()
            return
        wanted, self._wanted = self._wanted, None
        if self._failure is None and wanted is None and self._pieces.size >= _BATCH:
            self._write_batch()
        if wanted is not None:
            if self._failure is not None:
                wanted.errback(self._failure)
            else:
                wanted.callback(None)

    def close(self) -> None:
        """Nobody will ask for it: free memory and disk, after the write that is running."""
        self._received()
        self._closed = True
        self._pieces.clear()
        self._wanted = None
        if not self._writing:
            self._free()

    def _free(self) -> None:
        self._pieces.clear()
        self._write = None
        if self._spool is not None:
            self._spool.close()
        if self.form is not None:
            self.form.close()

    def read(self) -> bytes:
        """All of it; empty for a form whose files were spooled."""
        if self._spool is not None:
            return self._spool.reader().readall() if not self._closed else b""
        return self._pieces.joined()

    def open(self) -> BinaryIO:
        """A file at its beginning; each call gives another."""
        if self._spool is not None and not self._closed:
            return io.BufferedReader(self._spool.reader())
        return io.BytesIO(self.read())


def _free_pool(reactor: Any) -> Any:
    """The reactor's threads; None if it has none, or the program keeps all of them busy.

    It would wait for as long as the program's own work takes. When they are busy with bodies, which
    means that the disk is slow, that is what they shall do.
    """
    get = getattr(reactor, "getThreadPool", None)
    pool: Any = None if get is None else get()
    busy = len(getattr(pool, "working", ()))
    if busy and busy >= pool.max and Body.in_threads * 2 < busy:
        return None
    return pool


def _form_for(request: HTTPRequest, server: HTTPServer) -> FormReceiver | None:
    """A receiver if this body is a multipart form that can be taken apart as it comes."""
    if not (request.parses_forms and getattr(server.request_callback, "parses_forms", True)):
        return None
    config = get_parse_body_config().multipart
    headers = request.headers
    kind, parameters = parse_parameters(headers.get("Content-Type", ""))
    if (
        kind.lower() != "multipart/form-data"
        or not parameters.get("boundary")
        or not config.enabled
        or "Content-Encoding" in headers
    ):
        return None
    limits = dataclasses.replace(config.limits(), max_field_size=_MAX_FIELDS_SIZE)
    options = server.server_options
    return FormReceiver(
        parameters["boundary"],
        limits,
        spool_threshold=options.spool_threshold,
        file_factory=lambda: cast("BinaryIO", SpoolFile(options.spool_dir)),
    )
