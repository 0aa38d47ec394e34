"""Handing a connection's transport to another protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._output import OutputSide


def hand_over(connection: OutputSide, transport: Any, protocol: Any) -> None:
    """Connect ``protocol`` to the transport, with the bytes that were read already.

    Without a protocol the caller sets one before the reactor's next turn.
    """
    attribute = "wrappedProtocol" if hasattr(transport, "wrappedProtocol") else "protocol"
    if protocol is not None:
        setattr(transport, attribute, protocol)
        protocol.makeConnection(transport)
        _deliver(connection, protocol)
    else:
        connection.server.reactor.callLater(0, _later, connection, transport, attribute)
    connection._resume_reading()


def _later(connection: OutputSide, transport: Any, attribute: str) -> None:
    protocol = getattr(transport, attribute, None)
    if protocol is not None and protocol is not connection:
        _deliver(connection, protocol)


def _deliver(connection: OutputSide, protocol: Any) -> None:
    data, connection._tail = connection._tail, b""
    if data:
        protocol.dataReceived(data)
