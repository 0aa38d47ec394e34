"""WebSocketClientConnection: the client's end of a WebSocket."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Self

from twisted.internet.defer import Deferred, succeed

from cyclone import escape
from cyclone.httpserver import EventLogger
from cyclone.httputil import HTTPHeaders
from cyclone.web import Outcome

from ._errors import WebSocketClosedError

if TYPE_CHECKING:
    from types import TracebackType

    from ._connection import WebSocketConnection

application_log = EventLogger("cyclone.application")

MessageCallback = Callable[["str | bytes | None"], Any]


class WebSocketClientConnection:
    """An open WebSocket of a client; `websocket_connect` makes it.

    Read with `read_message` or ``async for message in connection``, or have each message given to
    the ``on_message_callback``. What is not read is not fetched from the server either, beyond a
    bound. As an ``async with`` context it closes itself.

    ``headers`` are those of the server's answer, ``close_code`` and ``close_reason`` are known
    when it is closed (1006: the server just went away).
    """

    def __init__(self, on_message_callback: MessageCallback | None = None) -> None:
        self.headers: HTTPHeaders = HTTPHeaders()
        self.close_code: int | None = None
        self.close_reason: str | None = None
        #: The connection; None once `close` was called or it is gone.
        self.protocol: WebSocketConnection | None = None
        self.selected_subprotocol: str | None = None
        self._on_message_callback = on_message_callback
        self._closed = False
        self._unread: deque[str | bytes] = deque()
        self._readers: deque[Deferred[str | bytes | None]] = deque()
        self._room: Deferred[None] | None = None

    # --- reading ----------------------------------------------------------------------------

    def read_message(
        self, callback: Callable[[Outcome], Any] | None = None
    ) -> Deferred[str | bytes | None]:
        """A Deferred of the next message, or of None when the WebSocket is closed.

        With ``on_message_callback`` no message ever comes this way. ``callback`` is called when
        there is one, with something like a future that is done: ``.result()`` is the message.
        """
        reader: Deferred[str | bytes | None] = Deferred(self._forget_reader)
        if self._unread:
            reader.callback(self._unread.popleft())
            room, self._room = self._room, None
            if room is not None:
                room.callback(None)
        elif self._closed:
            reader.callback(None)
        else:
            self._readers.append(reader)
        if callback is not None:

            def fired(result: str | bytes | None) -> str | bytes | None:
                callback(Outcome(result))
                return result

            reader.addCallback(fired)
        return reader

    def _forget_reader(self, reader: Deferred[str | bytes | None]) -> None:
        if reader in self._readers:
            self._readers.remove(reader)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str | bytes:
        message = await self.read_message()
        if message is None:
            raise StopAsyncIteration
        return message

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """For the connection: a message arrived. The next one waits until this one was read."""
        if self._on_message_callback is not None:
            result: object = self._on_message_callback(message)
            # Tornado looks at none of it: what a lambda happens to return is no error
            return result if isinstance(result, Awaitable) else None
        if self._readers:
            self._readers.popleft().callback(message)
            return None
        if self.protocol is None:
            return None  # closed from this side: nobody is going to read it
        self._unread.append(message)
        self._room = Deferred()
        return self._room

    def on_ping(self, data: bytes) -> None:
        """A ping arrived; it was answered already. Assign a function of your own to be told."""

    def on_pong(self, data: bytes) -> None:
        """A pong arrived. Assign a function of your own to be told."""

    # --- writing ----------------------------------------------------------------------------

    def get_websocket_protocol(self) -> WebSocketConnection | None:
        """The connection, while there is one (Tornado's name)."""
        return self.protocol

    def write_message(
        self, message: str | bytes | dict[str, Any], binary: bool = False
    ) -> Deferred[None]:
        """Send text, a dict as JSON, or with ``binary`` any bytes.

        The Deferred fires when the server has (nearly) caught up. `WebSocketClosedError` if the
        WebSocket is closed.
        """
        protocol = self.protocol
        if protocol is None:
            raise WebSocketClosedError("Client connection has been closed")
        if isinstance(message, dict):
            message = escape.json_encode(message)
        return protocol.write_message(message, binary)

    def ping(self, data: str | bytes = b"") -> None:
        """Send a ping with at most 125 bytes; `WebSocketClosedError` if that cannot be."""
        protocol = self.protocol
        if protocol is None:
            raise WebSocketClosedError("Client connection has been closed")
        protocol.write_ping(data.encode() if isinstance(data, str) else data)

    # --- the end ----------------------------------------------------------------------------

    def close(self, code: int | None = None, reason: str | None = None) -> Deferred[None]:
        """Close the WebSocket; the Deferred fires when it is closed. Again does nothing.

        ValueError for a code that cannot be sent or a reason of more than 123 bytes.
        """
        protocol = self.protocol
        if protocol is None:
            return succeed(None)
        gone = protocol.close(code, reason)
        self.protocol = None
        # Whoever closes reads no more: what is left is not waited for
        self._drop_unread()
        return gone

    def _drop_unread(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            self._unread.clear()
            room.callback(None)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def on_ws_connection_close(
        self, close_code: int | None = None, close_reason: str | None = None
    ) -> None:
        """For the connection: it is gone."""
        self.close_code = close_code
        self.close_reason = close_reason
        self.protocol = None
        self.on_connection_close()

    def on_connection_close(self) -> None:
        """The WebSocket is closed: readers get None."""
        if self._closed:
            return
        self._closed = True
        readers, self._readers = self._readers, deque()
        for reader in readers:
            reader.callback(None)
        if self._on_message_callback is not None:
            self._on_message_callback(None)

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log an exception of a callback on ``cyclone.application``."""
        application_log.error(
            "Uncaught exception {error}", error=repr(value), exc_info=(typ, value, tb)
        )
