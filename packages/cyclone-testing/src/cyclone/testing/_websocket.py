"""A WebSocket client in memory, on the sans-I/O half of `websockets`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from cyclone.httpclient import HTTPClientError, HTTPStreamClosedError
from cyclone.httputil import HTTPHeaders

from ._inbox import Inbox
from ._request import OutgoingRequest
from ._response import ClientResponse

if TYPE_CHECKING:
    from ._connection import MemoryConnection

Message = str | bytes
_TEXT, _BINARY, _CONTINUATION, _CLOSE, _PONG = 1, 2, 0, 8, 10


class MemoryWebSocket:
    """A WebSocket to an application in memory: ``await client.websocket("/ws")`` makes it.

    `write_message` and `read_message` are those of Tornado's and Cyclone's client;
    ``async for message in websocket`` ends when the server closes. ``close_code`` and
    ``close_reason`` tell how.
    """

    def __init__(
        self,
        connection: MemoryConnection,
        uri: str,
        headers: Mapping[str, Any] | None,
        subprotocols: Sequence[str],
        compression: bool,
        max_message_size: int,
    ) -> None:
        self.connection = connection
        #: Fires with this object when the handshake is done.
        self.opened: Deferred[MemoryWebSocket] = Deferred(lambda _: self.abort())
        self.headers: HTTPHeaders = HTTPHeaders()
        self.close_code: int | None = None
        self.close_reason: str | None = None
        self._inbox: Inbox[Message | None] = Inbox(connection.soon)
        self._pongs: Inbox[bytes] = Inbox(connection.soon)
        self._parts: list[bytes] = []
        self._error: Exception | None = None
        self._kind = _BINARY
        self._protocol = _protocol(uri, subprotocols, compression, max_message_size)
        request = self._protocol.connect()
        for name, value in HTTPHeaders(headers or {}).get_all():
            if name in request.headers:
                del request.headers[name]
            request.headers[name] = value
        self._protocol.send_request(request)
        connection.upgrade(self)
        self._flush()

    @property
    def selected_subprotocol(self) -> str | None:
        """The subprotocol that the server chose."""
        chosen: str | None = self._protocol.subprotocol
        return chosen

    @property
    def error(self) -> Exception | None:
        """What the server did wrong, if it did."""
        return self._error or self._protocol.parser_exc

    @property
    def _open(self) -> bool:
        return not self.closed and bool(self._protocol.state.name == "OPEN")

    @property
    def closed(self) -> bool:
        """Whether the connection is gone."""
        return self.connection.closed

    def write_message(
        self, message: Message | dict[str, Any], binary: bool = False
    ) -> Deferred[None]:
        """Send a message: text, bytes, or a dict as JSON; ``binary``: as a binary message.

        It fails with `cyclone.httpclient.HTTPStreamClosedError` when the connection is closed.
        """
        if isinstance(message, dict):
            import json

            message = json.dumps(message)
        data = message.encode() if isinstance(message, str) else message
        if not self._open:
            return fail(HTTPStreamClosedError("the WebSocket is closed"))
        if binary or isinstance(message, bytes):
            self._protocol.send_binary(data)
        else:
            self._protocol.send_text(data)
        self._flush()
        return succeed(None)

    def read_message(self) -> Deferred[Message | None]:
        """A Deferred for the next message, or None when the connection has closed."""
        return self._inbox.get()

    async def __aiter__(self) -> AsyncIterator[Message]:
        while (message := await self.read_message()) is not None:
            yield message

    def ping(self, data: bytes = b"") -> Deferred[bytes]:
        """Send a ping; a Deferred for the data of the next pong."""
        if not self._open:
            return fail(HTTPStreamClosedError("the WebSocket is closed"))
        self._protocol.send_ping(data)
        self._flush()
        return self._pongs.get()

    def close(self, code: int | None = None, reason: str = "") -> Deferred[bool]:
        """Begin to close; a Deferred for the end of the connection."""
        if self._open:
            self._protocol.send_close(code if code is not None else 1000, reason)
            self._flush()
        return self.connection.when_closed()

    def abort(self) -> None:
        """Go away without a word."""
        self.connection.lose(clean=False)

    def pause_reading(self) -> None:
        """Read nothing and answer no pings, as a client that has stalled."""
        self.connection.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self.connection.resume_reading()

    # --- the connection's side --------------------------------------------------------------

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self.connection.send(data)
            else:
                self.connection.half_close()

    def data_received(self, data: bytes) -> None:
        """Bytes from the server."""
        self._protocol.receive_data(data)
        self._flush()
        for event in self._protocol.events_received():
            if hasattr(event, "opcode"):
                self._frame(event)
            else:
                self._response(event)

    def _response(self, response: Any) -> None:
        self.headers = HTTPHeaders()
        for name, value in response.headers.raw_items():
            self.headers.add(name, value)
        error = self._protocol.handshake_exc
        if error is None:
            self.connection.soon(lambda: self._opened(self))
        else:
            code, reason = response.status_code, response.reason_phrase
            found = ClientResponse(code, reason, self.headers, bytes(response.body or b""))
            refusal = Failure(_refusal(found, error))  # type: ignore[no-untyped-call]
            self.connection.soon(lambda: self._opened(refusal))
            self.connection.close()

    def _opened(self, result: Any) -> None:
        if not self.opened.called:
            self.opened.callback(result)

    def _frame(self, frame: Any) -> None:
        if frame.opcode in (_TEXT, _BINARY):
            self._kind, self._parts = frame.opcode, []
        if frame.opcode in (_TEXT, _BINARY, _CONTINUATION):
            self._parts.append(bytes(frame.data))
            if frame.fin:
                data = b"".join(self._parts)
                self._parts = []
                self._message(data)
        elif frame.opcode == _PONG:
            self._pongs.put(bytes(frame.data))
        elif frame.opcode == _CLOSE:
            self._ended()

    def _message(self, data: bytes) -> None:
        try:
            self._inbox.put(data.decode() if self._kind == _TEXT else data)
        except UnicodeDecodeError as error:
            self._error = error
            self._protocol.fail(1007, "text that is not UTF-8")
            self._flush()

    def connection_lost(self) -> None:
        """The server closed."""
        self._protocol.receive_eof()
        closed = HTTPStreamClosedError("the server closed the connection in the handshake")
        closed.__cause__ = self._protocol.handshake_exc
        lost = Failure(closed)  # type: ignore[no-untyped-call]
        self.connection.soon(lambda: self._opened(lost))
        self._ended()
        self._pongs.end(HTTPStreamClosedError("the WebSocket is closed"))

    def _ended(self) -> None:
        received = self._protocol.close_rcvd
        if self.close_code is None:
            self.close_code = 1006 if received is None else received.code
            self.close_reason = "" if received is None else received.reason
        self._inbox.end(None)


def _refusal(response: ClientResponse, cause: BaseException) -> HTTPClientError:
    if response.code == 101:
        error = HTTPClientError(599, f"bad handshake: {cause}")
    else:
        error = HTTPClientError(response.code, response.reason)
    error.__cause__ = cause
    return error


def _protocol(uri: str, subprotocols: Sequence[str], compression: bool, max_size: int) -> Any:
    try:
        from websockets.client import ClientProtocol
        from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
        from websockets.uri import parse_uri
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "Client.websocket needs cyclone-testing[websocket]", name=error.name
        ) from error
    return ClientProtocol(
        parse_uri(uri),
        subprotocols=list(subprotocols) or None,  # type: ignore[arg-type]
        extensions=[ClientPerMessageDeflateFactory()] if compression else None,
        max_size=max_size,
    )


def websocket_uri(uri: str, params: Any, host: str, secure: bool) -> str:
    """The whole address for a path (or an address of http, https, ws or wss)."""
    request = OutgoingRequest("GET", uri, params)
    scheme = {"http": "ws", "https": "wss"}.get(request.scheme, request.scheme)
    return f"{scheme or ('wss' if secure else 'ws')}://{request.netloc or host}{request.target}"
