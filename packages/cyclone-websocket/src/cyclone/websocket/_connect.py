"""websocket_connect: the attempt to connect, and what ends it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from cyclone.httpclient import (
    HTTPConnectError,
    HTTPConnectionRefusedError,
    HTTPRequest,
    HTTPResolveError,
    HTTPTimeoutError,
)
from cyclone.httputil import HTTPHeaders
from cyclone.web import Outcome

from . import _handshake as handshake
from ._client import MessageCallback, WebSocketClientConnection
from ._clienthandshake import ClientHandshake, Offer, Target, parse_url
from ._connection import WebSocketConnection
from ._deadlines import shared_deadlines
from ._errors import WebSocketError
from ._limits import Limits

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

CONNECT_TIMEOUT = 20.0


class _Connecting:
    """One attempt to connect: whatever ends it does so once."""

    def __init__(
        self, reactor: Any, offer: Offer, limits: Limits, client: WebSocketClientConnection
    ) -> None:
        self._reactor = reactor
        self._offer = offer
        self._limits = limits
        self._client = client
        self._context = copy_context()  # of whoever connects
        self._attempt: Deferred[Any] | None = None
        self._protocol: ClientHandshake | None = None
        self._timer: IDelayedCall | None = None
        self._over = False
        self.result: Deferred[WebSocketClientConnection] = Deferred(self._cancelled)

    def start(self, endpoint: Any, timeout: float) -> None:
        if timeout:
            self._timer = self._reactor.callLater(timeout, self._time_out, timeout)
        factory = Factory.forProtocol(
            lambda: ClientHandshake(self._offer, self._accepted, self._failed)
        )
        factory.noisy = False
        self._attempt = attempt = endpoint.connect(factory)
        attempt.addCallbacks(self._connected, self._not_connected)

    def _connected(self, protocol: ClientHandshake) -> None:
        self._attempt = None
        self._protocol = protocol
        if self._over:
            protocol.drop()

    def _not_connected(self, failure: Failure) -> None:
        self._attempt = None
        error = failure.value
        if isinstance(error, DNSLookupError):
            error = _caused(HTTPResolveError("The name of the host has no address"), error)
        elif isinstance(error, ConnectTimeout):
            error = _caused(_timeout(CONNECT_TIMEOUT), error)
        elif isinstance(error, ConnectError):
            error = _caused(_no_connection(error), error)
        if error is not None:
            self._failed(error)

    def _accepted(self, protocol: ClientHandshake, headers: HTTPHeaders, rest: bytes) -> None:
        try:
            subprotocol, deflate = self._offer.check(headers)
        except WebSocketError as error:
            protocol.drop()
            self._failed(error)
            return
        client = self._client
        connection = WebSocketConnection(
            client,
            deadlines=shared_deadlines(self._reactor, self._reactor),
            limits=self._limits,
            client=True,
            deflate=deflate,
            subprotocol=subprotocol,
            context=self._context,
        )
        client.headers = headers
        client.protocol = connection
        client.selected_subprotocol = subprotocol
        transport: Any = protocol.transport
        attribute = "wrappedProtocol" if hasattr(transport, "wrappedProtocol") else "protocol"
        setattr(transport, attribute, connection)
        connection.makeConnection(transport)
        self._finish()
        self.result.callback(client)
        connection.opened()
        if rest:
            connection.dataReceived(rest)

    def _failed(self, error: BaseException) -> None:
        if not self._over:
            self._finish()
            self.result.errback(error)

    def _time_out(self, seconds: float) -> None:
        self._timer = None
        self._failed(_timeout(seconds))
        self._give_up()

    def _cancelled(self, _: object) -> None:
        self._finish()
        self._give_up()

    def _give_up(self) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.cancel()
        if self._protocol is not None:
            self._protocol.drop()

    def _finish(self) -> None:
        self._over = True
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


def _timeout(seconds: float) -> HTTPTimeoutError:
    return HTTPTimeoutError(
        "Timeout while connecting", phase="connect", option="connect_timeout", seconds=seconds
    )


def _no_connection(error: ConnectError) -> HTTPConnectError:
    if isinstance(error, Refused):
        return HTTPConnectionRefusedError(str(error))
    return HTTPConnectError(str(error), error.osError if type(error.osError) is int else None)


def _caused(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


def websocket_connect(
    url: str | HTTPRequest,
    callback: Callable[[Outcome], Any] | None = None,
    connect_timeout: float | None = None,
    on_message_callback: MessageCallback | None = None,
    compression_options: dict[str, Any] | None = None,
    ping_interval: float | None = None,
    ping_timeout: float | None = None,
    max_message_size: int = Limits().max_message_size,
    subprotocols: Sequence[str] | None = None,
    resolver: Any = None,
    *,
    headers: HTTPHeaders | Mapping[str, str] | None = None,
    reactor: Any = None,
) -> Deferred[WebSocketClientConnection]:
    """Open a WebSocket; a Deferred of a `WebSocketClientConnection`.

    ``url`` is a ``ws://`` or ``wss://`` URL, or a `cyclone.httpclient.HTTPRequest` with one (its
    headers, ``auth_username``, ``connect_timeout`` and TLS options count). ``connect_timeout``
    (seconds, 20 by default, 0: none) covers everything up to the server's answer.
    ``on_message_callback`` gets each message, and None at the end; it may be async, then the next
    message waits. ``compression_options``: a dict, maybe empty, offers permessage-deflate (keys as
    in `WebSocketHandler.get_compression_options`). ``ping_interval`` and ``ping_timeout`` are
    seconds, off by default. ``callback`` is called with something like a future that is done:
    ``.result()`` is the connection. ``resolver`` is a Twisted ``IHostnameResolver``.

    The Deferred fails with `cyclone.httpclient.HTTPError` when the server answers with another
    status than 101 (its ``code``), `HTTPConnectError` (an OSError) when no connection could be
    made, `HTTPTimeoutError`, and `WebSocketError` when the answer is not a WebSocket's. ValueError
    for a URL, header or option that is not usable.
    """
    if reactor is None:
        from twisted.internet import reactor
    request = url if isinstance(url, HTTPRequest) else HTTPRequest(url)
    target = parse_url(request.url)
    if headers is not None:
        request = _with_headers(request, headers)
    if connect_timeout is None:
        connect_timeout = request.connect_timeout
    if connect_timeout is None:
        connect_timeout = CONNECT_TIMEOUT
    names = list(subprotocols) if subprotocols is not None else []
    if subprotocols is not None:
        handshake.check_subprotocols(subprotocols)
    compression = None
    if compression_options is not None:
        from ._compression import DeflateOffer

        compression = DeflateOffer(compression_options)
    limits = Limits(
        max_message_size=max_message_size, ping_interval=ping_interval, ping_timeout=ping_timeout
    )
    offer = Offer(target, request, names, compression)
    offer.head()  # raises here what would raise later
    endpoint = _endpoint(reactor, target, request, connect_timeout, resolver)
    connecting = _Connecting(reactor, offer, limits, WebSocketClientConnection(on_message_callback))
    connecting.start(endpoint, connect_timeout)
    if callback is not None:
        _call_back(connecting.result, callback)
    return connecting.result


def _with_headers(request: HTTPRequest, headers: HTTPHeaders | Mapping[str, str]) -> HTTPRequest:
    import copy

    request = copy.copy(request)
    merged = request.headers.copy()
    merged.update(HTTPHeaders(headers))
    request.headers = merged
    return request


def _endpoint(
    reactor: Any, target: Target, request: HTTPRequest, timeout: float, resolver: Any
) -> Any:
    place = reactor if resolver is None else _with_resolver(reactor, resolver)
    endpoint: Any = HostnameEndpoint(place, target.host, target.port, timeout=timeout or 86400)
    if target.secure:
        from ._tls import connection_creator

        hostname = request.server_hostname or target.host
        endpoint = wrapClientTLS(connection_creator(hostname, request), endpoint)
    return endpoint


def _with_resolver(reactor: Any, resolver: Any) -> Any:
    from ._resolver import Resolving

    return Resolving(reactor, resolver)


def _call_back(
    result: Deferred[WebSocketClientConnection],
    callback: Callable[[Outcome], Any],
) -> None:
    """Give the outcome to a callback, as Tornado's get it."""

    def fired(outcome: Any) -> Any:
        callback(Outcome(outcome))
        return None if isinstance(outcome, Failure) else outcome

    result.addBoth(fired)
