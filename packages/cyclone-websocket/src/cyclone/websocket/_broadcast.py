"""One message to many connections: encoded once, the same bytes sent to all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from cyclone import escape

from ._connection import WebSocketConnection
from ._errors import WebSocketClosedError
from ._output import encode_message

if TYPE_CHECKING:
    from ._handler import WebSocketHandler


def broadcast(
    clients: Iterable[WebSocketHandler],
    message: str | bytes | dict[str, Any],
    binary: bool = False,
) -> int:
    """Send a message to many handlers' clients; returns how many it went to.

    Those that are closed are passed over. Nobody waits for a slow reader: what it has not taken
    is kept for it, the same bytes for all, and past ``max_buffer_size`` it is cut off. Connections
    with compression get a frame of their own. TypeError and ValueError as for
    `WebSocketHandler.write_message`.
    """
    if isinstance(message, dict):
        message = escape.json_encode(message)
    frame = encode_message(message, binary)
    sent = 0
    for client in list(clients):
        connection: WebSocketConnection | None = client.ws_connection
        if connection is None:
            continue
        try:
            if connection.shares_frames():
                connection.write_frame(frame)
            else:
                connection.write_message(message, binary)
        except WebSocketClosedError:
            continue
        sent += 1
    return sent
