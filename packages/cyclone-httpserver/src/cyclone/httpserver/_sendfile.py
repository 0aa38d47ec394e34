"""Bytes of an open file as part of a response, moved by the kernel where that can be done.

On a plain TCP or UNIX transport with nothing waiting the file goes straight to the socket with
``os.sendfile``; what the kernel does not take at once waits in a `FileOutlet`, which has the place
of an ordinary one. Everywhere else (TLS, chunked answers) the file is read and written in pieces.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, succeed

from ._errors import StreamClosedError
from ._outlet import PIECE, Outlet
from ._taken import refused

if TYPE_CHECKING:
    from ._responses import ResponseSide

# What one turn may move at most: a fast client does not keep the others waiting.
_TURN: Final = 1 << 20
_sendfile: Final[Callable[[int, int, int, int], int] | None] = getattr(os, "sendfile", None)


class FileOutlet(Outlet):
    """Output that waits, the rest of a file being the first of it."""

    __slots__ = ("_descriptor", "_end", "_socket", "_start", "short")

    def __init__(self, connection: Any, descriptor: int, start: int, end: int) -> None:
        super().__init__(connection, connection._send)
        self._socket: int = connection.transport.fileno()
        self._descriptor = descriptor
        self._start = start
        self._end = end
        #: Whether the file ended before its time.
        self.short = False

    def begin(self) -> None:
        """Send what goes at once."""
        self._pump()

    def _pump(self) -> None:
        if self._start < self._end and not self._blocked:
            self._send_file()
        if self._start == self._end:
            super()._pump()

    def _send_file(self) -> None:
        """Send until the end, until the kernel has enough, or for one turn."""
        assert _sendfile is not None
        limit = min(self._end, self._start + _TURN)
        try:
            while self._start < limit:
                sent = _sendfile(self._socket, self._descriptor, self._start, limit - self._start)
                if not sent:
                    self.short = True
                    self._blocked = True
                    self.release()
                    self._connection.abort()
                    return
                self._start += sent
        except BlockingIOError:
            pass
        except OSError:
            # Broken: closing tells everyone, this outlet too
            self._blocked = True
            self._connection._kill()
            return
        if self._start < self._end:
            self._blocked = True
            self._register()
            # With nothing to write the transport only waits until it could, and asks for more
            self._connection.transport.startWriting()


def send_file(side: ResponseSide, descriptor: int, start: int, count: int) -> Deferred[None]:
    """Send ``count`` bytes from ``start`` on; see `HTTPConnection.send_file`."""
    if side.closed:
        return refused()
    response = side._response
    if response is None:
        raise RuntimeError("The head of this response was not sent")
    if not count or response.framing == "none":
        return succeed(None)
    if _sendfile is None or side._send is None or response.framing != "length":
        return Deferred.fromCoroutine(_copy(side, descriptor, start, count))
    if count > response.remaining:
        return Deferred.fromCoroutine(_copy(side, descriptor, start, count))
    return Deferred.fromCoroutine(_splice(side, descriptor, start, count))


async def _splice(side: ResponseSide, descriptor: int, start: int, count: int) -> None:
    await side._taken()
    response = side._response
    if side.closed or response is None:
        raise StreamClosedError
    outlet = FileOutlet(side, descriptor, start, start + count)
    side._outlet = outlet
    side._write_progress()
    outlet.begin()
    if side._outlet is outlet:
        try:
            await outlet.wait()
        except StreamClosedError:
            if not outlet.short:
                raise
    if outlet.short:
        raise EOFError("The file became shorter while it was sent")
    response.remaining -= count


async def _copy(side: ResponseSide, descriptor: int, start: int, count: int) -> None:
    """Read and write; the connection is aborted if the file ends early."""
    while count:
        piece = os.pread(descriptor, min(PIECE, count), start)
        if not piece:
            side.abort()
            raise EOFError("The file became shorter while it was sent")
        start += len(piece)
        count -= len(piece)
        await side.write(piece)
