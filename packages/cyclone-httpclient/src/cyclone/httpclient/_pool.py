"""The pool: at most so many exchanges at once in all and for each route, the rest in a queue;
connections that may be used again are kept for a while.

An `Exchange` holds one place from the moment it leaves the queue until its connection is free or
gone, whatever happens in between; it is given back in exactly one spot, `Pool._release` (CL-20).
"""

from __future__ import annotations

from collections import OrderedDict
from functools import partial
from typing import Protocol

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from ._connection import HTTP1Connection, ResponseSink
from ._errors import HTTPClientError, HTTPTimeoutError
from ._message import WireRequest
from ._parser import ResponseHead
from ._route import Route
from ._timeouts import Clock, Deadline
from ._twisted import error_of

CONTINUE_TIMEOUT = 1.0
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"))


class OpensConnections(Protocol):
    """What a pool needs of a connector."""

    def connect(self, route: Route) -> Deferred[HTTP1Connection]:
        """A connection that is ready."""
        ...


class Exchange:
    """One request on its way: waiting, connecting, then on a connection. The sink's other end."""

    __slots__ = (
        "_pool",
        "_timer",
        "began",
        "connecting",
        "connection",
        "fresh",
        "holds_place",
        "over",
        "phase",
        "request",
        "sink",
    )

    def __init__(self, pool: Pool, request: WireRequest, sink: ResponseSink) -> None:
        self._pool = pool
        self.request = request
        self.sink = sink
        self.phase = "queue"
        self.over = False
        self.holds_place = False
        self.fresh = False
        self.began = 0.0
        self.connection: HTTP1Connection | None = None
        self.connecting: Deferred[HTTP1Connection] | None = None
        self._timer: Deadline | None = None

    def cancel(self) -> None:
        """Give up now; the sink hears nothing more."""
        if not self.over:
            self._pool.abandon(self)

    def send_body_now(self) -> None:
        """Do not wait for ``100 Continue`` any longer."""
        if not self.over and self.connection is not None:
            self.connection.send_body()

    def wait_for_continue(self, reactor: IReactorTime, clock: Clock) -> None:
        """Send the body anyway after a while: not every server knows ``Expect``."""
        self._timer = Deadline(reactor, clock, CONTINUE_TIMEOUT, self.send_body_now)

    def start_timer(self, reactor: IReactorTime, clock: Clock, seconds: float) -> None:
        self._timer = Deadline(reactor, clock, seconds, self._expired)

    def stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _expired(self) -> None:
        self._timer = None
        seconds = self.request.connect_timeout
        self.fail(timeout_error(self.phase, "connect_timeout", seconds))

    def fail(self, error: Exception) -> None:
        """End with an error, from any state."""
        if not self.over:
            self._pool.abandon(self)
            self.sink.exchange_failed(error)

    # ResponseSink: the connection talks to the exchange, which passes on what is not its own

    def head_received(self, head: ResponseHead) -> None:
        self.sink.head_received(head)

    def body_received(self, data: bytes) -> Deferred[object] | None:
        return self.sink.body_received(data)

    def response_complete(self) -> None:
        self.sink.response_complete()

    def exchange_failed(self, error: Exception) -> None:
        self.sink.exchange_failed(error)


def timeout_error(phase: str, option: str, seconds: float) -> HTTPTimeoutError:
    """The error for a deadline that passed in that phase."""
    texts = {"queue": "Timeout in request queue", "connect": "Timeout while connecting"}
    text = texts.get(phase, "Timeout during request")
    return HTTPTimeoutError(text, phase=phase, option=option, seconds=seconds)


