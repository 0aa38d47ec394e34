"""Handing a connection's transport to another protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._readers import read_alone

if TYPE_CHECKING:
    from ._output import OutputSide


def hand_over(connection: OutputSide, transport: Any, protocol: Any) -> None:
    """Connect ``protocol`` to the transport, with the bytes that were read already.

    Without a protocol the caller sets one before the reactor's next turn.
    """
    read_alone(transport)
    if protocol is not None:
        setattr(transport, _attribute(transport), protocol)
        protocol.makeConnection(transport)
        _deliver(connection, protocol)
    else:
        connection.server.reactor.callLater(0, _later, connection)
    connection._resume_reading()


def new_protocol(connection: OutputSide) -> Any:
    """The protocol that has the transport now, or None if there is none yet."""
    transport = connection.transport
    protocol = getattr(transport, _attribute(transport), None)
    return None if protocol is connection else protocol


def _attribute(transport: Any) -> str:
    return "wrappedProtocol" if hasattr(transport, "wrappedProtocol") else "protocol"


def _later(connection: OutputSide) -> None:
    protocol = new_protocol(connection)
    if protocol is not None:
        _deliver(connection, protocol)


def _deliver(connection: OutputSide, protocol: Any) -> None:
    data, connection._tail = connection._tail, b""
    if data:
        protocol.dataReceived(data)
