"""StaticFileHandler: files of a folder, with versions, conditional requests and ranges."""

from __future__ import annotations

import datetime
import inspect
import mimetypes
import os
import threading
from collections.abc import Awaitable, Coroutine, Hashable, Iterable, Iterator
from typing import Any, ClassVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.httpserver import StreamClosedError
from cyclone.httputil import RangeNotSatisfiable, if_range_matches, parse_http_date

from ._base import overridable
from ._errors import HTTPError
from ._handler import RequestHandler
from ._log import general_log
from ._redirects import is_protocol_relative
from ._response import add_vary
from ._static_paths import (
    Stamp,
    absolute_path,
    check_in_root,
    has_hidden_part,
    resolve_links,
    stat_regular_file,
)
from ._static_ranges import Part, RangeAnswer, choose_ranges, range_answer
from ._static_ready import MAX_FILE, folder_change, keep_ready, serve_ready
from ._static_send import FileChanged, read_span, send_content, send_parts
from ._static_variants import Variant, choose_variant, find_variants
from ._static_versions import (
    QUICK_SIZE,
    Version,
    hash_content,
    recall,
    remember,
    stamp_of,
    too_large,
)

_A_DAY = datetime.timedelta(days=1)
_MAX_RESOLVED = 10_000

# Where files that were served before really are; only existing files get in, and each entry is
# believed only while the file looks the same.
_resolved: dict[Hashable, Version] = {}


# What an answer is made of: a subclass that overrides one of these makes each answer anew.
# fmt: off
_HOOKS = (
    "get", "parse_url_path", "get_absolute_path", "validate_absolute_path", "get_content",
    "get_content_size", "get_content_type", "get_content_version", "get_modified_time",
    "get_cache_time", "get_version", "set_headers", "set_extra_headers", "should_return_304",
    "compute_etag", "set_etag_header", "check_etag_header", "set_header", "set_default_headers",
    "set_status", "write", "flush", "finish", "_hand_over_answer", "_get_cached_version",
)
# fmt: on