class Pool:
    """Connections by route.

    ``max_total`` and ``max_per_route`` bound the exchanges under way (and so the connections in
    use), ``max_queue`` those that wait. ``idle_timeout`` seconds is how long a connection is kept
    for reuse, 0 for not at all; at most ``max_total`` are kept.
    """

    def __init__(
        self,
        reactor: IReactorTime,
        clock: Clock,
        connector: OpensConnections,
        *,
        max_total: int,
        max_per_route: int,
        max_queue: int,
        idle_timeout: float,
    ) -> None:
        self._reactor = reactor
        self._clock = clock
        self._connector = connector
        self._max_total = max_total
        self._max_per_route = max_per_route
        self._max_queue = max_queue
        self._idle_timeout = idle_timeout
        self._idle: OrderedDict[Route, list[HTTP1Connection]] = OrderedDict()
        self._idle_count = 0
        self._busy: dict[Route, int] = {}
        self._busy_count = 0
        self._waiting: OrderedDict[Route, OrderedDict[Exchange, None]] = OrderedDict()
        self._waiting_count = 0
        self._active: set[Exchange] = set()
        self._sweep: IDelayedCall | None = None
        self._closed = False
        self._draining = False

    # What can be seen

    @property
    def busy(self) -> int:
        """Exchanges under way."""
        return self._busy_count

    @property
    def waiting(self) -> int:
        """Exchanges in the queue."""
        return self._waiting_count

    @property
    def idle(self) -> int:
        """Connections kept for reuse."""
        return self._idle_count

    # An exchange from its start to its end

    def send(self, request: WireRequest, sink: ResponseSink) -> Exchange:
        """Send a request as soon as there is room; its response goes to ``sink``.

        The sink may be called before this returns.
        """
        exchange = Exchange(self, request, sink)
        route = request.route
        request.close = self._idle_timeout <= 0
        if self._closed:
            exchange.over = True
            sink.exchange_failed(HTTPClientError(599, "The client is closed"))
        elif self._has_room(route):
            self._begin(exchange)
        elif self._waiting_count >= self._max_queue:
            exchange.over = True
            message = f"More than {self._max_queue} requests are waiting for a connection"
            sink.exchange_failed(HTTPClientError(599, message))
        else:
            self._waiting.setdefault(route, OrderedDict())[exchange] = None
            self._waiting_count += 1
            self._start_timer(exchange)
        return exchange

    def _start_timer(self, exchange: Exchange) -> None:
        if exchange.request.connect_timeout:
            exchange.start_timer(self._reactor, self._clock, exchange.request.connect_timeout)

    def _has_room(self, route: Route) -> bool:
        return self._busy_count < self._max_total and self._busy.get(route, 0) < self._max_per_route

    def _begin(self, exchange: Exchange) -> None:
        route = exchange.request.route
        self._busy[route] = self._busy.get(route, 0) + 1
        self._busy_count += 1
        exchange.holds_place = True
        exchange.began = self._clock()
        self._active.add(exchange)
        connection = self._take_idle(route)
        if connection is None:
            self._connect(exchange)
        else:
            self._use(exchange, connection)

    def _take_idle(self, route: Route) -> HTTP1Connection | None:
        connections = self._idle.get(route)
        while connections:
            connection = connections.pop()
            self._idle_count -= 1
            if not connections:
                del self._idle[route]
            if not connection.closed:
                return connection
        return None

    def _connect(self, exchange: Exchange) -> None:
        exchange.phase = "connect"
        exchange.fresh = True
        if exchange._timer is None:
            self._start_timer(exchange)
        connecting = self._connector.connect(exchange.request.route)
        exchange.connecting = connecting
        connecting.addCallbacks(
            self._connected,
            self._not_connected,
            callbackArgs=(exchange,),
            errbackArgs=(exchange,),
        )

    def _connected(self, connection: HTTP1Connection, exchange: Exchange) -> None:
        exchange.connecting = None
        if exchange.over:
            connection.abort()
            return
        self._use(exchange, connection)

    def _not_connected(self, failure: Failure, exchange: Exchange) -> None:
        exchange.connecting = None
        if exchange.over:
            return
        error = error_of(failure)
        if isinstance(error, CancelledError):
            error = HTTPClientError(599, "The connection attempt was cancelled")
        exchange.fail(error)

    def _use(self, exchange: Exchange, connection: HTTP1Connection) -> None:
        exchange.stop_timer()
        exchange.phase = "request"
        exchange.connection = connection
        connection.on_free = partial(self._freed, exchange)
        connection.on_closed = None
        if exchange.request.wait_for_continue:
            exchange.wait_for_continue(self._reactor, self._clock)
        connection.start(exchange.request, exchange)

    def _freed(self, exchange: Exchange, connection: HTTP1Connection, reusable: bool) -> bool:
        """The connection has done its work; true when the exchange goes on with another one."""
        exchange.connection = None
        connection.on_free = None
        if connection.unanswered and not exchange.fresh and _repeatable(exchange.request):
            exchange.stop_timer()
            self._connect(exchange)
            return True
        if reusable and not self._closed and self._idle_timeout > 0:
            self._keep(connection)
        elif not connection.closed:
            connection.close()
        self._release(exchange)
        return False

    def abandon(self, exchange: Exchange) -> None:
        """End an exchange in whatever state it is; its sink is not told."""
        exchange.over = True
        connecting, exchange.connecting = exchange.connecting, None
        if connecting is not None:
            connecting.cancel()
        connection, exchange.connection = exchange.connection, None
        if connection is not None:
            connection.on_free = None
            connection.abort()
        self._release(exchange)

    def _release(self, exchange: Exchange) -> None:
        exchange.over = True
        exchange.stop_timer()
        route = exchange.request.route
        if not exchange.holds_place:
            queue = self._waiting.get(route)
            if queue is not None and exchange in queue:
                self._remove_waiting(route, queue, exchange)
            return
        exchange.holds_place = False
        self._active.discard(exchange)
        self._busy_count -= 1
        left = self._busy[route] - 1
        if left:
            self._busy[route] = left
        else:
            del self._busy[route]
        if self._waiting_count:
            self._next_waiting()

    def _remove_waiting(
        self, route: Route, queue: OrderedDict[Exchange, None], exchange: Exchange
    ) -> None:
        del queue[exchange]
        self._waiting_count -= 1
        if not queue:
            del self._waiting[route]

    def _next_waiting(self) -> None:
        """Let the queue move on; what fails at once does not start a recursion."""
        if self._draining:
            return
        self._draining = True
        try:
            while self._waiting_count and self._begin_next():
                pass
        finally:
            self._draining = False

    def _begin_next(self) -> bool:
        """Routes take turns, within a route the first comes first; false when nothing has room."""
        for route in self._waiting:
            if self._has_room(route):
                break
        else:
            return False
        queue = self._waiting[route]
        exchange = next(iter(queue))
        self._waiting.move_to_end(route)
        self._remove_waiting(route, queue, exchange)
        self._begin(exchange)
        return True

    # Idle connections

    def _keep(self, connection: HTTP1Connection) -> None:
        connection.idle_since = self._clock()
        connection.on_closed = self._idle_lost
        self._idle.setdefault(connection.route, []).append(connection)
        self._idle_count += 1
        if self._idle_count > self._max_total:
            self._drop_oldest()
        if self._sweep is None:
            self._sweep = self._reactor.callLater(self._idle_timeout, self._sweep_idle)

    def _idle_lost(self, connection: HTTP1Connection) -> None:
        connections = self._idle.get(connection.route)
        if connections and connection in connections:
            connections.remove(connection)
            self._idle_count -= 1
            if not connections:
                del self._idle[connection.route]

    def _drop_oldest(self) -> None:
        route, connections = next(iter(self._idle.items()))
        connection = connections.pop(0)
        self._idle_count -= 1
        if not connections:
            del self._idle[route]
        connection.on_closed = None
        connection.close()

    def _sweep_idle(self) -> None:
        """Close what was not used for the time; one timer for all connections."""
        self._sweep = None
        limit = self._clock() - self._idle_timeout
        oldest: float | None = None
        for connections in list(self._idle.values()):
            for connection in list(connections):
                if connection.idle_since <= limit + 0.001:
                    self._idle_lost(connection)
                    connection.on_closed = None
                    connection.close()
                elif oldest is None or connection.idle_since < oldest:
                    oldest = connection.idle_since
        if oldest is not None:
            delay = max(0.001, oldest - limit)
            self._sweep = self._reactor.callLater(delay, self._sweep_idle)

    def close_idle(self) -> None:
        """Close every connection that is not in use."""
        sweep, self._sweep = self._sweep, None
        if sweep is not None:
            sweep.cancel()
        idle = [one for connections in self._idle.values() for one in connections]
        self._idle.clear()
        self._idle_count = 0
        for connection in idle:
            connection.on_closed = None
            connection.close()

    def close(self) -> None:
        """Close everything; what is under way or waits fails."""
        self._closed = True
        self.close_idle()
        waiting = [exchange for queue in self._waiting.values() for exchange in queue]
        for exchange in [*waiting, *self._active]:
            exchange.fail(HTTPClientError(599, "The client was closed"))


def _repeatable(request: WireRequest) -> bool:
    """Whether the request may be tried again on a new connection (RFC 9110 section 9.2.2)."""
    return request.method in IDEMPOTENT and request.repeatable
