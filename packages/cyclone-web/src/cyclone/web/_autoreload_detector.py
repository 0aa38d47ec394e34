"""Which files changed, and whether what changed can be run: no reactor, no thread, no clock."""

from __future__ import annotations

import os
import sys
import types
import warnings
from collections.abc import Callable, Iterable, Iterator

#: The most files of a watched folder that are looked at.
MAX_FILES = 10_000

_Look = tuple[int, int, int]


class ChangeDetector:
    """Tells which of some files changed since they were first seen.

    *stat* may be replaced, as in tests. A file that is gone has not changed: editors remove a file
    before they write the new one.
    """

    def __init__(self, stat: Callable[[str], os.stat_result] = os.stat) -> None:
        self._stat = stat
        self._seen: dict[str, _Look] = {}

    def scan(self, paths: Iterable[str]) -> list[str]:
        """Look at all *paths*; return those that look other than the last time."""
        changed = []
        for path in paths:
            try:
                result = self._stat(path)
            except (OSError, ValueError):
                continue
            look = (result.st_mtime_ns, result.st_size, result.st_ino)
            if self._seen.setdefault(path, look) != look:
                self._seen[path] = look
                changed.append(path)
        return changed


def loaded_sources() -> list[str]:
    """Return the files of all modules that are loaded."""
    found = []
    for module in list(sys.modules.values()):
        if isinstance(module, types.ModuleType):
            # Not getattr: a module may make its attributes when they are asked for.
            path = module.__dict__.get("__file__")
            if isinstance(path, str):
                found.append(path[:-1] if path.endswith((".pyc", ".pyo")) else path)
    return found


def files_below(folders: Iterable[str]) -> Iterator[str]:
    """Yield the files in *folders* and the folders in them, but for hidden ones."""
    count = 0
    for folder in list(folders):  # another thread may add one
        for place, names, files in os.walk(folder):
            names[:] = [name for name in names if not name.startswith(".")]
            for file in files:
                if not file.startswith("."):
                    yield os.path.join(place, file)
                    count += 1
                    if count >= MAX_FILES:
                        return


def source_error(path: str) -> str | None:
    """Return what is wrong with the Python source at *path*.

    None if it compiles or is no source.
    """
    if not path.endswith(".py"):
        return None
    try:
        with open(path, "rb") as file:
            source = file.read()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, path, "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"line {error.lineno}: {error.msg}"
    except ValueError as error:
        return str(error)
    except OSError:
        return None
    return None
