"""Frames as they go on the wire (RFC 6455 section 5): how they are written, what a close says."""

from __future__ import annotations

import os
import struct
from typing import Final, NamedTuple

from ._errors import ParseError

try:
    from websockets.speedups import apply_mask as apply_mask
except ImportError:  # a platform without the compiled half
    from websockets.utils import apply_mask as apply_mask

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA

#: The first byte of a frame that is a message by itself, by opcode; RSV1 marks a compressed one.
FIN: Final = 0x80
RSV1: Final = 0x40

#: A control frame's payload has at most so many bytes (section 5.5).
MAX_CONTROL: Final = 125

NORMAL_CLOSURE: Final = 1000
GOING_AWAY: Final = 1001
PROTOCOL_ERROR: Final = 1002
ABNORMAL_CLOSURE: Final = 1006
INVALID_DATA: Final = 1007
POLICY_VIOLATION: Final = 1008
MESSAGE_TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
TRY_AGAIN_LATER: Final = 1013

# Section 7.4 and the registry of IANA: what may stand in a close frame below 3000
_ASSIGNED: Final = frozenset((*range(1000, 1004), *range(1007, 1015)))
_HEADS: Final = [
    [bytes((first, size)) for size in range(126)] for first in (FIN | TEXT, FIN | BINARY)
]
TEXT_HEADS: Final = _HEADS[0]
BINARY_HEADS: Final = _HEADS[1]
_16_BITS: Final = struct.Struct("!BBH").pack
_64_BITS: Final = struct.Struct("!BBQ").pack


class Control(NamedTuple):
    """A ping or pong that arrived."""

    opcode: int
    data: bytes


class Closed(NamedTuple):
    """A close frame that arrived; ``code`` is None if it had none."""

    code: int | None
    reason: str | None


class Failed(NamedTuple):
    """The peer broke the protocol; the connection must be failed with this code."""

    code: int
    reason: str


Event = str | bytes | Control | Closed | Failed
"""What a `FrameParser` gives: text and binary messages as they are, and the rest."""


def frame_head(first: int, size: int, mask_bit: int = 0) -> bytes:
    """The head of a frame without its masking key; ``first`` holds FIN, RSV1 and the opcode."""
    if size < 126:
        return bytes((first, mask_bit | size))
    if size < 65536:
        return _16_BITS(first, mask_bit | 126, size)
    return _64_BITS(first, mask_bit | 127, size)


def build_frame(first: int, payload: bytes, masked: bool = False) -> bytes:
    """One frame; a client's is masked with a key nobody can foresee (section 10.3)."""
    if masked:
        key = os.urandom(4)
        head = frame_head(first, len(payload), 0x80)
        return b"".join((head, key, apply_mask(payload, key)))
    return frame_head(first, len(payload)) + payload


def is_sendable_code(code: int) -> bool:
    """Whether a close frame may hold ``code``: 1005, 1006 and 1015 never travel."""
    return code in _ASSIGNED or 3000 <= code < 5000


def close_payload(code: int | None, reason: str | None) -> bytes:
    """The payload of a close frame. A reason without a code goes with 1000.

    ValueError for a code that must not be sent, or more than 123 bytes of reason.
    """
    if code is None:
        if not reason:
            return b""
        code = NORMAL_CLOSURE
    if not is_sendable_code(code):
        raise ValueError(f"{code} cannot be sent as the code of a close frame")
    text = (reason or "").encode()
    if len(text) > MAX_CONTROL - 2:
        raise ValueError("The reason of a close frame has at most 123 bytes")
    return code.to_bytes(2, "big") + text


def parse_close(payload: bytes) -> Closed:
    """Read the payload of a close frame (section 5.5.1); `ParseError` if it is malformed."""
    if not payload:
        return Closed(None, None)
    if len(payload) == 1:
        raise ParseError(PROTOCOL_ERROR, "close frame too short")
    code = int.from_bytes(payload[:2], "big")
    if not is_sendable_code(code):
        raise ParseError(PROTOCOL_ERROR, "invalid close code")
    try:
        reason = payload[2:].decode()
    except UnicodeDecodeError:
        raise ParseError(INVALID_DATA, "invalid UTF-8 in close reason") from None
    return Closed(code, reason or None)
