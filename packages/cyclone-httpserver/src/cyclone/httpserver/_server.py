"""HTTPServer: the factory that listens."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import (
    IAddress,
    IProtocolFactory,
    IProtocolNegotiationFactory,
)
from zope.interface import implementer

from cyclone.httputil import HTTPInputError, HTTPServerConnectionDelegate

from ._accept import AcceptGate
from ._body import spool_trouble
from ._connection import HTTPConnection
from ._delegates import adapted
from ._events import EventLogger
from ._loop import check_running, current_reactor
from ._options import ServerOptions
from ._stop import Stop
from ._timeouts import NEVER, Sweeper
from ._writer import DateLine

if TYPE_CHECKING:
    from typing import Unpack

    # What listenTCP() is declared to take; an IProtocolFactory is all it needs
    from twisted.internet.protocol import ServerFactory

    from ._keywords import ServerKeywords
    from ._output import OutputSide
    from ._proxy import ProxyRules, TrustedPeers
    from ._request import HTTPRequest
    from ._transport import ListeningPort

    Base = ServerFactory[Any]
else:
    Base = object

general_log = EventLogger("cyclone.general")
application_log = EventLogger("cyclone.application")


class _Alias:
    """A short name for reading: an attribute of a subclass may have it, and does no harm."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __get__(self, server: HTTPServer | None, owner: type) -> Any:
        return self if server is None else getattr(server, self._name)


