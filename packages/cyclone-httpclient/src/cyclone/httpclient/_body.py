"""Request bodies: what may be given, how long it is, whether it can be sent a second time."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import IO, Protocol, cast
from urllib.parse import urlencode

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProducer
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer
from zope.interface import implementer

from ._awaitables import to_deferred
from ._options import BodyProducer, BodyWriter
from ._twisted import start_producing, stop_producing

PIECE = 64 * 1024


class Body(Protocol):
    """A body that is sent piece by piece."""

    length: int | None
    """Bytes in all, ``None`` when not known before (then it is sent in chunks)."""

    def rewind(self) -> bool:
        """Get ready to be sent once more; false when that is not possible."""
        ...

    async def send(self, write: BodyWriter) -> None:
        """Write all of it."""
        ...


def to_body(value: object) -> object:
    """A body in one of the forms that :func:`open_body` takes; ``str`` and forms become bytes.

    :raises TypeError: for what cannot be sent.
    """
    if value is None or isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, bytearray | memoryview):
        return bytes(value)
    if isinstance(value, Mapping):
        return urlencode(value, doseq=True).encode("ascii")
    if isinstance(value, list | tuple):
        return b"".join(value)
    if hasattr(value, "read") or isinstance(value, AsyncIterable | Iterable):
        return value
    if IBodyProducer.providedBy(value):
        return value
    raise TypeError(f"a body cannot be made of {type(value).__name__}")


def open_body(value: object, producer: BodyProducer | None) -> bytes | Body | None:
    """The body of a request, from its ``body`` or its ``body_producer``."""
    if producer is not None:
        return ProducerBody(producer)
    if value is None or isinstance(value, bytes):
        return value
    if IBodyProducer.providedBy(value):
        return TwistedBody(value)
    if hasattr(value, "read"):
        return FileBody(cast(IO[bytes], value))
    return IteratorBody(cast("Iterable[bytes] | AsyncIterable[bytes]", value))


def _checked(piece: object) -> bytes:
    if not isinstance(piece, bytes | bytearray | memoryview):
        raise TypeError(f"the body gave {type(piece).__name__}, not bytes")
    return bytes(piece)


class FileBody:
    """A binary file, from where it stands to its end."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.length: int | None = None
        self._start: int | None = None
        try:
            self._start = file.tell()
            self.length = file.seek(0, os.SEEK_END) - self._start
            file.seek(self._start)
        except (AttributeError, OSError, ValueError):
            self._start = None

    def rewind(self) -> bool:
        """Go back to the start, if the file can."""
        if self._start is None:
            return False
        self._file.seek(self._start)
        return True

    async def send(self, write: BodyWriter) -> None:
        """Read and write 64 KiB at a time."""
        while piece := self._file.read(PIECE):
            await write(_checked(piece))


class IteratorBody:
    """What an iterator or an asynchronous iterator gives, once."""

    length: int | None = None

    def __init__(self, source: Iterable[bytes] | AsyncIterable[bytes]) -> None:
        self._source = source

    def rewind(self) -> bool:
        """Only what makes a new iterator each time can be read again."""
        return not isinstance(self._source, Iterator | AsyncIterable)

    async def send(self, write: BodyWriter) -> None:
        """Write each piece; an empty one is left out, since it would end a chunked body."""
        if isinstance(self._source, AsyncIterable):
            async for piece in self._source:
                await write(_checked(piece))
        else:
            for piece in self._source:
                await write(_checked(piece))


class ProducerBody:
    """A ``body_producer``: a function that is given ``write``."""

    length: int | None = None

    def __init__(self, producer: BodyProducer) -> None:
        self._producer = producer

    def rewind(self) -> bool:
        """Nobody can tell whether a function would write the same again."""
        return False

    async def send(self, write: BodyWriter) -> None:
        """Call the function and wait for it."""
        result = self._producer(write)
        if result is not None:
            await to_deferred(result)


@implementer(IConsumer)
class _Consumer:
    """Takes a Twisted producer's writes to an asynchronous ``write`` and slows it down with it."""

    def __init__(self, write: BodyWriter, producer: IBodyProducer) -> None:
        self._write = write
        self._producer: IBodyProducer = producer
        self._waiting = 0

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        # It is known already, and one that pushes: an IBodyProducer
        pass

    def unregisterProducer(self) -> None:
        self._waiting = 0

    def write(self, data: bytes) -> None:
        result = self._write(data)
        if isinstance(result, Deferred) and not result.called:
            self._waiting += 1
            if self._waiting == 1:
                self._producer.pauseProducing()
            result.addBoth(self._drained)

    def _drained(self, _: object) -> None:
        if self._waiting:
            self._waiting -= 1
            if not self._waiting:
                self._producer.resumeProducing()


class TwistedBody:
    """An `IBodyProducer`."""

    def __init__(self, producer: IBodyProducer) -> None:
        self._producer = producer
        length = producer.length
        self.length: int | None = None if length is UNKNOWN_LENGTH else int(length)

    def rewind(self) -> bool:
        """A producer is for one use."""
        return False

    async def send(self, write: BodyWriter) -> None:
        """Let it produce until it says that it is done."""
        finished = False
        try:
            await start_producing(self._producer, _Consumer(write, self._producer))
            finished = True
        finally:
            if not finished:
                stop_producing(self._producer)


class BodySender:
    """Sends a body over a connection and checks that it is as long as the head said.

    ``write_through(data)`` hands bytes to the transport and returns a Deferred when that is full.
    """

    def __init__(
        self,
        body: Body,
        length: int | None,
        write_through: Callable[[bytes], Deferred[None]],
    ) -> None:
        self._body = body
        self._left = length
        self._chunked = length is None
        self._out = write_through
        self._open = True

    def start(self) -> Deferred[None]:
        """Begin; the result fires at the end, or fails, then the connection is of no more use."""
        return to_deferred(self._run())

    async def _run(self) -> None:
        try:
            await self._body.send(self._write)
        finally:
            self._open = False
        if self._chunked:
            await self._out(b"0\r\n\r\n")
        elif self._left:
            raise ValueError(f"the body ended {self._left} bytes before its Content-Length")

    def _write(self, data: bytes) -> Awaitable[None]:
        if not self._open:
            raise RuntimeError("write() after the body's end")
        size = len(data)
        if self._left is None:
            return self._out(b"%x\r\n%b\r\n" % (size, data) if size else b"")
        if size > self._left:
            raise ValueError("the body is longer than its Content-Length")
        self._left -= size
        return self._out(data)
