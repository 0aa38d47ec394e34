"""The content codings a response can be compressed with: gzip; br and zstd with their extras.

Each codec compresses a whole body at once, or piece by piece; a piece that is not the last ends so
that the client can decode all of it.
"""

from __future__ import annotations

import functools
import importlib
import zlib
from collections.abc import Callable
from typing import Any, Protocol

_GZIP_WINDOW = 31  # zlib's largest window, and the header and trailer of the gzip format


class Codec(Protocol):
    """One response being compressed."""

    def piece(self, chunk: bytes, finishing: bool) -> bytes:
        """Return *chunk* compressed, such that the client can decode up to its end."""


class GzipCodec:
    """The ``gzip`` coding; *level* is zlib's, 0 to 9."""

    def __init__(self, level: int) -> None:
        self._compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP_WINDOW)

    def piece(self, chunk: bytes, finishing: bool) -> bytes:
        """Return *chunk* compressed; the end of the stream is added when *finishing*."""
        flush = zlib.Z_FINISH if finishing else zlib.Z_SYNC_FLUSH
        return self._compressor.compress(chunk) + self._compressor.flush(flush)


class BrotliCodec:
    """The ``br`` coding (RFC 7932), with the extra ``cyclone-web[brotli]``."""

    def __init__(self, brotli: Any, quality: int) -> None:
        self._compressor = brotli.Compressor(quality=quality)

    def piece(self, chunk: bytes, finishing: bool) -> bytes:
        """Return *chunk* compressed; the end of the stream is added when *finishing*."""
        head: bytes = self._compressor.process(chunk)
        tail: bytes = self._compressor.finish() if finishing else self._compressor.flush()
        return head + tail


class ZstdCodec:
    """The ``zstd`` coding (RFC 8878), with the extra ``cyclone-web[zstd]``."""

    def __init__(self, zstd: Any, level: int) -> None:
        self._compressor = zstd.ZstdCompressor(level=level)

    def piece(self, chunk: bytes, finishing: bool) -> bytes:
        """Return *chunk* compressed; the end of the stream is added when *finishing*."""
        compressor = self._compressor
        mode = compressor.FLUSH_FRAME if finishing else compressor.FLUSH_BLOCK
        piece: bytes = compressor.compress(chunk, mode)
        return piece


@functools.cache
def available_codecs() -> dict[str, Callable[[int], Codec]]:
    """Return the codings that are installed, the one we like best first, each with its maker.

    A maker takes gzip's level, 0 to 9; the others scale it to their own range.
    """
    codecs: dict[str, Callable[[int], Codec]] = {}
    brotli = _installed("brotli")
    # The standard library has it from Python 3.14 on.
    zstd = _installed("compression.zstd") or _installed("backports.zstd")
    if brotli is not None:
        # Quality 4 costs about what gzip's level 6 does, and compresses better.
        codecs["br"] = lambda level: BrotliCodec(brotli, max(0, level - 2))
    if zstd is not None:
        codecs["zstd"] = lambda level: ZstdCodec(zstd, max(1, level - 3))
    codecs["gzip"] = GzipCodec
    return codecs


def _installed(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ImportError:
        return None