@implementer(IProtocolFactory, IProtocolNegotiationFactory)
class HTTPServer(Base):
    """An HTTP/1.x server around a callback: a Twisted server factory.

    ``request_callback(request)`` is called with each `HTTPRequest`; it answers through
    ``request.connection``, now or later. It may return a Deferred or a coroutine, whose failure is
    answered with 500. Listen with any reactor or endpoint::

        reactor.listenTCP(8080, HTTPServer(callback))

    or with `listen`. The keyword arguments are the fields of `ServerOptions`; ``options`` takes a
    whole one. ``ssl_options`` (for `listen`) is a Twisted context factory or a dict with
    ``certfile`` and ``keyfile``. ``reactor`` and ``monotonic`` are for tests.

    If the callback has a method ``headers_received(request)``, it is asked as soon as the head of
    a request with a body is in. It returns None (collect the body, then call back), a
    `BodyReceiver` that takes the body as it comes (the callback is not called then), or a Deferred
    of one of these (nothing is read, and no ``100 Continue`` sent, until it fires). It may raise
    `cyclone.httputil.HTTPInputError` to refuse the request. In place of a callback there may be a
    `cyclone.httputil.HTTPServerConnectionDelegate`, which gets each request message by message.
    """

    noisy = False
    # Programs have attributes of these names in their subclasses of Application: nothing here
    # reads what matters by them
    options: Any = _Alias("server_options")
    connections: Any = _Alias("open_connections")
    closing: Any = _Alias("is_stopping")
    proxy: Any = _Alias("proxy_rules")

    def __init__(
        self,
        request_callback: Callable[[HTTPRequest], object] | HTTPServerConnectionDelegate,
        *,
        options: ServerOptions | None = None,
        ssl_options: Any = None,
        reactor: Any = None,
        monotonic: Callable[[], float] = time.monotonic,
        **settings: Unpack[ServerKeywords],
    ) -> None:
        if options is not None and settings:
            raise TypeError("give either options or single settings")
        self.server_options: ServerOptions
        if options is None:
            options = ServerOptions(**cast("dict[str, Any]", settings))
        self.server_options = options
        if not callable(request_callback):
            request_callback = adapted(request_callback)
        self.request_callback = request_callback
        self.headers_received: Callable[[HTTPRequest], Any] | None = getattr(
            request_callback, "headers_received", None
        )
        #: In place of ``headers_received`` where a small body came with the head: whether that
        #: would do nothing and return None.
        self.collects_body: Callable[[HTTPRequest], bool] | None = getattr(
            request_callback, "collects_body", None
        )
        #: Up to here such a body needs no care.
        self.max_whole_body: int = _max_whole_body(options)
        self.monotonic = monotonic
        if isinstance(ssl_options, dict):
            # Now, so that a missing file is found at the start
            from ._tls import context_factory

            ssl_options = context_factory(ssl_options)
        self.ssl_options = ssl_options
        self.date_line: DateLine = DateLine()
        #: Set by `stop`.
        self.is_stopping: bool = False
        #: What `HTTPConnection` takes the short way with.
        self.short_head: int = min(4096, options.max_header_size)
        self.idle_timeout: float = options.idle_connection_timeout or NEVER
        #: How long a new connection may take for its first head: not longer than an idle one has.
        self.first_timeout: float = min(options.first_request_timeout or NEVER, self.idle_timeout)
        if not options.first_request_timeout:
            self.first_timeout = NEVER
        self.request_limit: float = options.max_requests_per_connection or NEVER
        self.open_connections: set[HTTPConnection] = set()
        self.proxy_rules: ProxyRules | None = None
        self._proxy_senders: TrustedPeers | None = None
        if options.xheaders or options.proxy_protocol:
            self._trust(options)
        self._reactor = reactor
        self._sweeper: Sweeper | None = None
        self.next_sweep: float = NEVER
        self._gate: AcceptGate | None = None
        self._stopper: Stop | None = None
        self._bound: list[socket.socket] = []
        self._adopted: list[socket.socket] = []
        # How many bodies are being received that are known to be large
        self._large_bodies = 0

    def _trust(self, options: ServerOptions) -> None:
        from ._proxy import ProxyRules, TrustedPeers

        if options.xheaders:
            self.proxy_rules = ProxyRules(options)
        if options.proxy_protocol and options.trusted_downstream is not None:
            self._proxy_senders = TrustedPeers(options.trusted_downstream)

    @property
    def reactor(self) -> Any:
        """The reactor, installed at the latest when it is asked for.

        Under ``asyncio.run(main())``, with none installed: Twisted's asyncio reactor on that loop.
        """
        if self._reactor is None:
            self._reactor = current_reactor()
        return self._reactor

    @reactor.setter
    def reactor(self, reactor: Any) -> None:
        """For tests: another one, while nobody is connected. RuntimeError if somebody is."""
        if reactor is not self._reactor:
            if self.open_connections:
                raise RuntimeError("the reactor of a server with connections cannot be changed")
            self._reactor, self._sweeper = reactor, None

    @property
    def sweeper(self) -> Sweeper:
        """What enforces the deadlines; ``next_sweep`` is its next time."""
        if self._sweeper is None:
            self._sweeper = Sweeper(self._swept, self.reactor, self.monotonic, self._plan)
        return self._sweeper

    def _plan(self, next_sweep: float) -> None:
        self.next_sweep = next_sweep

    def _swept(self) -> set[HTTPConnection]:
        if self._gate is not None:
            self._gate.sweep()
        return self.open_connections

    @property
    def gate(self) -> AcceptGate:
        """What bounds the connections."""
        if self._gate is None:
            self._gate = AcceptGate(self)
        return self._gate

    # --- IProtocolFactory -------------------------------------------------------------------

    def doStart(self) -> None:
        """Twisted: a port is about to listen."""
        self.is_stopping = False
        trouble = spool_trouble(self.server_options.spool_dir)
        if trouble is not None:
            general_log.warning("large bodies cannot be stored: {trouble}", trouble=trouble)
        find = getattr(self.reactor, "getReaders", None)
        if find is not None:
            self.reactor.callLater(0, lambda: self.gate.find(find()))

    def doStop(self) -> None:
        """Twisted: a port listens no more."""

    def buildProtocol(self, addr: IAddress | None) -> HTTPConnection:
        """Twisted: a connection was accepted."""
        return HTTPConnection(self)

    def acceptableProtocols(self) -> list[bytes]:
        """TLS: what is spoken here (ALPN)."""
        return [b"http/1.1"]

    def connection_made(self, connection: HTTPConnection) -> None:
        """For `HTTPConnection`: it has a transport now."""
        self.open_connections.add(connection)
        if len(self.open_connections) == 1:
            self.sweeper.start()
        self.gate.accepted(connection)

    def adopt(self, connection: Any) -> None:
        """Count a protocol that is about to take over the transport of a connection.

        So it is closed when the server stops. It needs what `Stop` and the sweep use:
        ``deadline`` and ``timed_out(now)``, ``keep_alive``, ``close_if_idle()`` and ``close()``
        (a Deferred for its end), ``_kill()``; and it calls `connection_lost` at its end.
        """
        self.open_connections.add(connection)

    def connection_lost(self, connection: Any) -> None:
        """For a connection: its transport is gone, or somebody else's."""
        self.open_connections.discard(connection)
        if self._gate is not None:
            self._gate.freed()
        if not self.open_connections:
            self.sweeper.stop()
        if self._stopper is not None:
            self._stopper.connection_gone()

    def expects_proxy_header(self, peer: str) -> bool:
        """For `HTTPConnection`: does this peer begin with the PROXY protocol's header?"""
        return self.server_options.proxy_protocol and (
            self._proxy_senders is None or peer in self._proxy_senders
        )

    # --- listening --------------------------------------------------------------------------

    def listen(
        self,
        port: int,
        address: str | None = None,
        family: int = 0,
        backlog: int = 2048,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> ListeningPort:
        """Listen on a TCP port, with TLS if there are ``ssl_options``.

        ``address``: one address of this machine, IPv4 or IPv6; by default all IPv4 addresses, or
        with Tornado's ``family=socket.AF_INET6`` all IPv6 ones; its ``flags`` have no meaning here.
        ``reuse_port``: several processes may listen on the port (``SO_REUSEPORT``). Returns
        Twisted's port object. `twisted.internet.error.CannotListenError` if it is taken.
        """
        from ._listen import any_address, listen_tcp

        check_running(self.reactor)
        address = address or any_address(family)
        listening: ListeningPort = listen_tcp(self, int(port), address, backlog, reuse_port)
        self.gate.add(listening)
        return listening

    def listen_unix(self, path: str, mode: int = 0o666, backlog: int = 2048) -> ListeningPort:
        """Listen on a UNIX socket. A socket that is there is replaced, any other file is not."""
        from ._listen import listen_unix

        listening: ListeningPort = listen_unix(self, path, mode, backlog)
        self.gate.add(listening)
        return listening

    def add_socket(self, sock: socket.socket) -> ListeningPort:
        """Accept connections on a listening socket (from systemd, or a parent process).

        The socket is the server's from now on; `stop` closes it.
        """
        from ._listen import adopt

        listening: ListeningPort = adopt(self, sock)
        self.gate.add(listening)
        self._adopted.append(sock)
        return listening

    def add_sockets(self, sockets: Iterable[socket.socket]) -> None:
        """`add_socket` for each."""
        for sock in sockets:
            self.add_socket(sock)

    def bind(
        self,
        port: int,
        address: str | None = None,
        family: int = 0,
        backlog: int = 2048,
        flags: int | None = None,
        reuse_port: bool = False,
    ) -> None:
        """Bind a port now; `start` begins to accept (Tornado's two steps), else as `listen`."""
        from ._listen import any_address, bound_socket

        address = address or any_address(family)
        self._bound.append(bound_socket(int(port), address, backlog, reuse_port=reuse_port))

    def start(self, num_processes: int | None = 1, max_restarts: int | None = None) -> None:
        """Accept connections on what `bind` bound, in this process.

        ValueError for more than one process: ``reuse_port`` or passing sockets to workers is the
        way here.
        """
        if num_processes != 1:
            raise ValueError("several processes: listen with reuse_port in each, or pass sockets")
        bound, self._bound = self._bound, []
        self.add_sockets(bound)

    def take_ports(self) -> list[Any]:
        """For `Stop`: the listening ports, which are forgotten here."""
        find = getattr(self.reactor, "getReaders", None)
        if find is not None:
            self.gate.find(find())
        self.gate.forget()
        ports = list(self.gate.ports)
        self.gate.ports.clear()
        # What listens is a duplicate; these would keep the address bound.
        while self._adopted:
            self._adopted.pop().close()
        return ports

    def stop(self, deadline: float = 25.0, idle_grace: float = 1.0) -> Deferred[int]:
        """Stop gracefully; the Deferred fires with the number of connections that were cut.

        No new connections from now on. Requests that run are finished and their connections
        closed; idle ones are closed after ``idle_grace`` seconds, within which a request that was
        under way is still answered. What is left after ``deadline`` seconds is cut.
        """
        self.is_stopping = True
        stop = self._stopper
        if stop is None:
            stop = self._stopper = Stop(self, deadline, idle_grace)
            stop.wait().addCallback(self._stopped)
        return stop.wait()

    def _stopped(self, cut: int) -> None:
        self._stopper = None
        if cut:
            general_log.warning("stopped; {cut} connections were cut", cut=cut)

    def close_all_connections(self) -> Deferred[None]:
        """Close every connection, whatever it is doing; fires when they are gone."""
        waits: list[Deferred[Any]] = []
        for connection in list(self.open_connections):
            waits.append(connection.close())
        return DeferredList(waits).addCallback(lambda _: None)

    # --- logging ----------------------------------------------------------------------------

    def log_refused(self, connection: OutputSide, error: HTTPInputError) -> None:
        """A bad request: one line, no traceback, none of its bytes."""
        malformed = "Malformed HTTP message from {remote_ip}: {reason}"
        refused = "refused a request from {remote_ip} with {status}: {reason}"
        # Not the client's fault: no space for its body
        log = general_log.error if error.status_code in (500, 507) else general_log.info
        log(
            malformed if error.status_code == 400 else refused,
            remote_ip=connection.peer_ip,
            status=error.status_code,
            reason=str(error),
        )

    def log_timeout(self, connection: OutputSide, what: str) -> None:
        """A deadline passed."""
        general_log.info(
            "closed the connection of {remote_ip}: {what}",
            remote_ip=connection.peer_ip,
            what=what,
        )

    def log_full(self, what: str, reason: str) -> None:
        """Accepting was paused, or clients are turned away."""
        general_log.warning(
            "{what} at {connections} connections: {reason}",
            what=what,
            connections=len(self.open_connections),
            reason=reason,
        )

    def log_failure(self, request: HTTPRequest | None, error: BaseException) -> None:
        """The program raised."""
        application_log.error(
            "Unhandled error in the callback for {request}", request=repr(request), exc_info=error
        )


def _max_whole_body(options: ServerOptions) -> int:
    if options.decompress_request:
        return 0
    limit = options.max_body_size
    return options.spool_threshold if limit is None else min(limit, options.spool_threshold)
