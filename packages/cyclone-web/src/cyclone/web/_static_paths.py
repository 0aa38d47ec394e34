"""From the path of a URL to a file that may be served: containment, links, kinds of files.

No function here opens a file. All refusals are ``HTTPError``: 403 for what lies outside or is no
regular file, 404 for what is not there. A path that leaves the root gives 403 whether its target
exists or not.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from typing import NamedTuple

from ._errors import HTTPError

# Names that Windows takes for devices in every directory, whatever their extension.
_DEVICES = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|(?:com|lpt)[0-9\u00b9\u00b2\u00b3])(?:[ .:].*)?",
    re.IGNORECASE | re.DOTALL,
).fullmatch


class Stamp(NamedTuple):
    """What tells one state of a file from all others, as long as nobody turns the clock back.

    The time of change cannot be set by a program, so a file put in another's place shows.
    """

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int

    @classmethod
    def of(cls, result: os.stat_result) -> Stamp:
        """Return the stamp of a file from its stat result."""
        return cls(
            result.st_dev, result.st_ino, result.st_size, result.st_mtime_ns, result.st_ctime_ns
        )


def absolute_path(root: str, path: str) -> str:
    """Return where *path* leads from *root*, without looking at the file system (links stay).

    HTTPError 403 if that is outside of *root*, 404 for a name that no file can have.
    """
    if "\0" in path or (os.name == "nt" and windows_special(path)):
        raise HTTPError(404)
    found = os.path.abspath(os.path.join(root, path))
    check_in_root(root, found, path)
    return found


def check_in_root(root: str, found: str, shown: str) -> str:
    """Check that *found* (absolute, as written) is *root* or below it; return *root* with a slash.

    HTTPError 403 if it is not, for which *shown* goes to the log.
    """
    root = os.path.abspath(root)
    if not root.endswith(os.path.sep):
        root += os.path.sep  # without it /static_secret would be below /static
    if not (found + os.path.sep).startswith(root):
        raise HTTPError(403, "%s is not in root static directory", shown)
    if os.name == "nt" and ":" in found[len(root) :]:
        raise HTTPError(403, "%s is not a file", shown)  # an alternate data stream
    return root


def resolve_links(found: str, allowed: Iterable[str], shown: str) -> str:
    """Return *found* with all its links followed, which must end below one of *allowed*.

    HTTPError 403 if it does not; the message is that of :func:`check_in_root`, so that nobody
    learns which way a path led outside.
    """
    resolved = os.path.realpath(found)
    for directory in allowed:
        directory = os.path.realpath(directory)
        if not directory.endswith(os.path.sep):
            directory += os.path.sep
        if (resolved + os.path.sep).startswith(directory):
            return resolved
    raise HTTPError(403, "%s is not in root static directory", shown)


def stat_regular_file(path: str, shown: str) -> os.stat_result:
    """Return the stat result of a regular file.

    HTTPError 404 if there is nothing, 403 for a directory, a device, a FIFO or a socket: some of
    those never end, and opening one may wait for ever.
    """
    try:
        result = os.stat(path)
    except (OSError, ValueError):
        raise HTTPError(404) from None
    if not stat.S_ISREG(result.st_mode):
        raise HTTPError(403, "%s is not a file", shown)
    return result


def has_hidden_part(path: str) -> bool:
    """Tell whether a part of the URL path *path* begins with a dot, as ``.git/config`` does."""
    return any(part.startswith(".") and part not in (".", "..") for part in path.split("/"))


def windows_special(path: str) -> bool:
    """Tell whether Windows would see something else than a file below the root in *path*.

    Drives, UNC and device paths, device names in any directory, alternate data streams.
    """
    path = path.replace("\\", "/")
    if path.startswith("//") or ":" in path:
        return True
    return any(_DEVICES(part.strip(" ")) for part in path.split("/"))
