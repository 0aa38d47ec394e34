"""HTTPServer: the factory that listens."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IAddress, IListeningPort, IProtocolFactory, IReactorTime
from zope.interface import implementer

from ._connection import HTTPConnection
from ._errors import RequestError
from ._events import EventLogger
from ._options import ServerOptions
from ._timeouts import NEVER, Sweeper
from ._writer import DateLine

if TYPE_CHECKING:
    from ._request import HTTPRequest

log = EventLogger("cyclone.general")


@implementer(IProtocolFactory)
class HTTPServer:
    """An HTTP/1.x server around a callback: a Twisted server factory.

    ``request_callback(request)`` is called with each `HTTPRequest`; it answers through
    ``request.connection``, now or later. Listen with any reactor or endpoint::

        reactor.listenTCP(8080, HTTPServer(callback))

    or with `listen`. The keyword arguments are the fields of `ServerOptions`; ``options`` takes a
    whole one. ``ssl_options`` (for `listen`) is a Twisted context factory or a dict with
    ``certfile`` and ``keyfile``. ``reactor`` and ``monotonic`` are for tests.

    If the callback has a method ``headers_received(request)``, it is asked as soon as the head of
    a request with a body is in, and may return a `BodyReceiver` that takes the body as it comes.
    """

    noisy = False

    def __init__(
        self,
        request_callback: Callable[[HTTPRequest], object],
        *,
        options: ServerOptions | None = None,
        ssl_options: Any = None,
        reactor: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
        **settings: Any,
    ) -> None:
        self.options = ServerOptions(**settings) if options is None else options
        self.request_callback = request_callback
        self.headers_received = getattr(request_callback, "headers_received", None)
        self.monotonic = monotonic
        self.ssl_options = ssl_options
        self.proxy: Any = None
        self.date_line = DateLine()
        self.closing = False
        self.idle_timeout = self.options.idle_connection_timeout or NEVER
        self.request_limit = self.options.max_requests_per_connection or NEVER
        self.connections: set[HTTPConnection] = set()
        self._ports: list[IListeningPort] = []
        self._reactor = reactor
        self._sweeper: Sweeper | None = None

    @property
    def reactor(self) -> Any:
        """The reactor, installed at the latest when it is asked for."""
        if self._reactor is None:
            from twisted.internet import reactor

            self._reactor = reactor
        return self._reactor

    @property
    def sweeper(self) -> Sweeper:
        """What enforces the deadlines."""
        if self._sweeper is None:
            self._sweeper = Sweeper(lambda: self.connections, self.reactor, self.monotonic)
        return self._sweeper

    # --- IProtocolFactory -------------------------------------------------------------------

    def doStart(self) -> None:
        """Twisted: a port listens."""

    def doStop(self) -> None:
        """Twisted: a port listens no more."""

    def buildProtocol(self, addr: IAddress | None) -> HTTPConnection | None:
        """Twisted: a connection was accepted."""
        return HTTPConnection(self)

    def connection_made(self, connection: HTTPConnection) -> None:
        self.connections.add(connection)
        if len(self.connections) == 1:
            self.sweeper.start()

    def connection_lost(self, connection: HTTPConnection) -> None:
        self.connections.discard(connection)
        if not self.connections:
            self.sweeper.stop()

    connection_detached = connection_lost

    # --- listening --------------------------------------------------------------------------

    def listen(self, port: int, address: str | None = None, backlog: int = 2048) -> IListeningPort:
        """Listen on a TCP port; returns Twisted's port object."""
        interface = address or ""
        listening: IListeningPort = self.reactor.listenTCP(
            port, self, backlog=backlog, interface=interface
        )
        self._ports.append(listening)
        return listening

    def stop(self, deadline: float = 25.0) -> Deferred[int]:
        self.closing = True
        waits = []
        for port in self._ports:
            d = port.stopListening()
            if d is not None:
                waits.append(d)
        self._ports.clear()
        for connection in list(self.connections):
            if connection.request is None:
                connection._close_when_written()
        return DeferredList(waits).addCallback(lambda _: 0)

    # --- logging ----------------------------------------------------------------------------

    def log_refused(self, connection: HTTPConnection, error: RequestError) -> None:
        log.info(
            "{remote_ip}: refused with {status}: {reason}",
            remote_ip=connection.peer_ip,
            status=error.status_code,
            reason=str(error),
        )

    def log_timeout(self, connection: HTTPConnection, what: str) -> None:
        log.info("{remote_ip}: timeout: {what}", remote_ip=connection.peer_ip, what=what)

    def log_failure(self, request: HTTPRequest | None, error: BaseException) -> None:
        log.error("Unhandled error in {request}", request=repr(request), exc_info=error)
