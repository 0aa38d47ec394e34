"""What programs written for Tornado ask the stream of an open WebSocket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._output import OutputSide


class WebSocketStream:
    """``ws_connection.stream``: is the peer still there, and over which socket?"""

    def __init__(self, connection: OutputSide) -> None:
        self._connection = connection

    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self._connection._lost

    def close(self) -> None:
        """Drop the connection without a close frame."""
        self._connection.abort()

    def set_nodelay(self, value: bool) -> None:
        """What the connection's method of that name does."""
        self._connection.set_nodelay(value)

    @property
    def socket(self) -> Any:
        """The socket, or the TLS connection over it; None when the connection is gone."""
        connection = self._connection
        return None if connection._lost else connection.transport.getHandle()
