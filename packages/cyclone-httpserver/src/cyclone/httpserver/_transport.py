"""What type checkers may know of Twisted's transports and ports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


class Transport(Protocol):
    """Twisted's transport of a connection over TCP or TLS, for annotations.

    Twisted describes its transports by interfaces of zope, whose methods have no ``self``: checkers
    without a plugin for them take each call for wrong.
    """

    #: Who gets the data that comes in; ``wrappedProtocol`` is the attribute under TLS.
    protocol: Any

    def write(self, data: bytes) -> None:
        """Send ``data``, now or when the client takes it."""

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send all of ``data``."""

    def loseConnection(self) -> None:
        """Close when everything is sent."""

    def abortConnection(self) -> None:
        """Close now."""

    def getPeer(self) -> Any:
        """The client's address: ``IPv4Address``, ``IPv6Address`` or ``UNIXAddress``."""

    def getHost(self) -> Any:
        """The address of this end."""

    def pauseProducing(self) -> None:
        """Read no more for now."""

    def resumeProducing(self) -> None:
        """Read on."""

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Tell ``producer`` when to pause, and when to go on."""

    def unregisterProducer(self) -> None:
        """There is no producer any more."""

    def setTcpNoDelay(self, enabled: bool) -> None:
        """Whether small pieces are sent at once (``TCP_NODELAY``)."""

    def setTcpKeepAlive(self, enabled: bool) -> None:
        """Whether the system looks after a silent client (``SO_KEEPALIVE``)."""


class ListeningPort(Protocol):
    """Twisted's listening port, for annotations: what `HTTPServer.listen` gives."""

    def getHost(self) -> Any:
        """Where it listens: an address with ``host`` and ``port``, or the ``name`` of a socket."""

    def startListening(self) -> None:
        """Listen again."""

    def stopListening(self) -> Any:
        """Listen no more; a Deferred for the end of it, or None."""
