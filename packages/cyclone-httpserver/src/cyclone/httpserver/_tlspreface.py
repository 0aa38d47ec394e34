"""TLS behind a proxy that speaks the PROXY protocol: its header comes before the handshake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.protocols.tls import TLSMemoryBIOFactory

from ._tls import context_factory

if TYPE_CHECKING:
    from ._connection import HTTPConnection
    from ._server import HTTPServer

_Protocol: Any = TLSMemoryBIOFactory.protocol


class PrefacedTLS(_Protocol):  # type: ignore[misc]
    """Gives the connection what comes before TLS, if it expects that."""

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes arrived."""
        connection: HTTPConnection = self.wrappedProtocol
        if connection._preface is not None:
            data = connection._read_preface(data)
            if not data:
                return
        super().dataReceived(data)


def tls_factory(server: HTTPServer) -> Any:
    """The factory to listen with: TLS around *server*, as its ``ssl_options`` say."""
    context = context_factory(server.ssl_options)
    factory: Any = TLSMemoryBIOFactory(context, False, server, server.reactor)
    if server.server_options.proxy_protocol:
        factory.protocol = PrefacedTLS
    return factory
