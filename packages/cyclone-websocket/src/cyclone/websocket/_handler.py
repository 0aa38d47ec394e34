"""WebSocketHandler: a request handler whose request becomes a WebSocket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure

from cyclone import escape
from cyclone.httpserver import StreamClosedError
from cyclone.httputil import ResponseStartLine
from cyclone.web import RequestHandler, spawn

from . import _handshake as handshake
from ._connection import WebSocketConnection
from ._deadlines import shared_deadlines
from ._errors import HandshakeError, WebSocketClosedError
from ._frames import POLICY_VIOLATION, TRY_AGAIN_LATER
from ._limits import Limits
from ._output import encode_message

if TYPE_CHECKING:
    from cyclone.httpserver import Transport
    from cyclone.web import HubMessage

    from ._compression import Deflate

Message = str | bytes | dict[str, Any]

_DEFAULTS = Limits()


class WebSocketHandler(RequestHandler):
    """Serves one WebSocket: subclass it and define `open`, `on_message` and `on_close`.

    Each of them may be a plain function, ``async def``, or return a Deferred; messages are handed
    on in order, the next one when the last one's callback is done, and meanwhile a bounded amount
    is read ahead. Cyclone's names serve as well: ``connectionMade``, ``messageReceived``,
    ``connectionLost``, ``sendMessage``. If a class has both, Tornado's are called.

    Before the handshake it is a handler like any other: ``initialize``, ``prepare`` (which may be
    async, redirect or raise), cookies and ``current_user``; headers that are set go into the
    answer. Afterwards only `write_message`, `ping` and `close` can send anything.

    Pages of other sites may not connect: see `check_origin`. Limits are settings of the
    application, ``websocket_*``; see the package's documentation.
    """

    #: The connection, while there is one.
    ws_connection: WebSocketConnection | None = None
    #: How it was closed: known in `on_close`. 1006 if the peer just went away; None if its close
    #: frame gave no code.
    close_code: int | None = None
    close_reason: str | None = None
    open_args: tuple[Any, ...] = ()
    open_kwargs: dict[str, Any] = {}  # noqa: RUF012  # replaced, never changed

    _on_close_called = False
    _upgraded = False
    _end_waiters: tuple[Deferred[str | None], ...] = ()

    # --- the handshake ----------------------------------------------------------------------

    async def get(self, *args: Any, **kwargs: Any) -> None:
        """Answer the handshake. The groups of the route's pattern go to `open`."""
        self.open_args = args
        self.open_kwargs = kwargs
        try:
            self._check_request_headers()
        except HandshakeError as error:
            self._refuse_handshake(error.status, error.reason)
            return
        waiting: Any = self.headersReceived()
        if waiting is not None:
            await waiting
        self._accept_handshake()

    def _check_request_headers(self) -> None:
        request = self.request
        handshake.check_upgrade(request.method, request.version, request.headers)
        # After prepare(), because check_origin() may rely on what it found out
        error = self._check_cross_origin(self.check_origin)
        if error is not None:
            raise HandshakeError(403, "Cross origin websockets not allowed")
        handshake.check_version(request.headers)

    def _refuse_handshake(self, status: int, reason: str) -> None:
        """Refuse; nothing else of this connection is served (it may hold frames already)."""
        self.set_status(status)
        self.request.connection.no_keep_alive = True
        self.request.connection.keep_alive = False
        if status == 426:
            self.set_header("Sec-WebSocket-Version", handshake.VERSION)
            self.set_header("Upgrade", "websocket")
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        self.finish(reason)

    def _accept_handshake(self) -> None:
        """Send the answer, take the transport, and open."""
        if self._finished:
            return  # headersReceived() refused
        try:
            fields, subprotocol, deflate = self._negotiate_handshake()
        except HandshakeError as error:
            self._refuse_handshake(error.status, error.reason)
            return
        connection = self.request.connection
        if connection.closed or connection.request is not self.request:
            return  # the client went away while something was waited for
        server = connection.server
        if server.is_stopping:
            self._refuse_handshake(503, "The server is stopping")
            return
        self.set_status(101)
        self.clear_header("Content-Type")
        for name, value in fields:
            self.set_header(name, value)
        self._complete_headers()
        ws_connection = WebSocketConnection(
            self,
            deadlines=shared_deadlines(server, server.reactor, server.monotonic),
            limits=self._websocket_limits(),
            deflate=deflate,
            subprotocol=subprotocol,
            home=server,
        )
        self.ws_connection = ws_connection
        taken = connection.write_headers(
            ResponseStartLine("HTTP/1.1", 101, self._reason), self._headers
        )
        ws_connection.direct = taken.called  # else the transport still has some of it
        taken.addErrback(_was_closed)
        self._headers_written = self._finished = self._upgraded = True
        if self._request_suspended:
            self._answer_resolved()
        server.adopt(ws_connection)
        connection.detach(ws_connection)
        self._log()
        self.on_finish()
        ws_connection.enter(self._open, ws_connection)

    def _negotiate_handshake(self) -> tuple[list[tuple[str, str]], str | None, Deflate | None]:
        """The header fields of the answer, the subprotocol, the compression."""
        headers = self.request.headers
        key = handshake.check_key(headers)
        fields = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Accept", handshake.compute_accept_value(key)),
        ]
        offered = handshake.offered_subprotocols(headers)
        subprotocol = self.select_subprotocol(offered)
        if subprotocol:
            if subprotocol not in offered:
                raise ValueError(
                    f"select_subprotocol() chose {subprotocol!r}, which the client did not offer"
                )
            fields.append(("Sec-WebSocket-Protocol", subprotocol))
        deflate = None
        options = self.get_compression_options()
        extensions = headers.get_list("Sec-WebSocket-Extensions")
        if options is not None and extensions:
            from ._compression import accept_offer

            accepted = accept_offer(extensions, options)
            if accepted is not None:
                fields.append(("Sec-WebSocket-Extensions", accepted[0]))
                deflate = accepted[1]
        return fields, subprotocol or None, deflate

    def _websocket_limits(self) -> Limits:
        settings = self.settings
        options = self.request.connection.server.server_options
        return Limits(
            max_message_size=self.max_message_size,
            max_queue_size=settings.get("websocket_max_queue_size", _DEFAULTS.max_queue_size),
            write_high_water=options.write_high_water,
            max_buffer_size=options.max_buffer_size,
            ping_interval=self.ping_interval,
            ping_timeout=self.ping_timeout,
            close_timeout=settings.get("websocket_close_timeout", _DEFAULTS.close_timeout),
            write_timeout=options.write_timeout,
        )

    def _open(self, connection: WebSocketConnection) -> None:
        try:
            result = self.open(*self.open_args, **self.open_kwargs)
        except BaseException as error:
            connection.callback_failed(error)
            connection.opened()
            return
        if result is None:
            connection.opened()
        else:
            connection.wait_for(result)

    # --- what a subclass defines ------------------------------------------------------------

    def _open_default(self, *args: Any, **kwargs: Any) -> Any:
        """The WebSocket is open. Called with the groups of the route's pattern.

        May be async; no message is handed on before it is done.
        """
        return self.connectionMade(*args, **kwargs)

    open: Callable[..., Any] = _open_default

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """A message arrived: text as str, binary as bytes. May be async."""
        return self.messageReceived(message)

    def on_close(self) -> None:
        """The WebSocket is closed; ``close_code`` and ``close_reason`` say how. Called once."""
        clean = self.close_code is not None and self.close_code != 1006
        error = ConnectionDone() if clean else ConnectionLost()
        self.connectionLost(Failure(error))  # type: ignore[no-untyped-call]

    def on_ping(self, data: bytes) -> None:
        """A ping arrived; it was answered already."""

    def on_pong(self, data: bytes) -> None:
        """A pong arrived."""

    def headersReceived(self) -> Awaitable[None] | None:
        """The request is a handshake that can be accepted; `forbidConnection` refuses it."""
        return None

    def _connection_made(self, *args: Any, **kwargs: Any) -> Any:
        """Cyclone's name of `open`."""
        return None

    connectionMade: Callable[..., Any] = _connection_made

    def messageReceived(self, message: str | bytes) -> Awaitable[None] | None:
        """Cyclone's name of `on_message`.

        A class that has others of Cyclone's names need not have this: then it ignores messages.
        """
        cls = type(self)
        if (
            cls.connectionMade is WebSocketHandler.connectionMade
            and cls.connectionLost is WebSocketHandler.connectionLost
        ):
            raise NotImplementedError("Define on_message() or messageReceived()")
        return None

    def connectionLost(self, reason: Failure) -> None:
        """Cyclone's name of `on_close`; ``reason`` holds ConnectionDone or ConnectionLost."""

    def check_origin(self, origin: str) -> bool:
        """Whether a page of another origin, such as ``"https://example.com"``, may connect.

        Asked, after ``prepare``, only for requests of another origin: those with an ``Origin``
        that is not this host, or that ``Sec-Fetch-Site`` calls ``same-site`` or ``cross-site``.
        The default asks ``check_trusted_origin``, so the setting ``trusted_origins`` lists who
        may. An override that returns True lets any site use the cookies of its visitors here.
        """
        return self.check_trusted_origin(origin)

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose one of the subprotocols the client offers (maybe none), or None."""
        return None

    def get_compression_options(self) -> dict[str, Any] | None:
        """Return a dict, maybe empty, to offer compression; None, the default, for none.

        Known keys: ``compression_level``, ``mem_level`` (zlib's), ``server_max_window_bits``,
        ``client_max_window_bits`` (9 to 15), ``server_no_context_takeover``,
        ``client_no_context_takeover``. Memory of a compressed connection depends on them.
        """
        return None

    @property
    def max_message_size(self) -> int:
        """The most bytes of a message, decompressed; more closes with 1009. 10 MiB."""
        size: int | None = self.settings.get("websocket_max_message_size")
        return _DEFAULTS.max_message_size if size is None else size

    @property
    def ping_interval(self) -> float | None:
        """Seconds between pings; 0: none. Setting ``websocket_ping_interval``, default 30."""
        interval: float | None = self.settings.get("websocket_ping_interval", 30.0)
        return interval

    @property
    def ping_timeout(self) -> float | None:
        """Seconds a pong may take, at most and by default the interval; 0: for ever."""
        timeout: float | None = self.settings.get("websocket_ping_timeout")
        return timeout

    # --- what a subclass calls --------------------------------------------------------------

    @property
    def selected_subprotocol(self) -> str | None:
        """What `select_subprotocol` chose."""
        connection = self.ws_connection
        return None if connection is None else connection.selected_subprotocol

    def get_websocket_protocol(self) -> WebSocketConnection | None:
        """The connection, while there is one (Tornado's name)."""
        return self.ws_connection

    @property
    def ws_protocol(self) -> WebSocketConnection | None:
        """The connection, while there is one (Cyclone's name)."""
        return self.ws_connection

    @property
    def transport(self) -> Transport:
        """Twisted's transport; ``transport.loseConnection()`` ends it without a close frame."""
        transport: Transport = self.request.connection.transport
        return transport

    def write_message(self, message: Message, binary: bool = False) -> Deferred[None]:
        """Send text (str, or bytes that are UTF-8), a dict as JSON, or with ``binary`` any bytes.

        The Deferred fires when the client has caught up: wait for it, and a slow reader slows you
        down; do not, and it is cut off when ``max_buffer_size`` waits for it.
        `WebSocketClosedError` if the WebSocket is closed.
        """
        connection = self.ws_connection
        if connection is None:
            raise WebSocketClosedError("The WebSocket is closed")
        if isinstance(message, dict):
            message = escape.json_encode(message)
        return connection.write_message(message, binary)

    def sendMessage(self, message: Message, binary: bool = False) -> Deferred[None]:
        """Cyclone's name of `write_message`."""
        return self.write_message(message, binary)

    def on_hub_message(self, message: HubMessage) -> Any:
        """Send what was published to a channel of a hub that this handler has joined.

        Messages come as text, what is not text as JSON. Override it to filter or to send
        otherwise; what is awaitable is waited for before the next one comes. To join, put
        ``cyclone.web.HubMixin`` before this class.
        """
        connection = self.ws_connection
        if connection is None or connection.is_closing():
            return None
        if connection.shares_frames():
            connection.write_frame(message.encoded("websocket", _frame_of))
            taken = connection._taken()
        else:
            taken = connection.write_message(message.text)
        return None if taken.called else taken.addErrback(_was_closed)

    def on_hub_overflow(self) -> None:
        """The client is too slow for the hub: it is told to come back later."""
        self.close(TRY_AGAIN_LATER, "too slow")

    def ping(self, data: str | bytes = b"") -> None:
        """Send a ping with at most 125 bytes; `WebSocketClosedError` if that cannot be."""
        connection = self.ws_connection
        if connection is None:
            raise WebSocketClosedError("The WebSocket is closed")
        connection.write_ping(data.encode() if isinstance(data, str) else data)

    def close(self, code: int | None = None, reason: str | None = None) -> Deferred[None]:
        """Close the WebSocket; again does nothing. The Deferred fires when it is gone.

        ValueError for a code that cannot be sent or a reason of more than 123 bytes.
        """
        if self.ws_connection is None:
            return succeed(None)
        return self.ws_connection.close(code, reason)

    def forbidConnection(self, message: str) -> None:
        """Refuse the client: with 403 before the handshake is answered, later with 1008."""
        if self.ws_connection is None:
            if not self._finished:
                self._refuse_handshake(403, message)
        else:
            reason = message.encode()[:123].decode("utf-8", "ignore")
            self.ws_connection.close(POLICY_VIOLATION, reason)

    def set_nodelay(self, value: bool) -> None:
        """Set ``TCP_NODELAY``, which is on from the start; False saves packets, not time."""
        if self.ws_connection is not None:
            self.ws_connection.set_nodelay(value)

    # --- the end ----------------------------------------------------------------------------

    def on_ws_connection_close(
        self, close_code: int | None = None, close_reason: str | None = None
    ) -> None:
        """The connection is gone."""
        self.close_code = close_code
        self.close_reason = close_reason
        self.on_connection_close()

    def on_connection_close(self) -> None:
        """The client is gone, before or after the handshake; calls `on_close` once."""
        connection, self.ws_connection = self.ws_connection, None
        if not self._upgraded:
            super().on_connection_close()
            return
        cancel = self.cancel_on_disconnect
        if cancel is None:
            cancel = self.settings.get("cancel_on_disconnect", False)
        if cancel and connection is not None:
            connection.cancel_callback()
        if not self._on_close_called:
            self._on_close_called = True
            try:
                result: Any = self.on_close()  # type: ignore[func-returns-value]
            finally:
                self._tell_end(f"WebSocket closed: {self.close_code}")
            if result is not None:
                spawn(result).addErrback(self._on_close_failed)

    def notifyFinish(self) -> Deferred[str | None]:
        """A Deferred that fires when the WebSocket is closed, after `on_close`, with the reason.

        Each caller gets its own. Without a handshake it is that of the request.
        """
        waiter: Deferred[str | None] = Deferred()
        if not self._upgraded:
            super().notifyFinish().addCallback(self._request_ended)
        self._end_waiters += (waiter,)
        return waiter

    def _request_ended(self, reason: str | None) -> None:
        if not self._upgraded:
            self._tell_end(reason)

    def _tell_end(self, reason: str | None) -> None:
        waiters, self._end_waiters = self._end_waiters, ()
        for waiter in waiters:
            waiter.callback(reason)

    def _on_close_failed(self, failure: Failure) -> None:
        error = failure.value
        if error is not None:
            self.log_exception(type(error), error, error.__traceback__)

    # --- what a WebSocket cannot do ---------------------------------------------------------

    if not TYPE_CHECKING:

        def write(self, *args, **kwargs):
            """As in any handler, but not after the handshake: RuntimeError."""
            self._before_upgrade()
            return super().write(*args, **kwargs)

        def redirect(self, *args, **kwargs):
            """As in any handler, but not after the handshake: RuntimeError."""
            self._before_upgrade()
            return super().redirect(*args, **kwargs)

        def set_header(self, *args, **kwargs):
            """As in any handler, but not after the handshake: RuntimeError."""
            self._before_upgrade()
            return super().set_header(*args, **kwargs)

        def set_cookie(self, *args, **kwargs):
            """As in any handler, but not after the handshake: RuntimeError."""
            self._before_upgrade()
            return super().set_cookie(*args, **kwargs)

        def set_status(self, *args, **kwargs):
            """As in any handler, but not after the handshake: RuntimeError."""
            self._before_upgrade()
            return super().set_status(*args, **kwargs)

        def flush(self, *args, **kwargs):
            """As in any handler, but not after the handshake: RuntimeError."""
            self._before_upgrade()
            return super().flush(*args, **kwargs)

        def finish(self, *args, **kwargs):
            """As in any handler, but not after the handshake: RuntimeError."""
            self._before_upgrade()
            return super().finish(*args, **kwargs)

    def _before_upgrade(self) -> None:
        if self._upgraded:
            raise RuntimeError("Method not supported for Web Sockets")


def _frame_of(message: HubMessage) -> bytes:
    return encode_message(message.text, False)


def _was_closed(failure: Failure) -> None:
    failure.trap(WebSocketClosedError, StreamClosedError)  # type: ignore[no-untyped-call]
