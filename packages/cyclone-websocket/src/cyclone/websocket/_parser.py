"""Bytes in, messages out: the receiving half of RFC 6455 section 5, without any I/O.

A complete, unfragmented, uncompressed message takes the short way through `FrameParser._parse`.
All other frames are taken in piece by piece as they arrive: unmasked at once into one growing
buffer, text decoded as far as it has come. So nothing is kept twice, what is over the limit is
refused on its head, and invalid text as soon as it shows.
"""

from __future__ import annotations

from codecs import utf_8_decode
from typing import TYPE_CHECKING

from ._errors import ParseError
from ._frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    FIN,
    INVALID_DATA,
    MAX_CONTROL,
    MESSAGE_TOO_BIG,
    PROTOCOL_ERROR,
    RSV1,
    TEXT,
    Control,
    Event,
    Failed,
    apply_mask,
    parse_close,
)

if TYPE_CHECKING:
    from ._compression import Deflate

_OPCODES = frozenset((0x0, 0x1, 0x2, 0x8, 0x9, 0xA))
# A slice of this size or more is taken as a view: copying it would cost more than the view
_VIEW_SIZE = 4096
_SCRAPS = 256


class _Text:
    """Collects text: like io.StringIO, which takes four bytes for each character and more."""

    __slots__ = ("_chunks", "_scraps")

    def __init__(self) -> None:
        self._chunks: list[str] = []
        self._scraps: list[str] = []

    def write(self, text: str) -> None:
        """Add ``text``. Many scraps become one chunk, for each takes far more than itself."""
        scraps = self._scraps
        scraps.append(text)
        if len(text) >= _SCRAPS or len(scraps) >= _SCRAPS:
            self._chunks.append("".join(scraps))
            scraps.clear()

    def getvalue(self) -> str:
        """All of it."""
        return "".join(self._chunks + self._scraps)