class StaticFileHandler(RequestHandler):
    """Serves the files of a folder; the setting ``static_path`` makes routes to it.

    The route needs one group for the path below the folder, and these keywords:

    :arg path: the folder.
    :arg default_filename: the file to serve for a folder, as ``index.html``.
    :arg allowed_symlink_directory: where links may lead, a folder or a list of them; only inside
        *path* if not given.
    :arg hide_dotfiles: answer 404 where a part of the path begins with a dot.
    :arg precompressed: serve ``app.js.br``, ``.zst`` or ``.gz`` in place of ``app.js`` to clients
        that accept it.

    Subclasses may override the methods documented here. To serve what is no file, override
    :meth:`get_absolute_path`, :meth:`validate_absolute_path`, :meth:`get_content`,
    :meth:`get_content_size` and :meth:`get_modified_time`. Those that make URLs are class methods.
    """

    #: Seconds that a request with a version (``?v=``) may be cached: ten years.
    CACHE_MAX_AGE = 86400 * 365 * 10
    #: The largest file, in bytes, whose content is hashed for a version.
    MAX_VERSION_CONTENT_SIZE = 64 * 1024 * 1024
    #: How many versions are remembered; the one not used for longest goes first.
    MAX_CACHED_VERSIONS = 10_000

    _static_hashes: ClassVar[dict[str, Version]] = {}
    _lock: ClassVar[threading.Lock] = threading.Lock()

    # Defaults on the class: subclasses may have an initialize() that does not call ours.
    root: Any
    default_filename: str | None = None
    allowed_symlink_directory: str | list[str] | None = None
    hide_dotfiles: bool = False
    precompressed: bool = True

    path: str
    absolute_path: str | None = None
    modified: datetime.datetime | None = None
    _stat_result: os.stat_result | None = None
    _chosen_variant: Variant | None = None
    _folder_changed: int = 0
    # The file that was hashed in a thread for this request, and its version.
    _hashed_variant: tuple[str, str | None] | None = None
    # Whether answers may be kept: no subclass changes what they are made of.
    _may_be_ready: ClassVar[bool] = True

    @overridable
    def initialize(
        self,
        path: str,
        default_filename: str | None = None,
        allowed_symlink_directory: str | list[str] | None = None,
        hide_dotfiles: bool = False,
        precompressed: bool = True,
    ) -> None:
        """Keep the keywords of the route."""
        self.root = path
        self.default_filename = default_filename
        self.allowed_symlink_directory = allowed_symlink_directory
        self.hide_dotfiles = hide_dotfiles
        self.precompressed = precompressed

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Note whether the subclass overrides anything that goes into an answer."""
        super().__init_subclass__(**kwargs)
        cls._may_be_ready = all(
            inspect.getattr_static(cls, name) is inspect.getattr_static(StaticFileHandler, name)
            for name in _HOOKS
        )

    @classmethod
    def reset(cls) -> None:
        """Forget the versions of all files."""
        with cls._lock:
            cls._static_hashes = {}

    # --- serving --------------------------------------------------------------------------

    @overridable
    def head(self, path: str) -> Awaitable[None]:
        """Answer as :meth:`get` does, without the body."""
        answering: Awaitable[None] = self.get(path, include_body=False)
        return answering

    @overridable
    def get(self, path: str, include_body: bool = True) -> Awaitable[None]:
        """Serve the file at *path*, which comes from the URL."""
        if include_body and self._may_be_ready and serve_ready(self, path):
            return None  # type: ignore[return-value] # only the framework calls, and it knows
        serving = self._serve_path(path, include_body)
        if type(self).get is StaticFileHandler.get:
            return serving
        return self._serve_for_override(serving)

    def _serve_for_override(self, serving: Coroutine[Any, Any, None]) -> Deferred[None]:
        """Serve what an override of :meth:`get` asked for, even if it does not wait for it.

        That of Cyclone 1.3 had served the file when it returned, and raised what went wrong.
        """
        work = self._spawn_beside(serving)
        if work.called:
            if isinstance(failure := getattr(work, "result", None), Failure):
                work.addErrback(lambda _: None)
                failure.raiseException()
            return work
        done: Deferred[None] = Deferred(lambda _: work.cancel())
        self._render_pending = done

        def end(result: Failure | None) -> None:
            self._render_pending = None
            if isinstance(result, Failure):
                # As in render(): whoever waits for it hears first
                done.errback(result)
                done.addErrback(self._answer_late_failure)
                return
            done.callback(None)
            running = self._running_method
            if running is None or (isinstance(running, Deferred) and running.called):
                self._method_done()  # that has ended, without waiting for this

        work.addBoth(end)
        return done

    async def _serve_path(self, url_path: str, include_body: bool) -> None:
        self.path = self.parse_url_path(url_path)
        found = self.get_absolute_path(self.root, self.path)
        self.absolute_path = self.validate_absolute_path(self.root, found)
        if self.absolute_path is None:
            return
        try:
            await self._serve_content(include_body)
            if self._write_buffer and self._may_be_ready and self._is_plain_answer():
                keep_ready(self, url_path, found)
        except FileChanged:
            # Replaced between the look at it and the opening: once more, with the new one.
            self.clear()
            self._chosen_variant = self._stat_result = self._hashed_variant = None
            self.absolute_path = self.validate_absolute_path(self.root, found)
            await self._serve_content(include_body)

    def _is_plain_answer(self) -> bool:
        """Tell whether the answer, not yet sent, is that of any request for this file."""
        return (
            self._status_code == 200
            and not self._headers_written
            and self._transforms is None
            and self.default_filename is None
            and "Vary" not in self._headers
        )

    async def _serve_content(self, include_body: bool) -> None:
        self._choose_variant()
        await self._hash_large_file()
        self.modified = self.get_modified_time()
        self.set_headers()
        if self._chosen_variant is not None:
            self.set_header("Content-Encoding", self._chosen_variant.coding)
        if self.should_return_304():
            self.set_status(304)
            return
        size = self.get_content_size()
        try:
            answer = self._select_ranges(size)
        except RangeNotSatisfiable:
            self.set_status(416)
            self.set_header("Content-Type", "text/plain")
            self.set_header("Content-Range", f"bytes */{size}")
            return
        if answer is None:
            self.set_header("Content-Length", str(size))
            parts, tail = [Part(b"", 0, size)], b""
        else:
            self._set_range_headers(answer)
            parts, tail = answer.parts, answer.tail
        if include_body:
            await self._send_parts(parts, tail, whole=answer is None)
            if type(self).should_return_304 is not StaticFileHandler.should_return_304:
                await self._send_what_is_new()

    async def _send_what_is_new(self) -> None:
        """An override has said that the client's copy is stale: finish() shall not look again."""
        if self._finished:
            return
        try:
            await self.flush()
        except StreamClosedError:
            self._abort_answer()

    async def _send_parts(self, parts: list[Part], tail: bytes, *, whole: bool) -> None:
        if self._serves_files():
            stamp = Stamp.of(self._sent_stat())
            await send_parts(self, self._sent_path(), stamp, parts, tail)
        else:
            await send_content(self, parts, tail, whole=whole)

    def _select_ranges(self, size: int) -> RangeAnswer | None:
        header = self.request.headers.get("Range")
        if not header or self._chosen_variant is not None:
            return None
        condition = self.request.headers.get("If-Range")
        if condition is not None and not if_range_matches(
            condition, self._headers.get("Etag"), _timestamp(self.modified)
        ):
            return None
        ranges = choose_ranges(header, size)
        if ranges is None:
            return None
        content_type = self._headers.get("Content-Type") or "application/octet-stream"
        return range_answer(ranges, size, content_type)

    def _set_range_headers(self, answer: RangeAnswer) -> None:
        self.set_status(206)
        self.set_header("Content-Length", str(answer.size))
        self.set_header("Content-Type", answer.content_type)
        if answer.content_range is not None:
            self.set_header("Content-Range", answer.content_range)

    def _choose_variant(self) -> None:
        """Take a file compressed in advance if there is one that the client accepts."""
        if not self.precompressed or not self._serves_files() or self._stat_result is None:
            return
        assert self.absolute_path is not None
        if self._may_be_ready and self._stat_result.st_size <= MAX_FILE:
            self._folder_changed = folder_change(os.path.dirname(self.absolute_path))
        variants = find_variants(self.absolute_path, self._stat_result)
        if not variants:
            return
        add_vary(self._headers, ["Accept-Encoding"])
        headers = self.request.headers
        # Ranges count in the bytes of the plain file.
        if "Range" not in headers:
            self._chosen_variant = choose_variant(variants, headers.get("Accept-Encoding"))

    async def _hash_large_file(self) -> None:
        """Hash a file that takes long in a thread, so that nobody else has to wait for it."""
        if not self._serves_files():
            return
        result = self._sent_stat()
        if not QUICK_SIZE < result.st_size <= self.MAX_VERSION_CONTENT_SIZE:
            return
        path = self._sent_path()
        if recall(self._static_hashes, path, Stamp.of(result)) is None:
            from twisted.internet.threads import deferToThread

            self._hashed_variant = (path, await deferToThread(self._get_cached_version, path))

    def _serves_files(self) -> bool:
        """Tell whether the content is that of a file: no subclass provides it in another way."""
        cls = type(self)
        return cls._reads_files() and cls.get_content_size is StaticFileHandler.get_content_size

    @classmethod
    def _reads_files(cls) -> bool:
        content: Any = cls.get_content
        ours: Any = StaticFileHandler.get_content
        return bool(content.__func__ is ours.__func__)

    def _sent_path(self) -> str:
        assert self.absolute_path is not None
        return self.absolute_path if self._chosen_variant is None else self._chosen_variant.path

    def _sent_stat(self) -> os.stat_result:
        return self._stat() if self._chosen_variant is None else self._chosen_variant.stat_result

    # --- headers --------------------------------------------------------------------------

    def compute_etag(self) -> str | None:
        """Return the entity tag: the version, so that it is the same for all parts of a file.

        A file too large for a version is told by its size and time.
        """
        path = self._sent_path()
        if self._hashed_variant is not None and self._hashed_variant[0] == path:
            version = self._hashed_variant[1]
        elif self._serves_files():
            stamp = Stamp.of(self._sent_stat())
            if stamp.size > self.MAX_VERSION_CONTENT_SIZE:
                return f'"{stamp.inode:x}-{stamp.size:x}-{stamp.modified_ns:x}"'
            known = recall(self._static_hashes, path, stamp)
            version = known.version if known is not None else self._get_cached_version(path)
        else:
            version = self._get_cached_version(path)
        return f'"{version}"' if version else None

    def set_headers(self) -> None:  # type: ignore[override]
        """Set the headers that describe the file and how it may be cached."""
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_etag_header()
        if self.modified is not None:
            self.set_header("Last-Modified", self.modified)
        content_type = self.get_content_type()
        if content_type:
            self.set_header("Content-Type", content_type)
        cache_time = self.get_cache_time(self.path, self.modified, content_type)
        if cache_time > 0:
            now = datetime.datetime.now(datetime.UTC)
            self.set_header("Expires", now + datetime.timedelta(seconds=cache_time))
            self.set_header("Cache-Control", f"max-age={cache_time}")
        self.set_extra_headers(self.path)

    def set_extra_headers(self, path: str) -> None:
        """Override it to add headers of your own to the response for *path*."""

    def should_return_304(self) -> bool:
        """Tell whether the client's copy is good: ``If-None-Match``, else ``If-Modified-Since``."""
        headers = self.request.headers
        if headers.get("If-None-Match"):
            return self.check_etag_header()
        given = headers.get("If-Modified-Since")
        if given is None or self.modified is None:
            return False
        since = parse_http_date(given)
        if since is None:
            return False
        now = datetime.datetime.now(datetime.UTC)
        if since > (now + _A_DAY).timestamp():
            return False  # no clock is that wrong
        modified = _timestamp(self.modified)
        return modified is not None and since >= modified

    def get_cache_time(self, path: str, modified: datetime.datetime | None, mime_type: str) -> int:
        """Return for how many seconds the response may be cached; 0 says nothing about it.

        By default :attr:`CACHE_MAX_AGE` for a URL with a version (``?v=``).
        """
        request = self.request
        return self.CACHE_MAX_AGE if request.query and "v" in request.arguments else 0

    # --- the file -------------------------------------------------------------------------

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Return where *path* is below *root*, as written: links are followed later.

        HTTPError 403 if it leads outside. May return any text that :meth:`get_content` understands.
        """
        return absolute_path(root, path)

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """Return the path of the file to serve, or None after a redirect.

        HTTPError 404 if there is none, 403 if it must not be served.
        """
        if self.hide_dotfiles and has_hidden_part(self.path):
            raise HTTPError(404)
        links = self.allowed_symlink_directory or root
        allowed = (links,) if isinstance(links, (str, os.PathLike)) else tuple(links)
        key = (root, absolute_path, allowed)
        known = _resolved.get(key)
        if known is not None and self._is_unchanged(absolute_path, known.stamp):
            return known.version
        top = check_in_root(root, absolute_path, self.path)
        if not self.allowed_symlink_directory:
            allowed = (top,)
        # Links are followed only now: what lies outside as written costs no look at the files. The
        # two checks cannot be one, because links may be allowed into a wider folder than the root.
        real = resolve_links(absolute_path, allowed, self.path)
        if self.default_filename is not None and os.path.isdir(real):
            if not self.request.path.endswith("/"):
                self._redirect_to_folder()
                return None
            real = resolve_links(os.path.join(real, self.default_filename), allowed, self.path)
            self._stat_result = stat_regular_file(real, self.path)
            return real
        self._stat_result = stat_regular_file(real, self.path)
        seen = Version(Stamp.of(self._stat_result), real)
        remember(_resolved, key, seen, _MAX_RESOLVED)
        return real

    def _is_unchanged(self, path: str, stamp: Stamp | None) -> bool:
        try:
            result = os.stat(path)
        except OSError:
            return False
        if Stamp.of(result) != stamp:
            return False
        self._stat_result = result
        return True

    def _redirect_to_folder(self) -> None:
        path = self.request.path
        if is_protocol_relative(path):
            raise HTTPError(403, "cannot redirect path with two initial slashes")
        self.redirect(path + "/", permanent=True)

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> bytes | Iterator[bytes]:
        """Return the content at *abspath* from *start* up to and without *end*: bytes, or pieces.

        HTTPError 403 or 404 if that is no regular file.
        """
        result = stat_regular_file(abspath, abspath)
        return read_span(abspath, start or 0, result.st_size if end is None else end)

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        """Return the version of the content at *abspath*: the SHA-512 of it, in hexadecimal.

        ValueError if it is larger than :attr:`MAX_VERSION_CONTENT_SIZE`.
        """
        limit = cls.MAX_VERSION_CONTENT_SIZE
        if cls._reads_files() and stat_regular_file(abspath, abspath).st_size > limit:
            raise too_large(limit)  # without having read the first part of it
        content = cls.get_content(abspath)
        chunks: Iterable[bytes] = [content] if isinstance(content, bytes) else content
        return hash_content(chunks, limit)

    def _stat(self) -> os.stat_result:
        if self._stat_result is None:
            assert self.absolute_path is not None
            self._stat_result = os.stat(self.absolute_path)
        return self._stat_result

    def get_content_size(self) -> int:
        """Return the size of the content in bytes."""
        return self._sent_stat().st_size

    def get_modified_time(self) -> datetime.datetime | None:
        """Return when the content was changed last, to the second, or None if that is not known."""
        return datetime.datetime.fromtimestamp(int(self._stat().st_mtime), datetime.UTC)

    def get_content_type(self) -> str:
        """Return the ``Content-Type`` for the file, by its extension."""
        assert self.absolute_path is not None
        mime_type, encoding = mimetypes.guess_type(self.absolute_path)
        if encoding == "gzip":
            return "application/gzip"  # RFC 6713
        if encoding is not None or mime_type is None:
            return "application/octet-stream"
        return mime_type

    # --- URLs -----------------------------------------------------------------------------

    @classmethod
    def make_static_url(
        cls, settings: dict[str, Any], path: str, include_version: bool = True
    ) -> str:
        """Return the URL of the static file *path*, with its version unless told otherwise."""
        url: str = settings.get("static_url_prefix", "/static/") + path
        version = cls.get_version(settings, path) if include_version else None
        return f"{url}?v={version}" if version else url

    def parse_url_path(self, url_path: str) -> str:
        """Return the path of the file for *url_path*: what :meth:`make_static_url` was given."""
        return url_path if os.path.sep == "/" else url_path.replace("/", os.path.sep)

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        """Return the version of the static file *path*, or None if it cannot be read.

        HTTPError 403 if *path* leads out of the setting ``static_path``.
        """
        return cls._get_cached_version(cls.get_absolute_path(settings["static_path"], path))

    @classmethod
    def _get_cached_version(cls, abs_path: str) -> str | None:
        stamp = stamp_of(abs_path)
        with cls._lock:
            known = recall(cls._static_hashes, abs_path, stamp)
        if known is not None:
            return known.version
        try:
            version: str | None = cls.get_content_version(abs_path)
        except Exception as error:
            general_log.error(
                "Could not open static file {path}: {error}", path=repr(abs_path), error=str(error)
            )
            version = None
        with cls._lock:
            limit = cls.MAX_CACHED_VERSIONS
            remember(cls._static_hashes, abs_path, Version(stamp, version or None), limit)
        return version or None


def _timestamp(moment: datetime.datetime | None) -> float | None:
    """Return seconds since the epoch; a time without a zone is UTC."""
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
