"""Client: requests to an application in memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol
from urllib.parse import urljoin
from weakref import WeakKeyDictionary, WeakSet

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from cyclone.httpclient import HTTPClientError
from cyclone.httpserver import HTTPRequest, HTTPServer

from ._clock import VirtualClock
from ._connection import Exchange, MemoryConnection
from ._cookies import DecodingSimpleCookie
from ._pump import Pump
from ._request import Files, OutgoingRequest, Params
from ._response import ClientResponse
from ._stream import EventStream, StreamedResponse
from ._websocket import MemoryWebSocket, websocket_uri

MAX_REDIRECTS = 10

#: The clocks that applications were given, so that all clients of one share it.
_clocks: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
_MAX_PORT = 65535


def _secure(scheme: str) -> bool:
    return scheme in ("https", "wss")


class _Way(NamedTuple):
    """How a request comes to the server; what redirects it goes on the same way."""

    version: str
    remote_ip: str | None
    protocol: str | None
    host: str | None


class Verb(Protocol):
    """`Client.request` for one method: ``client.get`` and its like."""

    def __call__(
        self,
        uri: str,
        params: Params | None = None,
        version: str = "HTTP/1.1",
        headers: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        remote_ip: str | None = None,
        protocol: str | None = None,
        host: str | None = None,
        files: Files | None = None,
        connection: MemoryConnection | None = None,
        *,
        json: object = None,
        follow_redirects: bool = False,
    ) -> Deferred[ClientResponse]:
        """Send a request; a Deferred of the response, whatever its status is."""


class Client:
    """A client of an application, without sockets: its requests are bytes for the real protocol.

    ``client.get(uri)``, and ``post``, ``put``, ``delete``, ``head``, ``patch``, ``options`` and
    ``request(method, uri)`` return a Deferred of a `ClientResponse`; `fetch` returns the response
    itself, `start` waits for none. Each request has a connection of its own unless one is given.
    Cookies are kept in ``client.cookies`` and sent back, unless ``keep_cookies`` is false.

    ``app``: an `Application`, an `HTTPServer`, or a callback for one. ``clock``: what the server's
    timeouts run on; by default a `VirtualClock`, ``client.clock``, that stands still until
    ``client.clock.advance(seconds)``. Give the reactor for real time. An application whose setting
    ``reactor`` is a Twisted `Clock` keeps that, and one with ``monotonic`` its own time.
    """

    def __init__(
        self,
        app: HTTPServer | Callable[[HTTPRequest], object],
        clock: Any = None,
        *,
        host: str = "127.0.0.1",
        keep_cookies: bool = True,
    ) -> None:
        self.app: Any = app
        #: What is sent as ``Host`` unless a request says otherwise.
        self.host = host
        self.keep_cookies = keep_cookies
        self.cookies: DecodingSimpleCookie = DecodingSimpleCookie(app)
        clock = _clock_of(app) if clock is None else clock
        self.clock: Any = clock
        self._pump: Pump = clock.wire if isinstance(clock, VirtualClock) else Pump()
        self._server = _server(app, clock)
        self._port = 50000
        self._connections: WeakSet[MemoryConnection] = WeakSet()

    def connect(
        self, remote_ip: str | None = None, protocol: str | None = None
    ) -> MemoryConnection:
        """Open a connection, for raw bytes or for several requests.

        ``remote_ip``: the client's address; ``protocol``: ``"http"`` or ``"https"``.
        """
        self._port = self._port % _MAX_PORT + 1
        connection = MemoryConnection(
            self._server,
            self._pump,
            remote_ip=remote_ip or "127.0.0.1",
            secure=_secure(protocol or "http"),
            port=self._port,
        )
        self._connections.add(connection)
        return connection

    def close(self) -> None:
        """Close the connections that are open; the application sees that its client is gone."""
        for connection in list(self._connections):
            connection.close()

    def request(
        self,
        method: str,
        uri: str,
        params: Params | None = None,
        version: str = "HTTP/1.1",
        headers: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        remote_ip: str | None = None,
        protocol: str | None = None,
        host: str | None = None,
        files: Files | None = None,
        connection: MemoryConnection | None = None,
        *,
        json: object = None,
        follow_redirects: bool = False,
    ) -> Deferred[ClientResponse]:
        """Send a request; a Deferred of the response, whatever its status is.

        :param params: a mapping or pairs, for the query; for the form of a POST, PUT or PATCH that
            has no body.
        :param version: ``"HTTP/1.1"`` or ``"HTTP/1.0"``.
        :param remote_ip: the client's IP address.
        :param protocol: ``"https"`` for a request that the server takes for one over TLS.
        :param host: for the ``Host`` header.
        :param files: field names to files, each an `HTTPFile`, ``(filename, body[, content_type])``
            or bytes, or a list of them.
        :param connection: one of `connect`, which stays open.
        :param json: a body to be sent as JSON.
        :param follow_redirects: go where 301, 302, 303, 307 and 308 point, at most ten times.

        The Deferred fails with `ValueError` for what cannot be sent, and with
        `cyclone.httpclient.HTTPStreamClosedError` if the server closed without a whole response.
        Cancelling it closes the connection: the handler sees that the client went away.
        """
        try:
            request = OutgoingRequest(method, uri, params, headers, body, files, json)
            way = _Way(version, remote_ip, protocol, host)
            exchange, used = self._send(request, way, connection)
        except ValueError as error:
            return fail(error)
        if connection is None:
            exchange.done.addBoth(_closing, used)
        result: Deferred[ClientResponse] = Deferred(_cancelling(used))
        exchange.head.addErrback(lambda _: None)
        exchange.done.addCallbacks(self._take, callbackArgs=(request.path,)).addBoth(
            _forward, result
        )
        if not follow_redirects:
            return result
        return result.addCallback(lambda found: self._redirect(request, way, MAX_REDIRECTS, found))

    get: Verb = functools.partialmethod(request, "GET")
    post: Verb = functools.partialmethod(request, "POST")
    put: Verb = functools.partialmethod(request, "PUT")
    delete: Verb = functools.partialmethod(request, "DELETE")
    head: Verb = functools.partialmethod(request, "HEAD")
    patch: Verb = functools.partialmethod(request, "PATCH")
    options: Verb = functools.partialmethod(request, "OPTIONS")

    def fetch(
        self,
        method: str = "GET",
        uri: str = "/",
        params: Params | None = None,
        version: str = "HTTP/1.1",
        headers: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        remote_ip: str | None = None,
        protocol: str | None = None,
        host: str | None = None,
        files: Files | None = None,
        connection: MemoryConnection | None = None,
        *,
        json: object = None,
        follow_redirects: bool = False,
    ) -> ClientResponse:
        """Send a request and return its response: `request` for tests that await nothing.

        The handler has to answer without waiting for a socket, a thread or time: AssertionError if
        its whole response is not there at once, or something is behind it. Otherwise it fails as
        `request` does.
        """
        used = connection or self.connect(remote_ip, protocol or OutgoingRequest("GET", uri).scheme)
        waiting = self.request(
            method,
            uri,
            params,
            version,
            headers,
            body,
            remote_ip,
            protocol,
            host,
            files,
            used,
            json=json,
            follow_redirects=follow_redirects,
        )
        outcome: list[Any] = []
        waiting.addBoth(outcome.append)
        if not outcome:
            waiting.cancel()
            came = f"only a part of it: {used.received!r}" if used.received else "none"
            raise AssertionError(f"{method} {uri}: no response at once, {came}")
        if isinstance(outcome[0], Failure):
            outcome[0].raiseException()
        unasked = used.unasked
        if connection is None:
            used.close()
        if unasked:
            raise AssertionError(f"{method} {uri}: more came than its response: {unasked!r}")
        response: ClientResponse = outcome[0]
        return response

    def start(
        self,
        method: str = "GET",
        uri: str = "/",
        params: Params | None = None,
        version: str = "HTTP/1.1",
        headers: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        remote_ip: str | None = None,
        protocol: str | None = None,
        host: str | None = None,
        files: Files | None = None,
        connection: MemoryConnection | None = None,
        *,
        json: object = None,
    ) -> MemoryConnection:
        """Send a request and return its connection, which stays open.

        What comes is in `MemoryConnection.received` and `MemoryConnection.responses`. With the
        same ``connection`` again, requests are pipelined. ValueError for what cannot be sent.
        """
        request = OutgoingRequest(method, uri, params, headers, body, files, json)
        way = _Way(version, remote_ip, protocol, host)
        exchange, used = self._send(request, way, connection)
        exchange.head.addErrback(lambda _: None)
        exchange.done.addCallbacks(self._take, lambda _: None, callbackArgs=(request.path,))
        return used

    def stream(
        self,
        method: str,
        uri: str,
        params: Params | None = None,
        version: str = "HTTP/1.1",
        headers: Mapping[str, Any] | None = None,
        body: bytes | str | None = None,
        remote_ip: str | None = None,
        protocol: str | None = None,
        host: str | None = None,
        files: Files | None = None,
        connection: MemoryConnection | None = None,
        *,
        json: object = None,
    ) -> Deferred[StreamedResponse]:
        """The same, for a response that is read while it comes: fires when its head is there."""
        try:
            request = OutgoingRequest(method, uri, params, headers, body, files, json)
            way = _Way(version, remote_ip, protocol, host)
            used = self._connection(request, way, connection)
            exchange = Exchange(request.method, request.target, used.soon)
            streamed = StreamedResponse(used, exchange)
            self._exchange(request, way, used, exchange)
        except ValueError as error:
            return fail(error)

        def begun(response: ClientResponse) -> StreamedResponse:
            self._take(response, request.path)
            return streamed

        result: Deferred[StreamedResponse] = Deferred(_cancelling(used))
        exchange.head.addCallback(begun).addBoth(_forward, result)
        return result

    def sse(
        self,
        uri: str,
        params: Params | None = None,
        headers: Mapping[str, Any] | None = None,
        *,
        last_event_id: str | int | None = None,
        **options: Any,
    ) -> Deferred[EventStream]:
        """Open a stream of Server-Sent Events.

        ``last_event_id``: what a returning browser sends. ``options``: as for `request`. It fails
        with `cyclone.httpclient.HTTPClientError` when the answer is no stream of events.
        """
        fields = dict(headers or {})
        fields.setdefault("Accept", "text/event-stream")
        if last_event_id is not None:
            fields["Last-Event-ID"] = str(last_event_id)

        def begun(stream: StreamedResponse) -> EventStream:
            kind = stream.headers.get("Content-Type", "").partition(";")[0].strip()
            if stream.code != 200 or kind != "text/event-stream":
                stream.close()
                raise HTTPClientError(stream.code, stream.reason)
            return EventStream(stream)

        method = options.pop("method", "GET")
        return self.stream(method, uri, params, headers=fields, **options).addCallback(begun)

    def websocket(
        self,
        uri: str,
        params: Params | None = None,
        headers: Mapping[str, Any] | None = None,
        *,
        subprotocols: Sequence[str] = (),
        compression: bool = False,
        max_message_size: int = 10 * 1024 * 1024,
        remote_ip: str | None = None,
        protocol: str | None = None,
        host: str | None = None,
    ) -> Deferred[MemoryWebSocket]:
        """Open a WebSocket. Needs ``cyclone-testing[websocket]``.

        ``compression``: offer permessage-deflate. ``max_message_size``: bytes of one message from
        the server. It fails with `cyclone.httpclient.HTTPClientError` (and its ``code``) when the
        handshake is refused.
        """
        address = websocket_uri(uri, params, host or self.host, _secure(protocol or ""))
        secure = _secure(address.partition(":")[0])
        fields = dict(headers or {})
        cookies = self.cookies.header(OutgoingRequest("GET", uri).path)
        if cookies and self.keep_cookies:
            fields.setdefault("Cookie", cookies)
        connection = self.connect(remote_ip, "https" if secure else "http")
        with self._pump.held():
            websocket = MemoryWebSocket(
                connection, address, fields, subprotocols, compression, max_message_size
            )
        return websocket.opened

    # --- one request ------------------------------------------------------------------------

    def _connection(
        self, request: OutgoingRequest, way: _Way, connection: MemoryConnection | None
    ) -> MemoryConnection:
        if connection is None:
            return self.connect(way.remote_ip, way.protocol or request.scheme)
        if not isinstance(connection, MemoryConnection):
            raise ValueError("a connection is what Client.connect() returns")
        return connection

    def _send(
        self, request: OutgoingRequest, way: _Way, connection: MemoryConnection | None
    ) -> tuple[Exchange, MemoryConnection]:
        used = self._connection(request, way, connection)
        exchange = Exchange(request.method, request.target, used.soon)
        self._exchange(request, way, used, exchange)
        return exchange, used

    def _exchange(
        self,
        request: OutgoingRequest,
        way: _Way,
        connection: MemoryConnection,
        exchange: Exchange,
    ) -> None:
        headers = request.headers
        headers.setdefault("Host", way.host or request.netloc or self.host)
        cookies = self.cookies.header(request.path)
        if cookies and self.keep_cookies:
            headers.setdefault("Cookie", cookies)
        connection.exchange(request.wire(way.version), exchange)

    def _take(self, response: ClientResponse, path: str) -> ClientResponse:
        if self.keep_cookies:
            self.cookies.take(response.headers.get_list("Set-Cookie"))
        return response

    def _redirect(
        self,
        request: OutgoingRequest,
        way: _Way,
        left: int,
        response: ClientResponse,
    ) -> ClientResponse | Deferred[ClientResponse]:
        location = response.headers.get("Location")
        if response.code not in (301, 302, 303, 307, 308) or location is None:
            return response
        if not left:
            raise HTTPClientError(response.code, "too many redirects")
        method, body = request.method, request.body
        headers = request.headers.copy()
        for name in ("Host", "Cookie", "Content-Length"):
            headers.pop(name, None)
        if response.code == 303 or (response.code in (301, 302) and method == "POST"):
            method, body = ("HEAD" if method == "HEAD" else "GET"), None
            headers.pop("Content-Type", None)
        origin = f"{request.scheme or 'http'}://{request.netloc or self.host}"
        target = urljoin(origin + request.target, location)
        following = self.request(
            method,
            target,
            None,
            way.version,
            headers,
            body,
            way.remote_ip,
            way.protocol,
            way.host,
        )
        there = OutgoingRequest(method, target, None, headers, body)

        def arrived(final: ClientResponse) -> ClientResponse:
            final.history.insert(0, response)
            return final

        return following.addCallback(
            lambda found: self._redirect(there, way, left - 1, found)
        ).addCallback(arrived)


def _cancelling(connection: MemoryConnection) -> Callable[[Deferred[Any]], None]:
    """What cancels a request: its client goes away."""

    def cancel(result: Deferred[Any]) -> None:
        result.errback(CancelledError())
        connection.lose()

    return cancel


def _closing(result: Any, connection: MemoryConnection) -> Any:
    connection.lose()
    return result


def _forward(result: Any, to: Deferred[Any]) -> None:
    if not to.called:
        to.callback(result)


def _clock_of(app: Any) -> Any:
    """The clock that an application has already, or a new one."""
    given = getattr(app, "settings", {}).get("reactor")
    if isinstance(given, Clock):
        return given
    return (_clocks.get(app) if isinstance(app, HTTPServer) else None) or VirtualClock()


def _server(app: Any, clock: Any) -> HTTPServer:
    """What serves ``app``, on this clock."""
    if isinstance(app, HTTPServer):
        app.reactor = _clocks[app] = clock
        if "monotonic" not in getattr(app, "settings", {}):
            app.monotonic = clock.seconds
        return app
    return HTTPServer(app, reactor=clock, monotonic=clock.seconds)