class FrameParser:
    """Turns the bytes of a peer into events, one call for each piece that arrives.

    ``masked``: whether the peer has to mask its frames (clients do). ``max_size``: the most bytes
    a message may have, decompressed. ``deflate``: the negotiated compression, or None. After a
    close frame, or after the peer broke the protocol, everything else is thrown away.
    """

    __slots__ = (
        "_deflate",
        "_first",
        "_key",
        "_key_offset",
        "_kind",
        "_mask_bit",
        "_max_size",
        "_message",
        "_missing",
        "_packed",
        "_payload",
        "_size",
        "_tail",
        "_text",
        "_utf8_tail",
        "done",
    )

    def __init__(self, *, masked: bool, max_size: int, deflate: Deflate | None = None) -> None:
        self._mask_bit = 0x80 if masked else 0
        self._max_size = max_size
        self._deflate = deflate
        #: Whether nothing more will be read.
        self.done = False
        # The beginning of a frame's head
        self._tail = b""
        # The frame that is coming in: its first byte, masking key, and what is missing
        self._first = 0
        self._key = b""
        self._key_offset = 0
        self._missing = 0
        self._payload: bytearray | None = None
        # The message its frames belong to: opcode (0 if there is none), whether it is compressed
        self._kind = 0
        self._packed = False
        # Its bytes so far; they are kept in one of the two
        self._size = 0
        self._message: bytearray | None = None
        self._text: _Text | None = None
        self._utf8_tail = b""

    def whole(self, data: bytes) -> str | bytes | None:
        """The message, if ``data`` is the one frame of one and nothing else is under way.

        None: it is something else, or wrong; `receive` it. Most reads of most servers are such.
        """
        end = len(data)
        if end < 6 or self._mask_bit != 0x80:
            return None
        # A length in more bytes than it needs fits none of these
        if end < 6 + 126:
            start, fits = 6, data[1] == end + (0x80 - 6)
        elif 8 + 126 <= end < 8 + 65536:
            start, fits = 8, data[1] == 0xFE and data[2:4] == (end - 8).to_bytes(2, "big")
        else:
            start, fits = 14, data[1] == 0xFF and data[2:10] == (end - 14).to_bytes(8, "big")
            fits = fits and end >= 14 + 65536
        if (
            not fits
            or end - start > self._max_size
            or self._missing
            or self._kind
            or self._tail
            or self.done
        ):
            return None
        first = data[0]
        if first != 0x81 and first != 0x82:
            return None
        payload = apply_mask(
            data[start:] if end < _VIEW_SIZE else memoryview(data)[start:], data[start - 4 : start]
        )
        if first == 0x82:
            return payload
        try:
            return str(payload, "utf-8")
        except UnicodeDecodeError:
            return None

    def receive(self, data: bytes) -> list[Event]:
        """Take in ``data``; returns what has become complete, in order."""
        events: list[Event] = []
        if self.done:
            return events
        try:
            start = 0
            if self._missing:
                start = self._take(data, 0, events)
            elif self._tail:
                data, self._tail = self._tail + data, b""
            # What follows a close is nothing, also where the close came in two pieces
            if not self._missing and not self.done:
                self._parse(data, start, events)
        except ParseError as error:
            self._stop()
            events.append(Failed(error.code, error.reason))
        return events

    def _stop(self) -> None:
        self.done = True
        self._missing = 0
        self._tail = self._utf8_tail = b""
        self._payload = self._message = self._text = None

    def _parse(self, data: bytes, pos: int, events: list[Event]) -> None:
        """Take frames out of ``data`` from ``pos`` on; the beginning of a head is kept."""
        end = len(data)
        mask_bit = self._mask_bit
        while end - pos >= 2:
            first = data[pos]
            size = data[pos + 1]
            if size & 0x80 != mask_bit:
                raise ParseError(PROTOCOL_ERROR, "incorrect masking")
            size &= 0x7F
            plain = (first == 0x81 or first == 0x82) and not self._kind
            if not plain:
                self._check(first, size)
            start = pos + 2
            if size > MAX_CONTROL:
                start += 2 if size == 126 else 8
                if start > end:
                    break
                size = _extended(data[pos + 2 : start])
            if not plain:
                if first & 0x08 == 0:
                    self._check_size(first, size)
            elif size > self._max_size:
                raise ParseError(MESSAGE_TOO_BIG, "message too big")
            if mask_bit:
                start += 4
                if start > end:
                    break
            stop = start + size
            if not plain or stop > end:
                self._begin(first, size, data[start - 4 : start])
                pos = self._take(data, start, events)
                if self._missing or self.done:
                    return
                continue
            payload = memoryview(data)[start:stop] if size >= _VIEW_SIZE else data[start:stop]
            if mask_bit:
                payload = apply_mask(payload, data[start - 4 : start])
            if first == 0x81:
                try:
                    events.append(str(payload, "utf-8"))
                except UnicodeDecodeError:
                    raise ParseError(INVALID_DATA, "invalid UTF-8") from None
            else:
                events.append(bytes(payload))
            pos = stop
        if pos < end:
            self._tail = data[pos:]

    # --- heads ------------------------------------------------------------------------------

    def _check(self, first: int, size: int) -> None:
        """Check the first byte of a frame, and the size of a control frame (section 5.2)."""
        opcode = first & 0x0F
        if first & 0x30:
            raise ParseError(PROTOCOL_ERROR, "reserved bits must be 0")
        if opcode not in _OPCODES:
            raise ParseError(PROTOCOL_ERROR, "unknown opcode")
        # RFC 7692 section 6: RSV1 is on the first frame of a compressed message and nowhere else
        if first & RSV1 and (self._deflate is None or opcode not in (TEXT, BINARY)):
            raise ParseError(PROTOCOL_ERROR, "reserved bits must be 0")
        if opcode >= CLOSE:
            if size > MAX_CONTROL:
                raise ParseError(PROTOCOL_ERROR, "control frame too long")
            if not first & FIN:
                raise ParseError(PROTOCOL_ERROR, "fragmented control frame")
        elif opcode == CONTINUATION:
            if not self._kind:
                raise ParseError(PROTOCOL_ERROR, "continuation of nothing")
        elif self._kind:
            raise ParseError(PROTOCOL_ERROR, "expected a continuation")

    def _check_size(self, first: int, size: int) -> None:
        """Refuse what cannot fit before any of it is kept."""
        limit = self._max_size
        if (first & RSV1) if first & 0x0F else self._packed:
            # Data that cannot be compressed grows a little; what comes out is measured for itself
            limit += (limit >> 3) + 64
        elif not first & 0x0F:
            size += self._size
        if size > limit:
            raise ParseError(MESSAGE_TOO_BIG, "message too big")

    # --- payloads in pieces -----------------------------------------------------------------

    def _begin(self, first: int, size: int, key: bytes) -> None:
        opcode = first & 0x0F
        self._first = first
        self._key = key if self._mask_bit else b""
        self._key_offset = 0
        self._missing = size
        if opcode in (TEXT, BINARY):
            self._kind = opcode
            self._packed = bool(first & RSV1)
            self._size = 0
            if opcode == TEXT:
                self._text = _Text()
            else:
                self._message = bytearray()
        if opcode >= CLOSE or self._packed:
            self._payload = bytearray()

    def _take(self, data: bytes, start: int, events: list[Event]) -> int:
        """Add what is there to the current frame; returns where it ends in ``data``."""
        stop = start + self._missing
        piece: bytes | memoryview = data
        if start or stop < len(data):
            piece = memoryview(data)[start:stop]
        size = len(piece)
        self._missing -= size
        if self._key:
            offset = self._key_offset & 3
            key = self._key[offset:] + self._key[:offset] if offset else self._key
            self._key_offset += size
            piece = apply_mask(piece, key)
        if self._payload is not None:
            self._payload += piece
        else:
            self._add(piece)
        if not self._missing:
            self._end_frame(events)
        return stop

    def _add(self, piece: bytes | memoryview) -> None:
        """Add to the message. Text is decoded: the end of a piece may cut a character in two."""
        self._size += len(piece)
        if self._message is not None:
            self._message += piece
        elif self._text is not None:
            if self._utf8_tail:
                piece = self._utf8_tail + piece
            try:
                text, used = utf_8_decode(piece, "strict", False)
            except UnicodeDecodeError:
                raise ParseError(INVALID_DATA, "invalid UTF-8") from None
            self._utf8_tail = bytes(piece[used:])
            self._text.write(text)

    def _end_frame(self, events: list[Event]) -> None:
        first, payload = self._first, self._payload
        opcode = first & 0x0F
        self._payload = None
        self._key = b""
        if opcode >= CLOSE:
            data = bytes(payload or b"")
            if opcode == CLOSE:
                events.append(parse_close(data))
                self._stop()
            else:
                events.append(Control(opcode, data))
            return
        if self._packed and self._deflate is not None:
            room = self._max_size - self._size
            self._add(self._deflate.decompress(first, bytes(payload or b""), room))
        if first & FIN:
            self._end_message(events)

    def _end_message(self, events: list[Event]) -> None:
        message, text = self._message, self._text
        self._kind = 0
        self._message = self._text = None
        self._packed = False
        if message is not None:
            events.append(bytes(message))
        elif text is not None:
            if self._utf8_tail:
                raise ParseError(INVALID_DATA, "invalid UTF-8")
            events.append(text.getvalue())


def _extended(field: bytes) -> int:
    """An extended payload length (section 5.2): in as few bytes as can be, and 63 bits at most."""
    size = int.from_bytes(field, "big")
    if len(field) == 2:
        if size < 126:
            raise ParseError(PROTOCOL_ERROR, "length is not minimal")
    elif size < 65536:
        raise ParseError(PROTOCOL_ERROR, "length is not minimal")
    elif size >> 63:
        raise ParseError(PROTOCOL_ERROR, "length is negative")
    return size
