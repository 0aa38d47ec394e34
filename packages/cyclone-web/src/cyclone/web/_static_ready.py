"""Answers that are ready: small files that did not change since they were sent in the ordinary way.

A request that asks for nothing special (no range, no condition) is answered with the bytes kept
from the last time, after one look at the file (``stat``) to see that it is the same. Only classes
that override none of the hooks, and only files that have been quiet for a second, get here. How
much is kept has a bound; what is kept is thrown away at once when it would be exceeded.
"""

from __future__ import annotations

import os
import time
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from cyclone.httputil import http_date

from ._static_paths import Stamp

if TYPE_CHECKING:
    from ._application import Application
    from ._static import StaticFileHandler

#: The largest file that is kept, and how many bytes and files in all.
MAX_FILE = 64 * 1024
MAX_TOTAL = 16 * 1024 * 1024
MAX_FILES = 2048

# A file changed twice within one tick of the file system's clock would look the same.
_QUIET_NS = 1_000_000_000


class Ready:
    """The answer for one file."""

    __slots__ = (
        "_wire",
        "_wire_of",
        "cache_time",
        "content",
        "fields",
        "folder",
        "folder_changed",
        "path",
        "stamp",
    )

    def __init__(
        self, path: str, stamp: Stamp, fields: list[tuple[str, str]], content: bytes
    ) -> None:
        self.path = path
        self.stamp = stamp
        self.fields = fields
        self.content = content
        #: Seconds for which the answer may be cached, 0 if it does not say.
        self.cache_time = 0
        #: The folder where a neighbour compressed in advance may appear, and its last change.
        self.folder = ""
        self.folder_changed = 0
        self._wire = b""
        self._wire_of: bytes | None = None

    def is_same(self) -> bool:
        """Tell whether the file is still the one that was sent."""
        try:
            found = os.stat(self.path)
        except OSError:
            return False
        return self.stamp == (
            found.st_dev,
            found.st_ino,
            found.st_size,
            found.st_mtime_ns,
            found.st_ctime_ns,
        )

    def has_same_neighbours(self) -> bool:
        """Tell whether no file, compressed in advance, can have come since."""
        return not self.folder or self.folder_changed == folder_change(self.folder)

    def wire(self, application: Application) -> bytes:
        """Return the header fields as bytes; they change once a second, with the date."""
        default = application._default_wire()
        if default is not self._wire_of:
            headers = application._default_headers().copy()
            for name, value in self.fields:
                headers[name] = value
            if self.cache_time:
                headers["Expires"] = http_date(time.time() + self.cache_time)
                headers["Cache-Control"] = f"max-age={self.cache_time}"
            self._wire, self._wire_of = headers.wire(), default
        return self._wire


class _Kept(dict[Hashable, Ready]):
    """The answers by what was asked, and the size of them all."""

    size = 0

    def keep(self, key: Hashable, ready: Ready) -> None:
        old = self.pop(key, None)
        if old is not None:
            self.size -= len(old.content)
        if len(self) >= MAX_FILES or self.size + len(ready.content) > MAX_TOTAL:
            self.forget()
        self[key] = ready
        self.size += len(ready.content)

    def forget(self) -> None:
        self.clear()
        self.size = 0


kept = _Kept()


def folder_change(folder: str) -> int:
    """Return the time of the last change of the names in *folder*; -1 if it is gone."""
    try:
        return os.stat(folder).st_ctime_ns
    except OSError:
        return -1


def serve_ready(handler: StaticFileHandler, path: str) -> bool:
    """Answer the request if its answer is ready; tell whether it was."""
    request = handler.request
    if request.method != "GET":
        return False
    ready = kept.get(_key(handler, path))
    if ready is None or not _asks_for_nothing_special(handler) or not ready.is_same():
        return False
    if ready.folder and request.has_header("Accept-Encoding") and not ready.has_same_neighbours():
        return False
    handler._hand_over_answer(ready.wire(handler.application), ready.content)
    return True


def keep_ready(handler: StaticFileHandler, path: str, found: str) -> None:
    """Keep the answer that *handler* is about to give for the URL path *path*, a whole file.

    *found* is the path of the file with its links.
    """
    result = handler._stat()
    if result.st_size > MAX_FILE or time.time_ns() - result.st_ctime_ns < _QUIET_NS:
        return
    names = ("Accept-Ranges", "X-Content-Type-Options", "Etag", "Last-Modified", "Content-Type")
    headers = handler._headers
    fields = [(name, headers[name]) for name in names if name in headers]
    ready = Ready(found, Stamp.of(result), fields, b"".join(handler._write_buffer))
    if len(ready.content) != result.st_size:
        return
    if _is_versioned(handler):
        ready.cache_time = handler.CACHE_MAX_AGE
    if handler.precompressed and handler.absolute_path is not None:
        ready.folder = os.path.dirname(handler.absolute_path)
        ready.folder_changed = handler._folder_changed
    kept.keep(_key(handler, path), ready)


def _is_versioned(handler: StaticFileHandler) -> bool:
    request = handler.request
    return bool(request.query) and "v" in request.arguments


def _key(handler: StaticFileHandler, path: str) -> Hashable:
    links: Any = handler.allowed_symlink_directory
    return (
        type(handler),
        handler.root,
        path,
        tuple(links) if type(links) is list else links,
        handler.hide_dotfiles,
        handler.precompressed,
        _is_versioned(handler),
    )


def _asks_for_nothing_special(handler: StaticFileHandler) -> bool:
    """Tell whether request and handler are as plain as those that are answered from here."""
    request = handler.request
    has = request.has_header
    return (
        handler._made_headers is None
        and handler._transforms is None
        and handler._new_cookies is None
        and handler._vary_headers is None
        and "cookies" not in request.__dict__
        and handler._status_code == 200
        and not has("Range")
        and not has("If-None-Match")
        and not has("If-Modified-Since")
    )
