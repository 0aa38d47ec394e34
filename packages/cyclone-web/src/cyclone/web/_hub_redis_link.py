"""One connection to Redis that is made again, with growing delays, whenever it is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import txredisapi
from twisted.application.internet import backoffPolicy
from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from ._hub_redis_replies import BadReply, ReplyReader
from ._log import general_log

#: Seconds before the first and between later attempts, at most.
FIRST_DELAY = 0.1
MAX_DELAY = 10.0
#: Seconds after which a silent connection is tried.
PING_INTERVAL = 30.0
#: How many bytes a reply of Redis may have.
MAX_REPLY = 64 * 1024 * 1024

_pause = backoffPolicy(FIRST_DELAY, MAX_DELAY, 2.0)


class _Linked:
    """What both kinds of connections do for their link; replies are bytes."""

    def __init__(self, link: Link) -> None:
        super().__init__(  # type: ignore[call-arg]
            charset=None, replyTimeout=link.timeout, convertNumbers=False
        )
        self.callLater = link.reactor.callLater
        self.gone = False
        #: Why the connection was broken off, if it was because of a reply.
        self.problem = ""
        self._link = link
        self._reader = ReplyReader(link.max_reply, txredisapi.ResponseError)

    def dataReceived(self, data: bytes, unpause: bool = False) -> None:
        """Bytes came: give the replies in them to those who wait."""
        if self.problem or self.gone:
            return
        try:
            for reply in self._reader.feed(data):
                self.reply_received(reply)
        except BadReply as error:
            self.problem = str(error)
            self.transport.abortConnection()  # type: ignore[attr-defined]

    def reply_received(self, reply: Any) -> None:
        """A reply came. One that nobody waits for would be taken for that to the next command."""
        if not self.replyQueue.waiting:  # type: ignore[attr-defined]
            raise BadReply("a reply that nobody waits for")
        self.replyReceived(reply)  # type: ignore[attr-defined]

    def connectionLost(self, reason: Failure) -> None:
        """The connection is gone; what waits for a reply fails."""
        self.gone = True
        self._link.lost(self)
        super().connectionLost(reason)  # type: ignore[misc]


class CommandProtocol(_Linked, txredisapi.RedisProtocol):  # type: ignore[misc]
    """A connection for commands."""


class SubscriptionProtocol(_Linked, txredisapi.SubscriberProtocol):  # type: ignore[misc]
    """A connection that gets what is published. Of other replies it keeps the last three items."""

    def reply_received(self, reply: Any) -> None:
        """A reply, or a message."""
        if isinstance(reply, list) and len(reply) == 3 and reply[0] == b"message":
            if isinstance(reply[2], bytes):
                self._link.on_message(reply[2])
        else:
            super().reply_received(reply)


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

    With *on_message* it is one for a subscription. A reply of more than *max_reply* bytes ends it.
    """

    def __init__(
        self,
        endpoint: Any,
        reactor: Any,
        timeout: float,
        prepare: Callable[[Any], Deferred[None]],
        on_ready: Callable[[], None],
        on_message: Callable[[bytes], None] | None = None,
        max_reply: int = MAX_REPLY,
    ) -> None:
        self.reactor = reactor
        self.timeout = timeout
        self.max_reply = max_reply
        self.on_message: Callable[[bytes], None] = on_message or (lambda _: None)
        #: The connection, while it can be used.
        self.protocol: Any = None
        self._endpoint = endpoint
        self._prepare = prepare
        self._on_ready = on_ready
        self._factory = LinkFactory(self, SubscriptionProtocol if on_message else CommandProtocol)
        self._running = False
        self._failures = 0
        #: What is under way: an attempt, the pause before the next one, or the end.
        self._attempt: Deferred[Any] | None = None
        self._retry: Any = None
        self._stopped: Deferred[None] | None = None
        self._ping: Any = None
        self._complained = False

    def start(self) -> None:
        """Connect."""
        self._running = True
        self._connect()

    def stop(self) -> Deferred[None]:
        """Disconnect, for good. The Deferred fires when there is no connection any more."""
        self._running = False
        self._stop_ping()
        if self._retry is not None:
            self._retry.cancel()
        if self.protocol is not None:
            self._stopped = Deferred()
            self.protocol.transport.loseConnection()
            return self._stopped
        if self._attempt is not None:
            self._attempt.cancel()
        return succeed(None)

    # ClientService cannot be used here: it takes a connection that is lost while it is being
    # prepared (a wrong password, say) for a fault of its own.

    def _connect(self) -> None:
        self._retry = None
        self._attempt = attempt = self._endpoint.connect(self._factory)
        attempt.addCallback(self._connected).addCallbacks(self._prepared, self._failed)

    def _connected(self, protocol: Any) -> Deferred[Any]:
        def give_up(failure: Failure) -> Failure:
            protocol.transport.abortConnection()
            return failure

        return self._prepare(protocol).addCallbacks(lambda _: protocol, give_up)

    def _prepared(self, protocol: Any) -> None:
        self._attempt = None
        if protocol.gone:
            self._failed(Failure(ConnectionLost()))  # type: ignore[no-untyped-call]
            return
        self._failures = 0
        if self._complained:
            self._complained = False
            general_log.info("Redis can be used again")
        self.protocol = protocol
        self._schedule_ping()
        self._on_ready()

    def _failed(self, failure: Failure) -> None:
        self._attempt = None
        if self._running:
            self._try_again(failure.getErrorMessage())

    def _try_again(self, reason: str) -> None:
        """Later, and with one line for each time Redis goes away."""
        if not self._complained:
            self._complained = True
            general_log.error("Redis cannot be used: {reason}", reason=reason)
        self._failures += 1
        self._retry = self.reactor.callLater(_pause(self._failures), self._connect)

    def lost(self, protocol: Any) -> None:
        """For a protocol: it lost its connection."""
        if protocol is not self.protocol:  # it is being prepared, and that fails now
            return
        self.protocol = None
        self._stop_ping()
        if self._running:
            self._try_again(protocol.problem or "the connection was lost")
        elif self._stopped is not None:
            self._stopped.callback(None)

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
