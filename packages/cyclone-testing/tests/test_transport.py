"""The transport in memory keeps Twisted's promises."""

from __future__ import annotations

from typing import Any

import pytest
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    ISSLTransport,
    ITCPTransport,
)
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.trial import unittest
from zope.interface import implementer
from zope.interface.verify import verifyObject

from cyclone.testing._pump import Pump
from cyclone.testing._transport import (
    HIGH_WATER,
    MemoryTransport,
    SecureMemoryTransport,
    address,
)


class Recorder(Protocol):
    def __init__(self) -> None:
        self.events: list[Any] = []

    def dataReceived(self, data: bytes) -> None:
        self.events.append(data)

    def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
        self.events.append(reason.type)


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class HalfCloseable(Recorder):
    def readConnectionLost(self) -> None:
        self.events.append("read")

    def writeConnectionLost(self) -> None:
        self.events.append("write")

    def handshakeCompleted(self) -> None:
        self.events.append("handshake")


class Producer:
    def __init__(self) -> None:
        self.events: list[str] = []
        self.on_resume: Any = lambda: None

    def pauseProducing(self) -> None:
        self.events.append("pause")

    def resumeProducing(self) -> None:
        self.events.append("resume")
        self.on_resume()

    def stopProducing(self) -> None:
        self.events.append("stop")


class Wire:
    """A transport, and what the client at its other end saw."""

    def __init__(self, protocol: Any = None, kind: Any = MemoryTransport) -> None:
        self.pump = Pump()
        self.received: list[bytes] = []
        self.closed: list[bool] = []
        self.protocol = protocol or Recorder()
        self.transport = kind(
            self.pump,
            self.received.append,
            self.closed.append,
            host=address("127.0.0.1", 80),
            peer=address("::1", 4000),
        )
        self.transport.connect(self.protocol)
        self.events: list[Any] = self.protocol.events


def test_interfaces() -> None:
    assert verifyObject(ITCPTransport, Wire().transport)
    assert verifyObject(ISSLTransport, Wire(kind=SecureMemoryTransport).transport)


def test_addresses_and_options() -> None:
    transport = Wire().transport
    assert (transport.getHost().host, transport.getPeer().host) == ("127.0.0.1", "::1")
    transport.setTcpNoDelay(True)
    transport.setTcpKeepAlive(True)
    assert (transport.getTcpNoDelay(), transport.getTcpKeepAlive()) == (True, False)
    transport.setTcpNoDelay(False)
    assert transport.getTcpNoDelay() is False


def test_writes_of_one_call_arrive_together_and_after_it() -> None:
    wire = Wire()
    with wire.pump.held():
        wire.transport.write(b"a")
        wire.transport.writeSequence([b"b", b"c"])
        wire.transport.write(b"")
        assert wire.received == []
    assert wire.received == [b"abc"]


def test_only_bytes_can_be_written() -> None:
    with pytest.raises(TypeError, match="must be bytes, not str"):
        Wire().transport.write("text")


def test_closing_sends_everything_first() -> None:
    wire = Wire()
    with wire.pump.held():
        wire.transport.write(b"last")
        wire.transport.loseConnection()
        wire.transport.loseConnection()
        wire.transport.arrive(b"too late")
    assert (wire.received, wire.closed, wire.events) == ([b"last"], [True], [ConnectionDone])
    wire.transport.write(b"more")
    wire.transport.loseConnection()
    wire.transport.abortConnection()
    assert wire.received == [b"last"]


def test_aborting_sends_nothing() -> None:
    wire = Wire()
    with wire.pump.held():
        wire.transport.write(b"lost")
        wire.transport.abortConnection()
    assert (wire.received, wire.closed, wire.events) == ([], [False], [ConnectionAborted])


@pytest.mark.parametrize(("clean", "error"), [(True, ConnectionDone), (False, ConnectionLost)])
def test_the_client_goes(clean: bool, error: type) -> None:
    wire = Wire()
    wire.transport.lose(clean)
    wire.transport.lose(clean)
    wire.transport.arrive(b"data")
    assert (wire.events, wire.closed) == ([error], [clean])


