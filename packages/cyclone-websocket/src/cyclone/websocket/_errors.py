"""What can go wrong with a WebSocket, on either side."""

from __future__ import annotations


class WebSocketError(Exception):
    """The base of this package's exceptions; the client's handshake fails with it."""


class WebSocketClosedError(WebSocketError):
    """Something was sent through a WebSocket that is closed or closing."""


class ParseError(Exception):
    """The peer broke the protocol: the connection must be failed with ``code``.

    ``reason`` goes into the close frame; it never quotes the peer's bytes.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason


class HandshakeError(Exception):
    """An opening handshake that cannot be accepted: the answer's status and its reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.status = status
        self.reason = reason
