"""The opening handshake (RFC 6455 section 4): plain functions over header fields."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ._errors import HandshakeError, WebSocketError

if TYPE_CHECKING:
    from cyclone.httputil import HTTPHeaders

VERSION = "13"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_token = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+").fullmatch


def compute_accept_value(key: str | bytes) -> str:
    """The value of ``Sec-WebSocket-Accept`` that answers a ``Sec-WebSocket-Key``."""
    raw = key.encode("latin-1") if isinstance(key, str) else key
    digest = hashlib.sha1(raw + _GUID, usedforsecurity=False).digest()
    return base64.b64encode(digest).decode("ascii")


def new_key() -> str:
    """A random ``Sec-WebSocket-Key``."""
    return base64.b64encode(os.urandom(16)).decode("ascii")


def has_token(values: Iterable[str], token: str) -> bool:
    """Whether a field that is a list of tokens has ``token``, in any case."""
    return any(token == part.strip(" \t").lower() for value in values for part in value.split(","))


def check_upgrade(method: str, version: str, headers: HTTPHeaders) -> None:
    """Check that a request asks for a WebSocket; `HandshakeError` (400) if not."""
    if method != "GET":
        raise HandshakeError(400, "A WebSocket is opened with GET")
    if version != "HTTP/1.1":
        raise HandshakeError(400, "A WebSocket needs HTTP/1.1")
    upgrades = headers.get_list("Upgrade")
    if len(upgrades) != 1 or upgrades[0].strip(" \t").lower() != "websocket":
        raise HandshakeError(400, 'Can "Upgrade" only to "WebSocket".')
    if not has_token(headers.get_list("Connection"), "upgrade"):
        raise HandshakeError(400, '"Connection" must be "Upgrade".')


def check_version(headers: HTTPHeaders) -> None:
    """Check the protocol's version; `HandshakeError` (426) for any but 13."""
    if headers.get_list("Sec-WebSocket-Version") != [VERSION]:
        raise HandshakeError(426, "Only version 13 of the WebSocket protocol is spoken here")


def check_key(headers: HTTPHeaders) -> str:
    """The client's key, 16 bytes in base64; `HandshakeError` (400) for anything else."""
    keys = headers.get_list("Sec-WebSocket-Key")
    if len(keys) != 1:
        raise HandshakeError(400, "Sec-WebSocket-Key is missing or repeated")
    try:
        raw = base64.b64decode(keys[0].encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raw = b""
    if len(raw) != 16:
        raise HandshakeError(400, "Sec-WebSocket-Key is not valid")
    return keys[0]


def offered_subprotocols(headers: HTTPHeaders) -> list[str]:
    """The subprotocols a client offers, in its order.

    `HandshakeError` (400) for a name that is no token, or one that comes twice (section 4.1).
    """
    offered: list[str] = []
    for value in headers.get_list("Sec-WebSocket-Protocol"):
        for part in value.split(","):
            name = part.strip(" \t")
            if not name:
                continue
            if _token(name) is None or name in offered:
                raise HandshakeError(400, "Malformed Sec-WebSocket-Protocol")
            offered.append(name)
    return offered


def check_subprotocols(names: Sequence[str]) -> None:
    """Check what a client is going to offer. ValueError for names that are no tokens."""
    if isinstance(names, str):
        raise TypeError("subprotocols is a list of names, not a string")
    for index, name in enumerate(names):
        if _token(name) is None:
            raise ValueError(f"{name!r} is no name of a subprotocol")
        if name in names[:index]:
            raise ValueError(f"The subprotocol {name!r} is offered twice")


def check_answer(headers: HTTPHeaders, key: str) -> None:
    """Check a server's 101 (section 4.1); `WebSocketError` if it is not one for this request."""
    if not has_token(headers.get_list("Connection"), "upgrade"):
        raise WebSocketError("The server's Connection does not say Upgrade")
    if [value.lower() for value in headers.get_list("Upgrade")] != ["websocket"]:
        raise WebSocketError("The server does not upgrade to a WebSocket")
    if headers.get_list("Sec-WebSocket-Accept") != [compute_accept_value(key)]:
        raise WebSocketError("The server's Sec-WebSocket-Accept is not the right one")


def chosen_subprotocol(headers: HTTPHeaders, offered: Sequence[str]) -> str | None:
    """The subprotocol the server chose; `WebSocketError` if it was not offered."""
    chosen = headers.get_list("Sec-WebSocket-Protocol")
    if not chosen:
        return None
    if len(chosen) > 1 or chosen[0] not in offered:
        raise WebSocketError("The server chose a subprotocol that was not offered")
    return chosen[0]