def test_half_closed_by_the_client() -> None:
    wire = Wire(HalfCloseable())
    wire.transport.half_close()
    wire.transport.write(b"answer")
    assert (wire.events, wire.received) == (["read"], [b"answer"])
    plain = Wire()
    plain.transport.half_close()
    plain.transport.half_close()
    assert plain.events == [ConnectionDone]


def test_half_closed_by_the_server() -> None:
    wire = Wire(HalfCloseable())
    with wire.pump.held():
        wire.transport.write(b"last")
        wire.transport.loseWriteConnection()
        wire.transport.write(b"more")
    assert (wire.received, wire.closed, wire.events) == ([b"last"], [True], ["write"])
    wire.transport.arrive(b"still read")
    assert wire.events[-1] == b"still read"


def test_a_paused_transport_keeps_what_arrives() -> None:
    wire = Wire()
    wire.transport.pauseProducing()
    wire.transport.arrive(b"a")
    wire.transport.arrive(b"b")
    assert wire.events == []
    wire.transport.resumeProducing()
    wire.transport.resumeProducing()
    assert wire.events == [b"ab"]
    wire.transport.stopProducing()
    assert wire.closed == [True]


def test_a_push_producer_is_paused_while_the_client_takes_nothing() -> None:
    wire, producer = Wire(), Producer()
    wire.transport.registerProducer(producer, True)
    with pytest.raises(RuntimeError, match="registered already"):
        wire.transport.registerProducer(producer, True)
    wire.transport.set_reading(False)
    wire.transport.write(b"x" * HIGH_WATER)
    assert producer.events == []
    wire.transport.write(b"x")
    wire.transport.write(b"x")
    assert (producer.events, wire.received) == (["pause"], [])
    wire.transport.set_reading(True)
    assert producer.events == ["pause", "resume"]
    assert [len(data) for data in wire.received] == [HIGH_WATER + 2]


def test_a_pull_producer_is_asked_whenever_there_is_room() -> None:
    wire, producer = Wire(), Producer()
    left = [b"one", b"two", b"three"]

    def produce() -> None:
        if left:
            wire.transport.write(left.pop(0))
        else:
            wire.transport.unregisterProducer()

    producer.on_resume = produce
    wire.transport.registerProducer(producer, False)
    wire.transport.loseConnection()
    assert wire.received == [b"one", b"two", b"three"]
    assert wire.closed == [True]


def test_closing_waits_for_the_producer() -> None:
    wire, producer = Wire(), Producer()
    wire.transport.registerProducer(producer, True)
    wire.transport.set_reading(False)
    wire.transport.write(b"x" * (HIGH_WATER + 1))
    wire.transport.loseConnection()
    producer.on_resume = lambda: (wire.transport.write(b"end"), wire.transport.unregisterProducer())
    wire.transport.set_reading(True)
    assert wire.received[-1] == b"end"
    assert wire.closed == [True]


def test_producers_are_stopped_when_the_client_is_gone() -> None:
    wire, producer, late = Wire(), Producer(), Producer()
    wire.transport.registerProducer(producer, True)
    wire.transport.lose()
    wire.transport.registerProducer(late, True)
    assert (producer.events, late.events) == (["stop"], ["stop"])


def test_the_handshake_of_a_secure_one_is_over_at_once() -> None:
    wire = Wire(HalfCloseable(), SecureMemoryTransport)
    assert wire.events == ["handshake"]
    assert wire.transport.getPeerCertificate() is None


class TestFailures(unittest.TestCase):
    """As with the reactor, a protocol that fails loses its connection."""

    def test_data_received(self) -> None:
        class Failing(Recorder):
            def dataReceived(self, data: bytes) -> None:
                raise ZeroDivisionError

        wire = Wire(Failing())
        wire.transport.arrive(b"data")
        assert (wire.events, wire.closed) == ([ZeroDivisionError], [False])
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1  # type: ignore[no-untyped-call]

    def test_connection_lost(self) -> None:
        class Failing(Recorder):
            def connectionLost(self, reason: Failure = None) -> None:  # type: ignore[assignment]
                raise ZeroDivisionError

        wire = Wire(Failing())
        wire.transport.lose()
        assert wire.closed == [True]
        assert len(self.flushLoggedErrors(ZeroDivisionError)) == 1  # type: ignore[no-untyped-call]
