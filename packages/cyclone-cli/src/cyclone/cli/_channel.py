"""What a worker and its supervisor say to each other, over two pipes.

The supervisor never writes: its end of the control pipe closes when it dies, however it dies. The
worker writes lines: ``ready``, ``beat``, ``spent`` (it has had its requests), ``failed
REASON``, ``drained COUNT``.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IReadDescriptor
from twisted.internet.main import CONNECTION_DONE
from twisted.python.failure import Failure
from zope.interface import implementer

#: File descriptors of a worker.
CONTROL = 3
STATUS = 4
FIRST_SOCKET = 5
#: A supervisor forgets an unfinished line that is longer.
MAX_LINE = 4096


def say(line: str, descriptor: int = STATUS) -> None:
    """Write a line for the supervisor, if there still is one."""
    data = " ".join(line.split()).encode("utf-8", "replace")[: MAX_LINE - 1] + b"\n"
    with contextlib.suppress(OSError):
        os.write(descriptor, data)


class Lines:
    """Splits what comes in into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE:
            self._rest = b""
        return [line.decode("utf-8", "replace") for line in lines]


@implementer(IReadDescriptor)
class EndOfPipe:
    """Tells when the other end of a pipe is closed."""

    def __init__(self, descriptor: int, closed: Callable[[], object]) -> None:
        self._descriptor = descriptor
        self._closed = closed

    def fileno(self) -> int:
        """The reactor asks what to watch."""
        return self._descriptor

    def logPrefix(self) -> str:
        """The reactor asks for a name."""
        return "supervisor"

    def doRead(self) -> Any:
        """There is something: data, which is ignored, or the end."""
        try:
            if os.read(self._descriptor, 4096):
                return None
        except BlockingIOError:
            return None
        except OSError:
            pass
        return CONNECTION_DONE

    def connectionLost(self, reason: Failure) -> None:
        """The end was read."""
        self._closed()
