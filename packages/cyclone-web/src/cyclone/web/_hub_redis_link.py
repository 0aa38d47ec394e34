"""One connection to Redis that is made again, with growing delays, whenever it is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import txredisapi
from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from ._log import general_log

#: Seconds before the first and between later attempts, at most.
FIRST_DELAY = 0.1
MAX_DELAY = 10.0
#: Seconds after which a silent connection is tried.
PING_INTERVAL = 30.0


class _Linked:
    """What both kinds of connections do for their link; replies are bytes."""

    def __init__(self, link: Link) -> None:
        super().__init__(  # type: ignore[call-arg]
            charset=None, replyTimeout=link.timeout, convertNumbers=False
        )
        self.callLater = link.reactor.callLater
        self._link = link

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone; what waits for a reply fails."""
        self._link.lost()
        super().connectionLost(reason)  # type: ignore[misc]


class CommandProtocol(_Linked, txredisapi.RedisProtocol):  # type: ignore[misc]
    """A connection for commands."""


class SubscriptionProtocol(_Linked, txredisapi.SubscriberProtocol):  # type: ignore[misc]
    """A connection that gets what is published. Of other replies it keeps the last three items."""

    def messageReceived(self, pattern: object, channel: bytes, message: bytes) -> None:
        """Something was published to what we subscribed to."""
        self._link.on_message(message)


class LinkFactory(Factory):
    """Makes the protocols of a link."""

    noisy = False

    def __init__(self, link: Link, protocol: type[Any]) -> None:
        self._link = link
        self._protocol = protocol

    def buildProtocol(self, address: object) -> Any:
        """Twisted: there is a connection."""
        protocol = self._protocol(self._link)
        protocol.factory = self
        return protocol

    def addConnection(self, protocol: Any) -> None:
        """Old versions of txredisapi tell their factory; ours need not know."""

    delConnection = addConnection


class Link:
    """Keeps a connection; ``prepare(protocol)`` logs in, ``on_ready`` tells that it can be used.

    With *on_message* it is one for a subscription.
    """

    def __init__(
        self,
        endpoint: Any,
        reactor: Any,
        timeout: float,
        prepare: Callable[[Any], Deferred[None]],
        on_ready: Callable[[], None],
        on_message: Callable[[bytes], None] | None = None,
    ) -> None:
        self.reactor = reactor
        self.timeout = timeout
        self.on_message: Callable[[bytes], None] = on_message or (lambda _: None)
        #: The connection, while it can be used.
        self.protocol: Any = None
        self._prepare = prepare
        self._on_ready = on_ready
        self._ping: Any = None
        self._complained = False
        factory = LinkFactory(self, SubscriptionProtocol if on_message else CommandProtocol)
        policy = backoffPolicy(FIRST_DELAY, MAX_DELAY, 2.0)
        self._service = ClientService(
            endpoint, factory, policy, clock=reactor, prepareConnection=self._connected
        )

    def start(self) -> None:
        """Connect."""
        self._service.startService()
        self._service.whenConnected(1).addErrback(self._not_connected)

    def stop(self) -> Deferred[None]:
        """Disconnect, for good."""
        self._stop_ping()
        self.protocol = None
        stopped: Deferred[None] = self._service.stopService()
        return stopped

    def _not_connected(self, failure: Failure) -> None:
        if self._service.running:
            self._complain(failure.getErrorMessage())

    def _complain(self, reason: str) -> None:
        """One line for each time Redis goes away."""
        if not self._complained:
            self._complained = True
            general_log.error("Redis cannot be used: {reason}", reason=reason)

    def _connected(self, protocol: Any) -> Deferred[None]:
        def ready(_: object) -> None:
            if self._complained:
                self._complained = False
                general_log.info("Redis can be used again")
            self.protocol = protocol
            self._schedule_ping()
            self._on_ready()

        def failed(failure: Failure) -> Failure:
            self._complain(failure.getErrorMessage())
            protocol.transport.abortConnection()
            return failure

        return self._prepare(protocol).addCallbacks(ready, failed)

    def lost(self) -> None:
        """For the protocol: it lost its connection. The next one is made only after that."""
        if self.protocol is None:
            return
        self.protocol = None
        self._stop_ping()
        if self._service.running:
            self._complain("the connection was lost")

    # --- is it still there? ---------------------------------------------------------------------

    def _schedule_ping(self) -> None:
        self._ping = self.reactor.callLater(PING_INTERVAL, self._send_ping)

    def _stop_ping(self) -> None:
        ping, self._ping = self._ping, None
        if ping is not None and ping.active():
            ping.cancel()

    def _send_ping(self) -> None:
        # Without a reply in time the protocol breaks the connection off by itself.
        self.protocol.execute_command("PING").addErrback(lambda _: None)
        self._schedule_ping()
