"""The output side of a connection: answers in one piece or in several, and how it ends."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.python.failure import Failure

from cyclone.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPOutputError,
    ResponseStartLine,
    responses,
)

from . import _writer as wire
from ._errors import RequestError, StreamClosedError
from ._output import (
    BATCH_SIZE,
    BY_CHUNKS,
    BY_CLOSE,
    BY_LENGTH,
    NO_BODY,
    OPEN,
    RAW,
    OutputSide,
    Streamed,
)
from ._taken import refused
from ._timeouts import NEVER

if TYPE_CHECKING:
    from ._incoming import Incoming
    from ._peer import ConnectionContext, ConnectionStream
    from ._request import HTTPRequest

_status_lines = wire.STATUS_LINES
_length_lines = wire.LENGTH_LINES


class ResponseSide(OutputSide):
    """What a handler may do with its connection."""

    __slots__ = ()

    deadline: float
    keep_alive: bool
    request: HTTPRequest | None

    # --- an answer in one piece -------------------------------------------------------------

    def write_response(
        self,
        request: HTTPRequest,
        status: int,
        reason: str | None,
        headers: HTTPHeaders | bytes,
        body: bytes,
        *,
        date: bool = True,
    ) -> None:
        r"""Answer ``request`` completely: the fast path, one buffer and no Deferred.

        Adds ``Date`` (unless ``date`` is false or the headers have one), ``Content-Length`` unless
        the headers have one, and ``Connection`` as needed. No body is sent for HEAD, nor with a
        status that has none. ``headers`` may be bytes, ``Name: value\r\n`` for each, made by
        `HTTPHeaders.wire`: then they must not hold Date, Connection, or framing headers.

        RuntimeError if ``request`` is not being answered or its answer was begun;
        `HTTPOutputError` for a bad status or reason or a ``Content-Length`` that is not the body's.
        """
        if self.request is not request or self._response is not None:
            raise RuntimeError("This request is not (or no longer) to be answered")
        start = _status_lines.get(status) if reason is None else None
        if start is None:
            start = wire.status_line(status, reason)
        if type(headers) is bytes:
            fields = headers
            size = len(body)
            end = _length_lines[size] if size < 1024 else wire.length_line(size)
        else:
            fields = headers.wire()  # type: ignore[union-attr]
            # A name found may be part of a value: the long way looks properly
            if (
                fields.find(b"Content-Length:") < 0
                and fields.find(b"Connection:") < 0
                and fields.find(b"Transfer-Encoding:") < 0
            ):
                end = wire.length_line(len(body))
            else:
                fields, end = self._fields(headers, status, body, request)  # type: ignore[arg-type]
            if fields.find(b"Date:") >= 0 and "Date" in headers:
                date = False
        if status != 200 and (status < 200 or status == 204 or status == 304):
            if status < 200:
                raise HTTPOutputError("An informational status does not end a response")
            end = wire.CRLF
            body = b""
        elif request.method == "HEAD":
            body = b""
        if not self.keep_alive or self._incoming is not None or request._http10:
            end = self._connection_line(request) + end
        server = self.server
        # A callback that answers at once does so when its request came
        now = self._now if self._running else server.monotonic()
        if date:
            line = server.date_line
            stamp = line.line if now < line.until else line(now)
            data = b"".join((start, stamp, fields, end, body))
        else:
            data = b"".join((start, fields, end, body))
        if self._running:
            out = self._out
            self._out = out + data if out else data
            if len(data) > BATCH_SIZE or len(out) > BATCH_SIZE:
                self._flush()
        else:
            self._put(data)
        # What _done() does, for the common case
        if self.keep_alive and self._running and self._incoming is None and self._producer is None:
            self.request = None
            self._close_callback = None
            self._quiet = True
            if self._outlet is None:
                self.deadline = now + server.idle_timeout
            if request._finish_waiters is not None:
                request._finished(None)
        else:
            self._done(request)

    def _connection_line(self, request: HTTPRequest) -> bytes:
        """The ``Connection`` header of an answer that begins now, if it needs one."""
        if self._incoming is not None:
            self._settle_keep_alive()
        if not self.keep_alive:
            # To an HTTP/1.0 client that did not ask for more, closing is what it expects
            return b"" if request._http10 and not request._keep_alive else wire.CLOSE
        return wire.KEEP_ALIVE if request._http10 else b""

    def _fields(
        self, headers: HTTPHeaders, status: int, body: bytes, request: HTTPRequest
    ) -> tuple[bytes, bytes]:
        """The wire form of headers, and the end of the head with the length of the body."""
        length = wire.declared_length(headers)
        if length is None:
            if "Connection" in headers or "Transfer-Encoding" in headers:
                headers = self._own_framing(headers)
            return headers.wire(), wire.length_line(len(body))
        if wire.bodiless(status):
            headers = headers.copy()
            del headers["Content-Length"]
        elif length != len(body) and request.method != "HEAD":
            raise HTTPOutputError(f"Content-Length is {length}, the body has {len(body)} bytes")
        if "Connection" in headers or "Transfer-Encoding" in headers:
            headers = self._own_framing(headers)
        return headers.wire(), wire.CRLF

    def _own_framing(self, headers: HTTPHeaders) -> HTTPHeaders:
        """Headers without what only the connection may write; ``close`` is taken as a wish."""
        headers = headers.copy()
        headers.pop("Transfer-Encoding", None)
        tokens = headers.pop("Connection", "").lower()
        if "close" in [token.strip() for token in tokens.split(",")]:
            self.keep_alive = False
        return headers

    # --- an answer in several pieces --------------------------------------------------------

    def write_headers(
        self,
        start_line: ResponseStartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
    ) -> Deferred[None]:
        """Send the head of a response, and the first piece of its body if there is one already.

        Without ``Content-Length`` the body goes out in chunks; to an HTTP/1.0 client, as is until
        the connection is closed. An informational status (100-199 but 101) may come first, several
        times. The Deferred is `write`'s. RuntimeError if the head was sent before.
        """
        request = self.request
        if self._state != OPEN:
            return refused()
        if request is None or self._response is not None:
            raise RuntimeError("The head of this response was sent already")
        status = start_line.code
        start = wire.status_line(status, start_line.reason)
        http10 = request._http10
        if 100 <= status < 200 and status != 101:
            if http10:
                return succeed(None)
            return self._push(b"".join((start, headers.wire(), wire.CRLF)))
        if status == 101:
            self._response = Streamed(RAW)
            return self._push(b"".join((start, headers.wire(), wire.CRLF)))
        response, framing, fields = self._framing(request, status, headers, http10)
        if "Date" not in headers:
            fields += self.server.date_line(self.server.monotonic())
        connection = self._connection_line(request)
        self._no_delay()
        self._response = response
        data = b"".join((start, fields, framing, connection, wire.CRLF))
        if chunk:
            data += self._framed(response, chunk)
        return self._push(data)

    def _framing(
        self, request: HTTPRequest, status: int, headers: HTTPHeaders, http10: bool
    ) -> tuple[Streamed, bytes, bytes]:
        """How the body of this response ends, the header line that says so, and the fields."""
        length = wire.declared_length(headers)
        if "Connection" in headers or "Transfer-Encoding" in headers:
            headers = self._own_framing(headers)
        if wire.bodiless(status):
            if length is not None:
                headers = headers.copy()
                del headers["Content-Length"]
            return Streamed(NO_BODY), b"", headers.wire()
        if request.method == "HEAD":
            return Streamed(NO_BODY), b"", headers.wire()
        if length is not None:
            return Streamed(BY_LENGTH, length), b"", headers.wire()
        if http10:
            self.keep_alive = False
            return Streamed(BY_CLOSE), b"", headers.wire()
        return Streamed(BY_CHUNKS), wire.CHUNKED_LINE, headers.wire()

    def _framed(self, response: Streamed, chunk: bytes) -> bytes:
        framing = response.framing
        if framing == BY_CHUNKS:
            return wire.chunk(chunk)
        if framing == BY_LENGTH:
            if len(chunk) > response.remaining:
                raise HTTPOutputError("More body than Content-Length says")
            response.remaining -= len(chunk)
        elif framing == NO_BODY:
            return b""
        return chunk

    def write(self, chunk: bytes) -> Deferred[None]:
        """Send a piece of the body.

        The Deferred fires when the transport has taken it, so that a writer who waits keeps pace
        with the client. It errbacks with `StreamClosedError` if the client is gone. A writer that
        does not wait loses the connection at ``max_buffer_size``. `HTTPOutputError` for more
        bytes than ``Content-Length`` says.
        """
        if self._state != OPEN:
            return refused()
        response = self._response
        if response is None:
            response = self._begin_raw(chunk)
        if not chunk:
            return succeed(None)
        return self._push(self._framed(response, chunk))

    def send_file(self, descriptor: int, start: int, count: int) -> Deferred[None]:
        """Send ``count`` bytes of an open file from ``start`` on, as a piece of the body.

        The kernel moves them by itself where it can. The Deferred is as for `write`; the descriptor
        must stay open until it fires. It errbacks with EOFError, the connection being aborted, if
        the file ends early. RuntimeError before `write_headers`.
        """
        from ._sendfile import send_file

        return send_file(self, descriptor, start, count)

    def _begin_raw(self, chunk: bytes) -> Streamed:
        """A response the program wrote itself, head and all, as Cyclone 1.3's examples do."""
        if self.request is None:
            raise RuntimeError("There is no request to answer")
        head = chunk.partition(b"\r\n\r\n")[0].lower()
        if b"\r\ncontent-length:" not in head and b"\r\ntransfer-encoding:" not in head:
            self.keep_alive = False
        self._settle_keep_alive()
        self._response = Streamed(RAW)
        return self._response

    def finish(self) -> Deferred[None]:
        """End the response that `write_headers` began; the Deferred is as for `write`.

        A body shorter than ``Content-Length`` says cannot be ended: the connection is aborted and
        `HTTPOutputError` raised. RuntimeError if no response was begun.
        """
        if self._state != OPEN:
            return refused()
        response, request = self._response, self.request
        if response is None or request is None:
            raise RuntimeError("No response to finish")
        if response.framing == BY_LENGTH and response.remaining:
            missing = response.remaining
            self.abort()
            raise HTTPOutputError(f"The body is {missing} bytes shorter than Content-Length")
        if response.framing == BY_CHUNKS:
            self._emit(wire.LAST_CHUNK)
        self._done(request)
        return self._taken()

    def send_continue(self) -> None:
        """Send ``100 Continue`` now if the client waits for it and it was not sent."""
        incoming = self._incoming
        if incoming is not None and incoming.expect_continue and self._response is None:
            incoming.expect_continue = False
            self._emit(wire.CONTINUE)

    # --- settings of the request ------------------------------------------------------------

    def set_max_body_size(self, size: int | None) -> None:
        """Another limit for the body of the current request, in bytes; None: no limit."""
        if self._incoming is not None:
            self._incoming.limit = size

    def set_body_timeout(self, timeout: float | None) -> None:
        """Another time, in seconds, within which bytes of this body must arrive; None: no limit."""
        if self._incoming is not None:
            self._incoming.timeout = timeout
            if self.deadline != NEVER or timeout:
                self.deadline = self._now + timeout if timeout else NEVER

    @property
    def context(self) -> ConnectionContext:
        """Tornado's name for who is at the other end: address, ``remote_ip``, ``protocol``."""
        from ._peer import ConnectionContext

        return ConnectionContext(self)

    @property
    def stream(self) -> ConnectionStream:
        """What Tornado's handlers ask the stream of a connection: ``closed()``, ``socket``."""
        from ._peer import ConnectionStream

        return ConnectionStream(self)

    def set_close_callback(self, callback: Callable[[], object] | None) -> None:
        """Call ``callback()`` if the client goes away before the current request is answered."""
        self._close_callback = callback

    def notifyFinish(self) -> Deferred[str | None]:
        """`HTTPRequest.notifyFinish` of the current request; RuntimeError if there is none."""
        if self.request is None:
            raise RuntimeError("No request is being answered")
        return self.request.notifyFinish()

    # --- the end of a response --------------------------------------------------------------

    def _done(self, request: HTTPRequest) -> None:
        """The response was handed over: on to the next request, or to the end."""
        self.request = None
        self._response = None
        self._close_callback = None
        now = self.server.monotonic()
        request._finish_time = now
        idle = self.server.idle_timeout
        if self._outlet is None:
            self.deadline = now + idle
        if request._finish_waiters is not None:
            request._finished(None)
        if self._state != OPEN:
            return
        if self._producer is not None:
            self.unregisterProducer()
        incoming = self._incoming
        if incoming is not None:
            self._drain(incoming, now)
        elif not self.keep_alive:
            self._end()
        elif not self._running:
            self._next()

    def _settle_keep_alive(self) -> None:
        """An answer begins while the body is not in: can the connection be kept?"""
        incoming = self._incoming
        if incoming is None:
            return
        if incoming.receiver is not None and not incoming.expect_continue:
            return  # its receiver may well read all of it before the answer ends
        remaining = getattr(incoming.reader, "remaining", 0)
        if incoming.expect_continue or remaining > self.server.server_options.max_drain_size:
            self.keep_alive = False

    def _drain(self, incoming: Incoming, now: float) -> None:
        """Answered before the body was in: read a little of it, or close."""
        options = self.server.server_options
        remaining = getattr(incoming.reader, "remaining", 0)
        incoming.discard()
        if not self.keep_alive or incoming.expect_continue or remaining > options.max_drain_size:
            self._end()
            return
        incoming.limit = incoming.received + options.max_drain_size
        incoming.timeout = None
        self.deadline = now + options.linger_timeout
        if not self._running:
            self._wake()

    def _end(self) -> None:
        """No further request on this connection."""
        if self._incoming is not None or self._tail:
            self._linger()
        else:
            self._close_when_written()

    def _refuse(self, error: RequestError) -> None:
        """Answer a bad request, if nothing was answered yet, and close."""
        self.server.log_refused(self, error)
        self.keep_alive = False
        incoming = self._incoming
        response, self._response = self._response, None
        request, self.request = self.request, None
        if incoming is not None:
            incoming.discard()
        if request is not None:
            self._tell_close(str(error))
            request._finished(str(error))
        if response is not None:
            self._break_off(response)
            return
        if request is not None or incoming is None:
            self._emit(error_response(error.status_code, request, self._date()))
        self._linger()

    def turn_away(self) -> None:
        """For `AcceptGate`: there are too many connections; 503 before anything was asked."""
        self.keep_alive = False
        self._emit(error_response(503, None, self._date()))
        self._linger()

    def _handler_failed(self, request: HTTPRequest, error: BaseException) -> None:
        """The program raised: an error page if nothing was sent, else a visible break."""
        current = self.request is request and self._state == OPEN
        if isinstance(error, HTTPInputError):
            status = error.status_code
            self.server.log_refused(self, error)
        elif not current and isinstance(error, StreamClosedError | CancelledError):
            return  # it was told that the client went away
        else:
            status = 500
            self.server.log_failure(request, error)
        if current:
            if self._response is None:
                self.keep_alive = False
                self._emit(error_response(status, request, self._date()))
                self._done(request)
            else:
                self.abort()
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error

    def _follow(self, request: HTTPRequest, result: object) -> None:
        """The callback returned something to wait for; only its failure matters."""
        if isinstance(result, Deferred):
            waited: Deferred[Any] = result
        elif isinstance(result, Coroutine):
            waited = Deferred.fromCoroutine(result)
        else:
            error = TypeError(f"The callback returned {type(result).__name__}, not None")
            self._handler_failed(request, error)
            return

        def failed(failure: Failure) -> None:
            if failure.value is not None:
                self._handler_failed(request, failure.value)

        waited.addErrback(failed)


def error_response(status: int, request: HTTPRequest | None, date: bytes) -> bytes:
    """A complete small answer that ends the connection."""
    reason = responses.get(status, "Error")
    body = f"{status} {reason}\n".encode("latin-1")
    head = b"Content-Type: text/plain; charset=utf-8\r\n"
    end = wire.length_line(len(body))
    if request is not None and request.method == "HEAD":
        body = b""
    return b"".join((wire.status_line(status), head, date, wire.CLOSE, end, body))


__all__ = ["ResponseSide", "Streamed", "error_response"]
