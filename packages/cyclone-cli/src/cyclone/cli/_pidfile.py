"""The file that holds the process id of a running server."""

from __future__ import annotations

import contextlib
import os

from ._errors import StartError


class PidFile:
    """Holds the process id from `write` until `remove`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._pid: int | None = None

    def write(self) -> None:
        """Write it. :raises StartError: if it names another process that lives, or on a failure."""
        if os.path.lexists(self.path) and not os.path.isfile(self.path):
            raise StartError(f"cannot write {self.path}: it is no file")
        other = self._read()
        if other is not None and other != os.getpid() and _lives(other):
            raise StartError(f"{self.path}: process {other} is running already")
        temporary = f"{self.path}.{os.getpid()}"
        try:
            with open(temporary, "w", encoding="ascii") as file:
                file.write(f"{os.getpid()}\n")
            os.replace(temporary, self.path)
        except OSError as error:
            raise StartError(f"cannot write {self.path}: {error.strerror}") from error
        self._pid = os.getpid()

    def remove(self) -> None:
        """Remove it, if it is still this process's."""
        if self._pid == os.getpid() == self._read():
            with contextlib.suppress(OSError):
                os.unlink(self.path)

    def _read(self) -> int | None:
        try:
            with open(self.path, encoding="ascii") as file:
                return int(file.read(32))
        except (OSError, ValueError):
            return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return pid > 0
