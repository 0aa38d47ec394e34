"""The body of a request that is collected before the handler runs."""

from __future__ import annotations

import io
from typing import BinaryIO


class Body:
    """Body bytes in memory."""

    __slots__ = ("_pieces", "size")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self.size = 0

    def data_received(self, chunk: bytes) -> None:
        """Keep a piece."""
        self._pieces.append(chunk)
        self.size += len(chunk)

    def complete(self) -> None:
        """The body is in."""

    def close(self) -> None:
        """Nobody will ask for it."""
        self._pieces.clear()

    def read(self) -> bytes:
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0] if self._pieces else b""

    def open(self) -> BinaryIO:
        return io.BytesIO(self.read())
