"""Undoing ``Content-Encoding`` in bounded steps, so that a bomb is noticed while it goes off.

A decoder is fed what came and gives pieces of at most 64 KiB, one at a time and only as they are
asked for; whoever asks counts them (CL-08). What is cut short or damaged raises `DecodingError`.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Protocol

STEP = 64 * 1024
MAX_CODINGS = 2
#: So many frames of zstd may follow each other that hold nothing: each costs a new decompressor.
MAX_EMPTY_FRAMES = 100


class DecodingError(Exception):
    """The body is not what its Content-Encoding says, or ends too early."""


class Decoder(Protocol):
    """One content coding being undone."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The pieces that ``data`` completes."""
        ...

    def finish(self) -> None:
        """The input is over: raise `DecodingError` if something is missing."""
        ...


class ZlibDecoder:
    """``gzip`` (also of several members, RFC 1952) and ``deflate``."""

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._object = zlib.decompressobj(wbits)
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Inflate, 64 KiB at a time."""
        while data:
            if self._object.eof:
                if self._wbits < 16 + zlib.MAX_WBITS:
                    raise DecodingError("bytes follow the compressed body")
                self._object = zlib.decompressobj(self._wbits)
            self._fed = True
            try:
                piece = self._object.decompress(data, STEP)
            except zlib.error as error:
                raise DecodingError("the compressed body is damaged") from error
            data = self._object.unconsumed_tail or self._object.unused_data
            if piece:
                yield piece
            elif not self._object.eof and len(data) == 0:
                return
        yield from self._rest()

    def _rest(self) -> Iterator[bytes]:
        """What zlib still holds when it consumed all input but stopped at the step's size."""
        while not self._object.eof:
            try:
                piece = self._object.decompress(b"", STEP)
            except zlib.error as error:
                raise DecodingError("the compressed body is damaged") from error
            if not piece:
                return
            yield piece

    def finish(self) -> None:
        """Nothing may be missing; no body at all is fine."""
        if self._fed and not self._object.eof:
            raise DecodingError("the compressed body is cut short")


class DeflateDecoder:
    """``deflate``: zlib's format as RFC 9110 says, or the bare one that some servers send."""

    def __init__(self) -> None:
        self._inner: ZlibDecoder | None = None

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Choose by the first byte: a zlib header has compression method 8."""
        if self._inner is None and data:
            is_zlib = data[0] & 0x0F == 8
            self._inner = ZlibDecoder(zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)
        if self._inner is not None:
            yield from self._inner.feed(data)

    def finish(self) -> None:
        """As for gzip."""
        if self._inner is not None:
            self._inner.finish()


class BrotliDecoder:
    """``br`` (RFC 7932), with the package ``brotli``."""

    def __init__(self) -> None:
        import brotli  # type: ignore[import-untyped]

        self._error: type[Exception] = brotli.error
        self._object = brotli.Decompressor()
        self._fed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode; the library stops at the step's size and goes on when asked."""
        if data and self._object.is_finished():
            raise DecodingError("bytes follow the compressed body")
        self._fed = self._fed or bool(data)
        while True:
            try:
                piece: bytes = self._object.process(data, output_buffer_limit=STEP)
            except self._error as error:
                raise DecodingError("the compressed body is damaged") from error
            data = b""
            if piece:
                yield piece
            # can_accept_more_data() may be true while there is output to fetch: ask until empty.
            if self._object.is_finished() or not piece:
                return

    def finish(self) -> None:
        """The stream must have said that it is over."""
        if self._fed and not self._object.is_finished():
            raise DecodingError("the compressed body is cut short")


class ZstdDecoder:
    """``zstd`` (RFC 8878) with a window of at most 8 MiB (RFC 9659)."""

    def __init__(self) -> None:
        self._zstd = _zstd_module()
        self._fed = False
        self._empty = 0
        self._new()

    def _new(self) -> None:
        parameter = self._zstd.DecompressionParameter.window_log_max
        self._object = self._zstd.ZstdDecompressor(options={parameter: 23})

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode frame after frame."""
        while data or not (self._object.needs_input or self._object.eof):
            if self._object.eof:
                self._empty += 1
                if self._empty > MAX_EMPTY_FRAMES:
                    raise DecodingError("the compressed body has too many empty frames")
                self._new()
            self._fed = True
            try:
                piece: bytes = self._object.decompress(data, STEP)
            except self._zstd.ZstdError as error:
                raise DecodingError("the compressed body is damaged") from error
            data = self._object.unused_data if self._object.eof else b""
            if piece:
                self._empty = 0
                yield piece

    def finish(self) -> None:
        """The last frame must be whole."""
        if self._fed and not self._object.eof:
            raise DecodingError("the compressed body is cut short")


class Chain:
    """Several codings, undone from the last applied to the first."""

    def __init__(self, outer: Decoder, inner: Decoder) -> None:
        self._outer = outer
        self._inner = inner

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Pass the pieces of one on to the other."""
        for piece in self._outer.feed(data):
            yield from self._inner.feed(piece)

    def finish(self) -> None:
        """Both must be over."""
        self._outer.finish()
        self._inner.finish()


def _zstd_module() -> ModuleType:
    """The standard library's module (3.14), or its backport: two of the same shape."""
    try:
        return import_module("compression.zstd")
    except ImportError:
        return import_module("backports.zstd")


@cache
def accept_encoding() -> str:
    """The codings that can be undone here: gzip always, br and zstd with their extras."""
    names = ["gzip"]
    try:
        import brotli
    except ImportError:
        pass
    else:
        if hasattr(brotli.Decompressor, "can_accept_more_data"):
            names.append("br")
    try:
        _zstd_module()
    except ImportError:
        pass
    else:
        names.append("zstd")
    return ", ".join(names)


def _decoder(name: str) -> Decoder | None:
    if name in ("gzip", "x-gzip"):
        return ZlibDecoder(16 + zlib.MAX_WBITS)
    if name == "deflate":
        return DeflateDecoder()
    offered = accept_encoding()
    if name == "br" and "br" in offered:
        return BrotliDecoder()
    if name == "zstd" and "zstd" in offered:
        return ZstdDecoder()
    return None


def make_decoder(content_encoding: str) -> Decoder | None:
    """A decoder for the value of the header; ``None`` when there is nothing to undo, or a coding
    is unknown (the body then stays as it came, and so does the header).

    :raises DecodingError: for more than two codings.
    """
    names = [name.strip().lower() for name in content_encoding.split(",")]
    names = [name for name in names if name and name != "identity"]
    if len(names) > MAX_CODINGS:
        raise DecodingError("the body has more than two content codings")
    result: Decoder | None = None
    for name in names:
        decoder = _decoder(name)
        if decoder is None:
            return None
        result = decoder if result is None else Chain(decoder, result)
    return result
