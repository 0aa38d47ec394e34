"""A process that a program starts and talks to, under Tornado's names, over Twisted's reactor."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import IO, Any, ClassVar, Final

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.protocol import ProcessProtocol

from cyclone.httpserver import StreamClosedError

#: Bytes that are kept of what nobody has asked for yet; then the process has to wait.
UNREAD: Final = 65536
#: Bytes that one read may collect.
MAX_BUFFER: Final = 100 * 1024 * 1024

#: How much of what is there completes a read: None, if it does not yet; *closed* tells that no
#: more comes. It raises what the read is to fail with.
Enough = Callable[[bytearray, bool], int | None]


class ProcessOutput:
    """What a process writes, ``stdout`` or ``stderr``. One read at a time."""

    def __init__(self, hold: Callable[[bool], object]) -> None:
        self._hold = hold
        self._held = False
        self._data = bytearray()
        self._reading: tuple[Deferred[bytes], Enough] | None = None
        self._open = 0

    def read_until_close(self) -> Deferred[bytes]:
        """All that comes until the process closes it: at most 100 MiB."""
        return self._read(lambda data, closed: len(data) if closed else None)

    def read_bytes(self, num_bytes: int, partial: bool = False) -> Deferred[bytes]:
        """So many bytes; with *partial* also fewer, as soon as there are any.

        Fails with `cyclone.httpserver.StreamClosedError` if they do not come.
        """

        def enough(data: bytearray, closed: bool) -> int | None:
            if len(data) >= num_bytes or (partial and data):
                return min(len(data), num_bytes)
            _no_more(closed)
            return None

        return self._read(enough)

    def read_until(self, delimiter: bytes, max_bytes: int | None = None) -> Deferred[bytes]:
        """All up to *delimiter*, and with it: at most *max_bytes*.

        Fails with `cyclone.httpserver.StreamClosedError` if it does not come, and with ValueError
        if it does not come in time.
        """
        searched = 0

        def enough(data: bytearray, closed: bool) -> int | None:
            nonlocal searched
            found = data.find(delimiter, max(0, searched - len(delimiter)))
            searched = len(data)
            length = found + len(delimiter) if found >= 0 else len(data) + 1
            if max_bytes is not None and length > max_bytes:
                raise ValueError(f"{delimiter!r} is not within {max_bytes} bytes")
            if found < 0:
                _no_more(closed)
            return length if found >= 0 else None

        return self._read(enough)

    def closed(self) -> bool:
        """Whether no more comes than what is here already."""
        return not self._open

    def _read(self, enough: Enough) -> Deferred[bytes]:
        if self._reading is not None:
            raise RuntimeError("another read is under way")
        read: Deferred[bytes] = Deferred()
        self._reading = read, enough
        self._serve()
        return read

    def _opened(self) -> None:
        self._open += 1

    def _received(self, data: bytes) -> None:
        self._data += data
        self._serve()

    def _ended(self) -> None:
        self._open -= 1
        self._serve()

    def _serve(self) -> None:
        if self._reading is not None:
            read, enough = self._reading
            try:
                length = enough(self._data, self.closed())
                if length is None and len(self._data) > MAX_BUFFER:
                    raise ValueError(f"more than {MAX_BUFFER} bytes")
            except Exception as error:
                self._reading = None
                read.errback(error)
            else:
                if length is not None:
                    self._reading = None
                    found = bytes(self._data[:length])
                    del self._data[:length]
                    read.callback(found)
        held = self._reading is None and len(self._data) >= UNREAD
        if held is not self._held and self._open:
            self._held = held
            self._hold(held)


def _no_more(closed: bool) -> None:
    if closed:
        raise StreamClosedError("the process has closed it")


class ProcessInput:
    """What a process reads: its ``stdin``."""

    def __init__(self, protocol: _Protocol) -> None:
        self._protocol = protocol
        self._full = False
        self._closed = False
        self._waiting: list[Deferred[None]] = []

    def write(self, data: bytes) -> Deferred[None]:
        """Send; the Deferred fires when more can be sent without piling up.

        Fails with `cyclone.httpserver.StreamClosedError` if the process reads no more.
        """
        if self._closed:
            return fail(StreamClosedError("the process reads no more"))
        self._protocol.transport.writeToChild(0, data)
        if not self._full:
            return succeed(None)
        written: Deferred[None] = Deferred()
        self._waiting.append(written)
        return written

    def close(self) -> None:
        """No more comes: the process reads the end after what was written."""
        if not self._closed:
            self._closed = True
            self._protocol.transport.closeChildFD(0)

    def closed(self) -> bool:
        """Whether nothing can be written any more."""
        return self._closed

    # Twisted's transport tells its producer:

    def pauseProducing(self) -> None:
        """Twisted: enough for now."""
        self._full = True

    def resumeProducing(self) -> None:
        """Twisted: go on."""
        self._full = False
        waiting, self._waiting = self._waiting, []
        for written in waiting:
            written.callback(None)

    def stopProducing(self) -> None:
        """Twisted: nobody reads."""
        self._closed = True
        waiting, self._waiting = self._waiting, []
        for written in waiting:
            written.errback(StreamClosedError("the process reads no more"))


class _Protocol(ProcessProtocol):
    transport: Any

    def __init__(self, owner: Subprocess) -> None:
        self.outputs: dict[int, ProcessOutput] = {}
        self.input: ProcessInput | None = None
        self._owner = owner

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        self.outputs[childFD]._received(data)

    def childConnectionLost(self, childFD: int) -> None:
        if childFD in self.outputs:
            self.outputs[childFD]._ended()
        elif self.input is not None:
            self.input.stopProducing()

    def hold(self, descriptor: int, held: bool) -> None:
        """Read no more from the process, or go on."""
        pipe = self.transport.pipes.get(descriptor)
        if pipe is not None:
            (pipe.stopReading if held else pipe.startReading)()

    def processExited(self, reason: Any) -> None:
        status = reason.value
        signal = getattr(status, "signal", None)
        self._owner._exited(-signal if signal is not None else status.exitCode or 0)


class Subprocess:
    """A process: started by the constructor, and followed without blocking the reactor.

    :arg args: the program and its arguments; with *shell* one text for ``/bin/sh``.
    :arg stdin: and *stdout*, *stderr*: `STREAM` for an attribute of that name to write to
        (`ProcessInput`) or read from (`ProcessOutput`); a file or descriptor;
        ``subprocess.DEVNULL``; None for what this process has. For *stderr* also
        ``subprocess.STDOUT``.
    :raises OSError: if there is no such program or folder.
    """

    STREAM: ClassVar[Any] = object()

    def __init__(
        self,
        args: str | Sequence[str],
        *,
        stdin: int | IO[Any] | None = None,
        stdout: int | IO[Any] | None = None,
        stderr: int | IO[Any] | None = None,
        shell: bool = False,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        from twisted.internet import reactor

        self.args = args
        #: The exit code, or the negated number of the signal that ended it; None while it runs.
        self.returncode: int | None = None
        self._callback: Callable[[int], object] | None = None
        self._waiting: list[tuple[Deferred[int], bool]] = []
        words = [args] if isinstance(args, str) else [os.fspath(word) for word in args]
        if shell:
            words = ["/bin/sh", "-c", *words]
        environ = dict(os.environ if env is None else env)
        folder = None if cwd is None else os.fspath(cwd)
        program = _find(words[0], folder, environ)
        protocol = _Protocol(self)
        spawn: Any = reactor
        with contextlib.ExitStack() as stack:
            given = (stdin, stdout, stderr)
            descriptors = {
                number: self._descriptor(protocol, number, given, stack) for number in range(3)
            }
            self._transport = spawn.spawnProcess(
                protocol, program, words, env=environ, path=folder, childFDs=descriptors
            )
        self.stdin: ProcessInput | None = protocol.input
        self.stdout: ProcessOutput | None = protocol.outputs.get(1)
        self.stderr: ProcessOutput | None = (
            protocol.outputs.get(2) if stderr is self.STREAM else None
        )
        if self.stdin is not None:
            self._transport.pipes[0].registerProducer(self.stdin, True)
        self.pid: int = self._transport.pid

    def _descriptor(
        self,
        protocol: _Protocol,
        number: int,
        given: Sequence[Any],
        stack: contextlib.ExitStack,
    ) -> int | str:
        """What Twisted is to make of one of the three."""
        value = given[number]
        if number == 2 and value == subprocess.STDOUT:
            if given[1] is not self.STREAM:
                return self._descriptor(protocol, 1, given, stack)
            protocol.outputs[2] = protocol.outputs[1]
            protocol.outputs[2]._opened()
            return "r"
        if value is self.STREAM:
            if number == 0:
                protocol.input = ProcessInput(protocol)
                return "w"
            output = ProcessOutput(lambda held: protocol.hold(number, held))
            output._opened()
            protocol.outputs[number] = output
            return "r"
        if value is None:
            return number
        if value == subprocess.DEVNULL:
            descriptor = os.open(os.devnull, os.O_RDWR)
            stack.callback(os.close, descriptor)
            return descriptor
        if isinstance(value, int) and value < 0:
            raise ValueError("a stream that does not block the reactor is Subprocess.STREAM")
        return value if isinstance(value, int) else int(value.fileno())

    def wait_for_exit(self, raise_error: bool = True) -> Deferred[int]:
        """The exit code, when it is there.

        Unless *raise_error* is false, any but 0 fails with `subprocess.CalledProcessError`.
        """
        exited: Deferred[int] = Deferred()
        self._waiting.append((exited, raise_error))
        self._tell()
        return exited

    def set_exit_callback(self, callback: Callable[[int], object]) -> None:
        """Have *callback* called with the exit code, also if the process has ended already."""
        self._callback = callback
        self._tell()

    def _exited(self, code: int) -> None:
        self.returncode = code
        self._tell()

    def _tell(self) -> None:
        code = self.returncode
        if code is None:
            return
        waiting, self._waiting = self._waiting, []
        callback, self._callback = self._callback, None
        for exited, raise_error in waiting:
            if code and raise_error:
                exited.errback(subprocess.CalledProcessError(code, self.args))
            else:
                exited.callback(code)
        if callback is not None:
            callback(code)

    @classmethod
    def initialize(cls) -> None:
        """Nothing: Twisted's reactor hears of ended processes by itself. As Tornado has it."""

    @classmethod
    def uninitialize(cls) -> None:
        """Nothing, see `initialize`."""


def _find(name: str, folder: str | None, environ: Mapping[str, str]) -> str:
    """The path of a program. OSError if there is none, or no such folder."""
    if folder is not None and not os.path.isdir(folder):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), folder)
    place = os.path.join(folder or "", name) if os.sep in name else name
    found = shutil.which(place, path=environ.get("PATH", os.defpath))
    if found is None:
        code = errno.EACCES if os.path.exists(place) and os.sep in name else errno.ENOENT
        raise OSError(code, os.strerror(code), name)
    return os.path.abspath(found)
