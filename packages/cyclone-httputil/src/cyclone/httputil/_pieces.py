"""Bytes that arrive in pieces."""

from collections import deque
from typing import Any, Final

# A piece is small below the first of these; so many small ones become one
_SMALL: Final = 65536
_MANY: Final = 64


class Pieces:
    """Collects bytes as they arrive, at about the cost of their size, however small the pieces are.

    A ``bytes`` object of two bytes takes fifty, and one that was read into a large buffer may hold
    on to a page of it: small pieces that follow each other are joined as soon as they are many,
    which copies each byte once. ``size`` is the number of bytes.
    """

    __slots__ = ("_pieces", "_small", "_small_size", "size")

    #: Bytes in all.
    size: int

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Drop everything."""
        self._pieces: list[bytes] = []
        # How many at the end of them are to be joined, and their bytes
        self._small = self._small_size = 0
        self.size = 0

    def append(self, data: bytes) -> None:
        """Take the next piece."""
        pieces = self._pieces
        pieces.append(data)
        size = len(data)
        self.size += size
        if size >= _SMALL:
            self._small = self._small_size = 0
            return
        self._small += 1
        self._small_size += size
        if self._small == _MANY or (self._small_size >= _SMALL and self._small > 1):
            pieces[-self._small :] = [b"".join(pieces[-self._small :])]
            self._small = self._small_size = 0

    def take(self) -> list[bytes]:
        """All pieces in order; none are left."""
        pieces = self._pieces
        self.clear()
        return pieces

    def joined(self) -> bytes:
        """All bytes, which stay."""
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
            self._small = self._small_size = 0
        return self._pieces[0] if self._pieces else b""


def append_joined(queue: deque[Any], data: bytes | memoryview, most: int) -> None:
    """Append a small piece to a queue of pieces: to the ``bytearray`` at its end, or in a new one.

    None of these gets more than ``most`` bytes, unless one piece has.
    """
    last = queue[-1] if queue else None
    if type(last) is bytearray and len(last) + len(data) <= most:
        last += data
    else:
        queue.append(bytearray(data))
