"""Twisted's parts that have no types of their own, with types."""

from __future__ import annotations

from typing import Protocol, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IConsumer, IProducer, IProtocol
from twisted.python.failure import Failure
from twisted.web.iweb import IBodyProducer, IResponse


class StreamTransport(Protocol):
    """What TCP, TLS and UNIX transports have in common."""

    def write(self, data: bytes) -> None:
        """Send."""

    def loseConnection(self) -> None:
        """Close after what is written."""

    def abortConnection(self) -> None:
        """Close now."""

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """Tell a producer when there is room."""

    def unregisterProducer(self) -> None:
        """Stop telling it."""

    def pauseProducing(self) -> None:
        """Stop reading."""

    def resumeProducing(self) -> None:
        """Read on."""

    def getPeer(self) -> IAddress:
        """The other end."""
        ...


def failure_of(error: BaseException) -> Failure:
    """A Failure around an exception."""
    return Failure(error)  # type: ignore[no-untyped-call]


def error_of(failure: Failure) -> Exception:
    """The exception in a Failure."""
    return cast(Exception, failure.value)


def start_producing(producer: IBodyProducer, consumer: IConsumer) -> Deferred[None]:
    """Let a body producer write all it has."""
    done: Deferred[None] = producer.startProducing(consumer)  # type: ignore[no-untyped-call]
    return done


def stop_producing(producer: IBodyProducer) -> None:
    """Tell a body producer that nobody listens any more."""
    producer.stopProducing()  # type: ignore[no-untyped-call]


def deliver_body(response: IResponse, protocol: IProtocol) -> None:
    """Have the body of a response delivered."""
    response.deliverBody(protocol)  # type: ignore[no-untyped-call]


def is_failure_of(failure: Failure, *kinds: type[BaseException]) -> bool:
    """Whether the failure holds one of these exceptions."""
    return isinstance(failure.value, kinds)
