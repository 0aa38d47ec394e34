"""Inflating request bodies, a step at a time and never without a bound."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

from ._errors import RequestError

STEP: Final = 65536
_MAX_MEMBERS: Final = 100
_GZIP: Final = 16 + zlib.MAX_WBITS


class GzipInflater:
    """Turns gzip bytes into what they stand for.

    Output comes in steps of at most 64 KiB, so that the receiver can count and stop before a bomb
    goes off. `RequestError` for anything that is not one to a hundred whole gzip members.
    """

    __slots__ = ("_inflater", "_members")

    def __init__(self) -> None:
        self._inflater = zlib.decompressobj(_GZIP)
        self._members = 1

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The pieces that ``data`` adds."""
        while data:
            if self._inflater.eof:
                self._members += 1
                if self._members > _MAX_MEMBERS:
                    raise RequestError(400, "too many gzip members")
                self._inflater = zlib.decompressobj(_GZIP)
            try:
                piece = self._inflater.decompress(data, STEP)
            except zlib.error:
                raise RequestError(400, "malformed gzip body") from None
            data = (
                self._inflater.unused_data
                if self._inflater.eof
                else (self._inflater.unconsumed_tail)
            )
            if piece:
                yield piece
            elif not data:
                return

    def finish(self) -> None:
        """The body is complete. `RequestError` if the last member is not."""
        if not self._inflater.eof:
            raise RequestError(400, "truncated gzip body")
