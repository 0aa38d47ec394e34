"""The server's end of a connection in memory: a transport that keeps Twisted's promises."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    ISSLTransport,
    ITCPTransport,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from ._pump import Pump

_log = Logger(namespace="cyclone.testing")

#: A producer is paused when more bytes than this wait.
HIGH_WATER: Final = 65536


def address(host: str, port: int) -> IPv4Address | IPv6Address:
    """The Twisted address of an IP address and port."""
    kind = IPv6Address if ":" in host else IPv4Address
    return kind("TCP", host, port)


@implementer(ITCPTransport)
class MemoryTransport:
    """What the server writes goes to ``receive``, and its closing to ``closed``.

    `arrive`, `half_close` and `lose` are what the client does. With `reading` false the client
    takes nothing, as one that has stalled: what is written waits, and producers are paused.
    """

    def __init__(
        self,
        pump: Pump,
        receive: Callable[[bytes], None],
        closed: Callable[[bool], None],
        *,
        host: IPv4Address | IPv6Address,
        peer: IPv4Address | IPv6Address,
    ) -> None:
        self.protocol: Any = None
        self.connected: bool = True
        self.disconnecting: bool = False
        self._aborting = False
        self.reading: bool = True
        self._pump = pump
        self._receive = receive
        self._closed = closed
        self._host = host
        self._peer = peer
        self._out: list[bytes] = []
        self._size = 0
        self._in: list[bytes] = []
        self._scheduled = False
        self._paused = False
        self._write_closed = False
        self._producer: Any = None
        self._streaming = False
        self._producer_paused = False
        self._nodelay = True

    def connect(self, protocol: Any) -> None:
        """Give the protocol its transport."""
        self.protocol = protocol
        protocol.makeConnection(self)

    # --- the server's side: ITCPTransport, IConsumer ----------------------------------------

    def write(self, data: bytes) -> None:
        """Send bytes."""
        if not isinstance(data, bytes | bytearray | memoryview):
            raise TypeError(f"Data must be bytes, not {type(data).__name__}")
        if not self.connected or self._write_closed or not data:
            return
        self._out.append(bytes(data))
        self._size += len(data)
        if self._streaming and self._size > HIGH_WATER and not self._producer_paused:
            self._producer_paused = True
            self._producer.pauseProducing()
        self._schedule()

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send several pieces."""
        self.write(b"".join(data))

    def loseConnection(self, *args: object) -> None:
        """Close when everything was sent."""
        if self.connected and not self.disconnecting:
            self.disconnecting = True
            self._schedule()

    def abortConnection(self) -> None:
        """Close now; what was not sent is lost."""
        if self.connected:
            self.disconnecting = self._aborting = True
            self._pump.soon(lambda: self._end(ConnectionAborted(), clean=False))

    def loseWriteConnection(self) -> None:
        """Send nothing more, and go on reading."""
        if self.connected and not self._write_closed:
            self._write_closed = True
            self._schedule()

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Ask a producer for data at the client's pace."""
        if self._producer is not None:
            raise RuntimeError(f"{self._producer!r} is registered already")
        if not self.connected:
            producer.stopProducing()
            return
        self._producer, self._streaming, self._producer_paused = producer, streaming, False
        if not streaming:
            producer.resumeProducing()

    def unregisterProducer(self) -> None:
        """The producer is done."""
        self._producer = None
        self._streaming = self._producer_paused = False
        if self.disconnecting or self._write_closed:
            self._schedule()

    def pauseProducing(self) -> None:
        """Read nothing."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Read again."""
        self._paused = False
        if self._in:
            self._pump.soon(self._hand_over)

    def stopProducing(self) -> None:
        """Close."""
        self.loseConnection()

    def getHost(self) -> Any:
        """The server's address."""
        return self._host

    def getPeer(self) -> Any:
        """The client's address."""
        return self._peer

    def getTcpNoDelay(self) -> bool:
        """What was set: there is no Nagle here."""
        return self._nodelay

    def setTcpNoDelay(self, enabled: object) -> None:
        """Only remembered."""
        self._nodelay = bool(enabled)

    def getTcpKeepAlive(self) -> bool:
        """There are no probes here."""
        return False

    def setTcpKeepAlive(self, enabled: object) -> None:
        """Nothing to set."""

    @property
    def pending(self) -> bytes:
        """What was written and the client has not taken yet."""
        return b"".join(self._out)

    @property
    def producer(self) -> Any:
        """What was registered to produce, or None."""
        return self._producer

    @property
    def aborted(self) -> bool:
        """Whether the server cut the connection off."""
        return self._aborting

    @property
    def paused(self) -> bool:
        """Whether the server reads nothing at the moment."""
        return self._paused

    # --- delivery ---------------------------------------------------------------------------

    def _schedule(self) -> None:
        if not self._scheduled and self.reading:
            self._scheduled = True
            self._pump.soon(self._deliver)

    def set_reading(self, reading: bool) -> None:
        """The client stops to take what it is sent, or takes it again."""
        self.reading = reading
        self._schedule()

    def _deliver(self) -> None:
        self._scheduled = False
        if not self.connected or not self.reading or self._aborting:
            return
        if self._out:
            data = b"".join(self._out)
            self._out.clear()
            self._size = 0
            self._receive(data)
        if self._closed_or_more():
            return
        producer = self._producer
        if producer is not None and (self._producer_paused or not self._streaming):
            self._producer_paused = False
            producer.resumeProducing()
        elif self.disconnecting:
            self._end(ConnectionDone(), clean=True)
        elif self._write_closed:
            self._closed(True)
            if IHalfCloseableProtocol.providedBy(self.protocol):
                self.protocol.writeConnectionLost()

    def _closed_or_more(self) -> bool:
        """What the client did with the data may have closed the connection or made an answer."""
        return not self.connected or bool(self._out)

    def arrive(self, data: bytes) -> None:
        """The client sent bytes."""
        if self.connected and data:
            self._in.append(data)
            self._pump.soon(self._hand_over)

    def _hand_over(self) -> None:
        if not self._in or self._paused or not self.connected or self.disconnecting:
            return
        data = b"".join(self._in)
        self._in.clear()
        try:
            self.protocol.dataReceived(data)
        except Exception as error:
            # As the reactor does when a protocol fails
            _log.failure("Unhandled error in dataReceived")
            self._end(error, clean=False)

    def half_close(self) -> None:
        """The client sends nothing more, and still reads."""
        self._pump.soon(self._read_end)

    def _read_end(self) -> None:
        if not self.connected:
            return
        if IHalfCloseableProtocol.providedBy(self.protocol):
            self.protocol.readConnectionLost()
        else:
            self._end(ConnectionDone(), clean=True)

    def lose(self, clean: bool = True) -> None:
        """The client is gone: it closed (``clean``), or its connection broke."""
        error = ConnectionDone() if clean else ConnectionLost()
        self._pump.soon(lambda: self._end(error, clean=clean))

    def _end(self, error: Exception, clean: bool) -> None:
        if not self.connected:
            return
        self.connected = False
        self.disconnecting = True
        self._out.clear()
        self._in.clear()
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.stopProducing()
        try:
            self.protocol.connectionLost(Failure(error))  # type: ignore[no-untyped-call]
        except Exception:
            _log.failure("Unhandled error in connectionLost")
        self._closed(clean)


@implementer(ISSLTransport)
class SecureMemoryTransport(MemoryTransport):
    """The same for ``https``: the server takes it for TLS, though nothing is encrypted."""

    negotiatedProtocol = b"http/1.1"

    def connect(self, protocol: Any) -> None:
        """Give the protocol its transport; the handshake is over at once."""
        super().connect(protocol)
        if IHandshakeListener.providedBy(protocol):
            protocol.handshakeCompleted()

    def getPeerCertificate(self) -> None:
        """The client shows no certificate."""
