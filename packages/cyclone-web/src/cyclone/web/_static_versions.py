"""Versions of files: hashes of their content, remembered as long as the files do not change."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import NamedTuple, TypeVar

from ._static_paths import Stamp

K = TypeVar("K")

#: Files up to this many bytes are hashed at once, larger ones in a thread when a request waits.
QUICK_SIZE = 256 * 1024


class Version(NamedTuple):
    """The *version* that a file had when it looked like *stamp*; None if it could not be read."""

    stamp: Stamp | None
    version: str | None


def stamp_of(path: str) -> Stamp | None:
    """Return the stamp of the file at *path*; None if there is none (or *path* is no path)."""
    try:
        return Stamp.of(os.stat(path))
    except (OSError, ValueError):
        return None


def remember(versions: dict[K, Version], path: K, version: Version, limit: int) -> None:
    """Add *version*; what was not used for longest goes, so that no more than *limit* are kept."""
    versions.pop(path, None)
    while versions and len(versions) >= limit:
        del versions[next(iter(versions))]
    versions[path] = version


def recall(versions: dict[K, Version], path: K, stamp: Stamp | None) -> Version | None:
    """Return what is known of *path* if it still looks the same, and note that it was asked for."""
    known = versions.get(path)
    if known is None or known.stamp != stamp:
        return None
    versions[path] = versions.pop(path)
    return known


def too_large(limit: int) -> ValueError:
    """Return the error for content of more than *limit* bytes."""
    return ValueError(f"content is larger than MAX_VERSION_CONTENT_SIZE ({limit} bytes)")


def hash_content(chunks: Iterable[bytes], limit: int) -> str:
    """Return the SHA-512 of *chunks* in hexadecimal; ValueError beyond *limit* bytes."""
    hasher = hashlib.sha512()
    size = 0
    try:
        for chunk in chunks:
            size += len(chunk)
            if size > limit:
                raise too_large(limit)
            hasher.update(chunk)
    finally:
        close = getattr(chunks, "close", None)
        if close is not None:
            close()
    return hasher.hexdigest()
