"""permessage-deflate (RFC 7692): the options of a handler, the negotiation, bounded inflating.

The extension itself is that of ``websockets``; here its limit is made exact: a message of just the
size that is allowed passes, one byte more does not, and never more than that is inflated.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

from websockets.exceptions import (
    InvalidHeader,
    NegotiationError,
    PayloadTooBig,
    ProtocolError,
)
from websockets.extensions.permessage_deflate import (
    ClientPerMessageDeflateFactory,
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension

from ._errors import HandshakeError, ParseError, WebSocketError
from ._frames import FIN, MESSAGE_TOO_BIG, PROTOCOL_ERROR, RSV1

NAME = "permessage-deflate"
_COMPRESSOR = {"compression_level": "level", "mem_level": "memLevel"}
_NEGOTIATED = frozenset(
    (
        "server_no_context_takeover",
        "client_no_context_takeover",
        "server_max_window_bits",
        "client_max_window_bits",
    )
)
_OPCODES = {0: Opcode.CONT, 1: Opcode.TEXT, 2: Opcode.BINARY}


class Deflate:
    """The negotiated compression of one connection."""

    __slots__ = ("_extension",)

    def __init__(self, extension: PerMessageDeflate) -> None:
        self._extension = extension

    def compress(self, opcode: int, payload: bytes) -> bytes:
        """Compress a whole message."""
        return bytes(self._extension.encode(Frame(_OPCODES[opcode], payload)).data)

    def decompress(self, first: int, payload: bytes, room: int) -> bytes:
        """Inflate one frame of a message, to ``room`` bytes at most.

        ``first`` is the frame's first byte. `ParseError` with 1009 for more, 1002 for bad data.
        """
        frame = Frame(
            _OPCODES[first & 0x0F], payload, fin=bool(first & FIN), rsv1=bool(first & RSV1)
        )
        try:
            # One byte more than allowed: full up to the limit, zlib may leave input behind and
            # tell nothing of the rest
            data = bytes(self._extension.decode(frame, max_size=room + 1).data)
        except PayloadTooBig:
            raise ParseError(MESSAGE_TOO_BIG, "message too big") from None
        except ProtocolError:
            raise ParseError(PROTOCOL_ERROR, "invalid compressed data") from None
        if len(data) > room:
            raise ParseError(MESSAGE_TOO_BIG, "message too big")
        return data


def split_options(options: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Split compression options into what is negotiated and what zlib is told.

    ValueError for an unknown name.
    """
    negotiated: dict[str, Any] = {}
    compressor: dict[str, Any] = {}
    for name, value in options.items():
        if name in _COMPRESSOR:
            if value is not None:
                compressor[_COMPRESSOR[name]] = value
        elif name in _NEGOTIATED:
            if name.endswith("bits") and value not in (None, True) and not 9 <= value <= 15:
                raise ValueError(f"{name} must be between 9 and 15")
            negotiated[name] = value
        else:
            raise ValueError(f"unknown compression option {name!r}")
    return negotiated, compressor


def accept_offer(offers: Sequence[str], options: Mapping[str, Any]) -> tuple[str, Deflate] | None:
    """Choose from a client's ``Sec-WebSocket-Extensions``: the answer's value and the compression.

    None if no offer is acceptable. `HandshakeError` (400) for a malformed header.
    """
    negotiated, compressor = split_options(options)
    factory = ServerPerMessageDeflateFactory(**negotiated, compress_settings=compressor)
    for header in offers:
        try:
            parsed = parse_extension(header)
        except InvalidHeader:
            raise HandshakeError(400, "Malformed Sec-WebSocket-Extensions") from None
        for name, parameters in parsed:
            if name != NAME:
                continue
            try:
                answer, extension = factory.process_request_params(parameters, [])
            except NegotiationError:
                continue
            except ValueError:  # older versions of websockets try that window
                zlib.compressobj(**compressor)
                continue
            if extension.local_max_window_bits < 9:
                continue  # zlib cannot compress with a window of 256 bytes
            return build_extension([(name, answer)]), Deflate(extension)
    return None


class DeflateOffer:
    """A client's offer of compression."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        negotiated, compressor = split_options(options)
        negotiated.setdefault("client_max_window_bits", True)
        self._factory = ClientPerMessageDeflateFactory(**negotiated, compress_settings=compressor)

    def header(self) -> str:
        """The value of ``Sec-WebSocket-Extensions`` in the request."""
        return build_extension([(self._factory.name, self._factory.get_request_params())])

    def answer(self, values: Sequence[str]) -> Deflate:
        """What the server's ``Sec-WebSocket-Extensions`` makes of the offer.

        `WebSocketError` if it is not an answer to it.
        """
        try:
            chosen = [item for value in values for item in parse_extension(value)]
            if len(chosen) != 1 or chosen[0][0] != NAME:
                raise WebSocketError("The server chose an extension that was not offered")
            extension = self._factory.process_response_params(chosen[0][1], [])
            if extension.local_max_window_bits < 9:
                raise WebSocketError("The server asks for a window that zlib does not have")
            return Deflate(extension)
        except (InvalidHeader, NegotiationError, ValueError) as error:
            raise WebSocketError(f"Compression was not negotiated: {error}") from error
