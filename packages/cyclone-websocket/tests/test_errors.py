"""The exceptions and how they belong together."""

from __future__ import annotations

from cyclone.websocket import WebSocketClosedError, WebSocketError
from cyclone.websocket._errors import HandshakeError, ParseError


def test_closed_is_a_websocket_error() -> None:
    assert issubclass(WebSocketClosedError, WebSocketError)


def test_what_the_inner_ones_carry() -> None:
    assert (ParseError(1002, "x").code, ParseError(1002, "x").reason) == (1002, "x")
    assert (HandshakeError(400, "x").status, HandshakeError(400, "x").reason) == (400, "x")
