"""What programs written for Tornado ask a connection about its client."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._output import CLOSED, CLOSING, DETACHED

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ._responses import ResponseSide


class ConnectionContext:
    """``request.connection.context``: who is at the other end.

    ``address`` is the socket's own (a tuple whose first two items are host and port; a path for a
    UNIX socket), ``address_family`` the socket's family; ``remote_ip`` and ``protocol`` are those
    of the current request, so with ``xheaders`` what a proxy that is believed says.
    """

    def __init__(self, connection: ResponseSide) -> None:
        request = connection.request
        peer = connection.transport.getPeer()
        host = getattr(peer, "host", None)
        self._orig_remote_ip = connection.peer_ip
        self._orig_protocol = connection.protocol
        self.remote_ip: str = self._orig_remote_ip if request is None else request.remote_ip
        self.protocol: str = self._orig_protocol if request is None else request.protocol
        self.trusted_downstream: Iterable[str] = (
            connection.server.server_options.trusted_downstream or ()
        )
        self.address: Any
        self.address_family: socket.AddressFamily
        if not isinstance(host, str):
            self.address_family = socket.AF_UNIX
            self.address = getattr(peer, "name", None) or ""
        elif ":" in host:
            self.address_family = socket.AF_INET6
            self.address = (host, peer.port, peer.flowInfo, peer.scopeID)
        else:
            self.address_family = socket.AF_INET
            self.address = (host, peer.port)

    def __str__(self) -> str:
        return self.remote_ip


class ConnectionStream:
    """``request.connection.stream``: the questions that Tornado's handlers ask an ``IOStream``.

    Whether the client is still there, a callback for when it is not, the socket, closing it.
    What reads or writes belongs to the transport, which `HTTPConnection.detach` gives.
    """

    def __init__(self, connection: ResponseSide) -> None:
        self._connection = connection

    def closed(self) -> bool:
        """Whether the client is gone, or the connection is about to be closed."""
        connection = self._connection
        if connection._state == DETACHED:
            return not getattr(connection.transport, "connected", True)
        return connection._half_closed or connection._state in (CLOSING, CLOSED)

    def close(self) -> None:
        """Close the connection: what was sent arrives, what is written from here on does not.

        ``on_connection_close`` of the handler follows.
        """
        connection = self._connection
        if connection._state == DETACHED:
            connection.transport.loseConnection()
        else:
            connection._hang_up()

    def writing(self) -> bool:
        """Whether the system has not taken all output yet."""
        return self._connection._outlet is not None or bool(self._connection._out)

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Call ``callback()`` if the client goes away before its request is answered."""
        self._connection.set_close_callback(callback)

    def set_nodelay(self, value: bool) -> None:
        """Send small pieces at once (True), or let the system collect them."""
        with contextlib.suppress(AttributeError, OSError):  # a UNIX socket; one that is closed
            self._connection.transport.setTcpNoDelay(value)

    @property
    def socket(self) -> Any:
        """The socket, or the TLS connection over it; None when the client is gone."""
        return None if self.closed() else self._connection.transport.getHandle()
