"""websocket_connect: from a URL to an open WebSocket."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, wrapClientTLS
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import TimeoutError as ConnectTimeout
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from cyclone.httpclient import (
    HTTPConnectError,
    HTTPConnectionRefusedError,
    HTTPError,
    HTTPRequest,
    HTTPResolveError,
    HTTPResponse,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    HTTPTLSError,
)
from cyclone.httputil import HTTPHeaders, HTTPInputError
from cyclone.web import Outcome

from . import _handshake as handshake
from ._client import MessageCallback, WebSocketClientConnection
from ._connection import WebSocketConnection
from ._deadlines import shared_deadlines
from ._errors import WebSocketError
from ._limits import Limits

if TYPE_CHECKING:
    from twisted.internet.interfaces import IDelayedCall

    from ._compression import Deflate, DeflateOffer

#: Of the server's answer; more of it is refused.
MAX_HEAD = 65536
#: Of the body of an answer that is no WebSocket.
MAX_BODY = 65536
#: Of the answers with a status below 200 that may come before.
MAX_INTERIM = 10
CONNECT_TIMEOUT = 20.0

_status_line = re.compile(r"HTTP/1\.[01] ([0-9]{3})(?: ([\t\x20-\x7e\x80-\xff]*))?").fullmatch
_SCHEMES = {"ws": 80, "wss": 443, "http": 80, "https": 443}


class Target(NamedTuple):
    """Where a ``ws`` or ``wss`` URL leads."""

    secure: bool
    host: str
    port: int
    #: The ``Host`` header.
    netloc: str
    #: Path and query as they are sent.
    resource: str
    credentials: str | None


def parse_url(url: str) -> Target:
    """Take a URL apart (RFC 6455 section 3). ValueError if it is not one of a WebSocket."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        raise ValueError(f"The URL of a WebSocket begins with ws:// or wss://, not {scheme!r}")
    if not parts.hostname:
        raise ValueError("The URL has no host")
    if parts.fragment:
        raise ValueError("The URL of a WebSocket has no fragment")
    default = _SCHEMES[scheme]
    port = parts.port or default
    host = parts.hostname
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    netloc = f"[{host}]" if ":" in host else host
    if port != default:
        netloc += f":{port}"
    resource = parts.path or "/"
    if parts.query:
        resource += "?" + parts.query
    resource = quote(resource, safe="/?:@!$&'()*+,;=%-._~#[]|")
    credentials = None
    if parts.username is not None:
        credentials = f"{parts.username}:{parts.password or ''}"
    return Target(scheme in ("wss", "https"), host, port, netloc, resource, credentials)


class Offer:
    """What a client asks for, and what it makes of the answer."""

    def __init__(
        self,
        target: Target,
        request: HTTPRequest,
        subprotocols: Sequence[str],
        compression: DeflateOffer | None,
    ) -> None:
        self.request = request
        self._subprotocols = subprotocols
        self._compression = compression
        self._key = handshake.new_key()
        self._target = target

    def head(self) -> bytes:
        """The request as it is sent. ValueError for headers that cannot be."""
        headers = HTTPHeaders({"Host": self._target.netloc})
        for name, value in self.request.headers.get_all():
            if name in _OURS:
                continue
            if name == "Host":
                headers["Host"] = value
            else:
                headers.add(name, value)
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        headers["Sec-WebSocket-Key"] = self._key
        headers["Sec-WebSocket-Version"] = handshake.VERSION
        if self._subprotocols:
            headers["Sec-WebSocket-Protocol"] = ", ".join(self._subprotocols)
        if self._compression is not None:
            headers["Sec-WebSocket-Extensions"] = self._compression.header()
        credentials = self._credentials()
        if credentials is not None and "Authorization" not in headers:
            encoded = base64.b64encode(credentials.encode()).decode("ascii")
            headers["Authorization"] = f"Basic {encoded}"
        line = f"GET {self._target.resource} HTTP/1.1\r\n"
        return line.encode("ascii") + headers.wire() + b"\r\n"

    def _credentials(self) -> str | None:
        user = self.request.auth_username
        if user is not None:
            return f"{user}:{self.request.auth_password or ''}"
        return self._target.credentials

    def check(self, headers: HTTPHeaders) -> tuple[str | None, Deflate | None]:
        """The subprotocol and the compression the server chose.

        `WebSocketError` if its answer is not one to this offer.
        """
        handshake.check_answer(headers, self._key)
        subprotocol = handshake.chosen_subprotocol(headers, self._subprotocols)
        values = headers.get_list("Sec-WebSocket-Extensions")
        if not values:
            return subprotocol, None
        if self._compression is None:
            raise WebSocketError("The server chose an extension that was not offered")
        return subprotocol, self._compression.answer(values)


_OURS = frozenset(
    (
        "Connection",
        "Upgrade",
        "Sec-Websocket-Key",
        "Sec-Websocket-Version",
        "Sec-Websocket-Extensions",
    )
)


class ClientHandshake(Protocol):
    """Sends the request, and reads the answer of the server."""

    def __init__(
        self,
        offer: Offer,
        accepted: Callable[[ClientHandshake, HTTPHeaders, bytes], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._offer = offer
        self._accepted = accepted
        self._failed = failed
        self._buffer = bytearray()
        self._searched = 0
        self._interim = 0
        self._answer: tuple[int, str, HTTPHeaders] | None = None
        self._over = False

    def connectionMade(self) -> None:
        """Twisted: connected."""
        transport: Any = self.transport
        set_nodelay = getattr(transport, "setTcpNoDelay", None)
        if set_nodelay is not None:
            set_nodelay(True)
        transport.write(self._offer.head())

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes of the answer."""
        if self._over:
            return
        self._buffer += data
        try:
            if not self._read_heads():
                return
            self._read_body()
        except (WebSocketError, HTTPInputError, ValueError) as error:
            self._fail(error if isinstance(error, WebSocketError) else WebSocketError(str(error)))

    def _read_heads(self) -> bool:
        """Whether the whole head of the final answer is there, behind some interim ones."""
        while self._answer is None:
            if not self._read_head():
                return False
        return True

    def _read_head(self) -> bool:
        """Read one head; whether it is all there."""
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise WebSocketError("The head of the server's answer is too large")
        if end < 0:
            return False
        line, _, fields = self._buffer[:end].decode("latin-1").partition("\r\n")
        del self._buffer[: end + 4]
        self._searched = 0
        match = _status_line(line)
        if match is None:
            raise WebSocketError("The server's answer is not HTTP/1.1")
        status = int(match[1])
        headers = HTTPHeaders.parse(fields)
        if 100 <= status < 200 and status != 101:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise WebSocketError(f"The server sent more than {MAX_INTERIM} interim answers")
        else:
            self._answer = status, match[2] or "", headers
        return True

    def _read_body(self) -> None:
        if self._answer is None:
            return
        status, _, headers = self._answer
        if status == 101:
            rest = bytes(self._buffer)
            self._over = True
            self._accepted(self, headers, rest)
            return
        length = headers.get("Content-Length", "")
        wanted = int(length) if length.isascii() and length.isdigit() else MAX_BODY
        if len(self._buffer) >= min(wanted, MAX_BODY):
            self._refused()

    def _refused(self) -> None:
        """The answer is complete, and is no WebSocket."""
        if self._answer is None:
            return
        status, reason, headers = self._answer
        body = bytes(self._buffer[:MAX_BODY])
        if 200 <= status < 300:
            self._fail(WebSocketError("Non-websocket response"))
            return
        response = HTTPResponse(self._offer.request, status, headers, body, reason=reason or None)
        self._fail(HTTPError(status, reason or None, response))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted: the connection is gone."""
        if self._over:
            return
        if self._answer is not None:
            self._refused()
        else:
            self._fail(_lost(reason.value))

    def _fail(self, error: BaseException) -> None:
        self._over = True
        self.drop()
        self._failed(error)

    def drop(self) -> None:
        """Close the connection."""
        self._over = True
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


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


def _lost(cause: BaseException | None) -> BaseException:
    """What to call a connection that ended before the answer."""
    if type(cause).__module__.startswith(("OpenSSL", "service_identity")):
        error: BaseException = HTTPTLSError(f"The TLS handshake failed: {cause!r}")
    else:
        error = HTTPStreamClosedError("The server closed during the handshake")
    return error if cause is None else _caused(error, cause)


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
