"""HTTPConnection: the Twisted protocol. Order, back-pressure and deadlines live here and only here.

Input side: `dataReceived` cuts heads and bodies out of the bytes, one request at a time; while
one is being answered what follows waits, bounded. What becomes of a request is `ReceivingSide` in
``_receiving``; the output side is `ResponseSide` in ``_responses``.
"""

from __future__ import annotations

from contextvars import copy_context
from typing import TYPE_CHECKING

from twisted.internet import tcp
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from ._errors import RequestError, StreamClosedError
from ._output import CLOSED, CLOSING, DETACHED, LINGERING, OPEN
from ._parser import HeadBuffer, head_too_large, parse_head
from ._readers import read_together
from ._receiving import ReceivingSide
from ._request import HTTPRequest, fill
from ._timeouts import NEVER

if TYPE_CHECKING:
    from ._proxyprotocol import ProxyHeader
    from ._server import HTTPServer

_MAX_LEADING_CRLF = 8
# Among so many connections one that has come back with a second request is read together with them
_CROWD = 4
# Seconds for requests that came together; then the other connections have their turn
_TURN = 0.01
_new = object.__new__


@implementer(IProtocol, IHalfCloseableProtocol, IHandshakeListener)
class HTTPConnection(ReceivingSide):
    """One connection of a client: the protocol `HTTPServer` builds, ``request.connection``.

    Handlers use the methods of `ResponseSide`: `write_response` for an answer in one piece;
    `write_headers`, `write` and `finish` for one in several; `abort`, `detach`, `notifyFinish`,
    `set_close_callback`, `registerProducer`.
    """

    __slots__ = ("_context", "_gone", "_leading", "_preface", "_turn_over")

    deadline: float
    keep_alive: bool
    tls: bool

    def __init__(self, server: HTTPServer) -> None:
        super().__init__(server)
        self._context = copy_context()
        self._leading = 0
        self._preface: ProxyHeader | None = None
        self._gone: list[Deferred[None]] | None = None
        # The input that is left waits for the reactor's next turn
        self._turn_over = False

    # --- IProtocol --------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """Twisted: here is the transport."""
        self.transport = transport
        if isinstance(transport, tcp.Connection):
            self._send = transport.getHandle().send
        else:
            self.tls = hasattr(transport, "getPeerCertificate")
        now = self.server.monotonic()
        self._now = now
        options = self.server.server_options
        first = self.server.first_timeout
        if self.tls and options.tls_handshake_timeout:
            first = options.tls_handshake_timeout
        self.deadline = now + first
        if self.server.server_options.proxy_protocol and self.server.expects_proxy_header(
            self.peer_ip
        ):
            from ._proxyprotocol import ProxyHeader

            self._preface = ProxyHeader()
        self._quiet = self._preface is None
        self.server.connection_made(self)

    def connectionMade(self) -> None:
        """Nothing is left to do after `makeConnection`."""

    def handshakeCompleted(self) -> None:
        """TLS is set up: now the time to the first request runs."""
        self.deadline = self.server.monotonic() + self.server.first_timeout

    def logPrefix(self) -> str:
        """How Twisted calls this protocol in its log."""
        return "cyclone.httpserver"

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes arrived."""
        server = self.server
        self._now = now = server.monotonic()
        if now >= server.next_sweep:
            server.sweeper.overdue(now)
        if (
            self._quiet
            # Nothing found makes 3, which three bytes of a head are as well
            and 3 < data.find(b"\r\n\r\n") + 4 == len(data) <= server.short_head
            and data[0] > 13
        ):
            self._one(data, server)
            return
        if self._state != OPEN:
            self._late_data(data)
            return
        if self._preface is not None:
            data = self._read_preface(data)
            if not data:
                return
        if self._running or self._tail:
            self._stash(data)
            return
        self._run(data)

    def _one(self, data: bytes, server: HTTPServer) -> None:
        """The common case: nothing is pending, and the bytes are one request's head.

        It does what `_run` and `_take_head` do, in one piece: every request of a client that waits
        for its answers comes through here.
        """
        self._quiet = False
        self._running = True
        try:
            try:
                request = _new(HTTPRequest)
                parse_head(data, server.server_options, request)
                request._body = request._finish_waiters = request._finish_time = None
                request._fields = request._path = None
                request._start_time = self._now
                request.connection = self
                self.request = request
                self._served = served = self._served + 1
                self.keep_alive = request._keep_alive
                if served >= server.request_limit or self.no_keep_alive or server.is_stopping:
                    self.keep_alive = False
                if served == 2:
                    self._join_the_crowd()
                if request._length:
                    self._begin_body(request)
            except RequestError as error:
                self._refuse(error)
                return
            if not request._length:
                try:
                    result = server.request_callback(request)
                    if result is not None:
                        self._follow(request, result)
                except BaseException as error:
                    self._handler_failed(request, error)
        finally:
            self._running = False
            out = self._out
            if out:
                self._out = b""
                send = self._send
                if send is None or self._outlet is not None:
                    self._put(out)
                else:
                    try:
                        sent = send(out)
                    except OSError:
                        sent = 0  # full, or broken: the transport finds out which
                    if sent != len(out):
                        self._wait_for_kernel(out[sent:])
            # write_response() has said so in the common case
            if not self._quiet:
                self._settle()

    def _settle(self) -> None:
        """Is the connection between two requests, with nothing pending?"""
        self._quiet = (
            self.request is None
            and self._state == OPEN
            and self._incoming is None
            and self._outlet is None
            and self._head_buffer is None
            and self._preface is None
            and not self._tail
            and not self._leading
            and not self._half_closed
        )

    def connectionLost(self, reason: Failure) -> None:
        """Twisted: the connection is gone."""
        self._quiet = False
        state, self._state = self._state, CLOSED
        self.deadline = NEVER
        self.server.connection_lost(self)
        if state in (CLOSED, DETACHED):
            return
        self._head_buffer = None
        self._tail = b""
        self._out = b""
        self._client_gone(reason.getErrorMessage())
        self._send = None
        gone, self._gone = self._gone, None
        for waiter in gone or ():
            waiter.callback(None)

    def readConnectionLost(self) -> None:
        """The client closed its sending side: it may be gone, or wait for its answer."""
        if self._state == DETACHED:
            return
        self._half_closed = True
        self._quiet = False
        if self._state != OPEN or (self.request is None and not self._tail):
            self._close_when_written()
        elif self._incoming is not None and not self._incoming.reader.done:
            self._kill()
        else:
            # A closed client looks the same: its handler is told. If it answers all the same,
            # that is delivered to a client that only closed one side.
            if self._outlet is None:  # else what it reads counts
                self.deadline = self._next_deadline()
            self._tell_close("the client closed its side of the connection", gone=False)

    def writeConnectionLost(self) -> None:
        """Our sending side is closed (lingering); the client reads what it has."""

    # --- input ------------------------------------------------------------------------------

    def _run(self, data: bytes) -> None:
        """Take requests out of ``data`` until it is used up or one must be waited for."""
        self._quiet = False
        self._running = True
        try:
            self._take(data)
        finally:
            self._running = False
            self._flush()
            self._settle()

    def _take(self, data: bytes) -> None:
        begun = False
        while self._state == OPEN:
            incoming = self._incoming
            if incoming is not None:
                if incoming.blocked:
                    break
                if incoming.failure is not None:
                    self._body_failed(incoming, incoming.failure)
                    return
                try:
                    if incoming.ended:
                        self._incoming = None
                        self._body_ended(incoming)
                        continue
                    if not data:
                        return
                    if incoming.timeout:
                        self.deadline = self._now + incoming.timeout
                    data = incoming.feed(data, self._now)
                except RequestError as error:
                    self._refuse(error)
                    return
                except Exception:
                    self._body_failed(incoming, Failure())  # type: ignore[no-untyped-call]
                    return
            elif self.request is not None or self._outlet is not None:
                break
            elif not data:
                if self._half_closed:
                    self._close_when_written()
                else:
                    self._resume_reading()
                return
            else:
                if begun and self.server.monotonic() - self._now > _TURN:
                    self._turn_over = True
                    self.server.reactor.callLater(0, self._next_turn)
                    break
                begun = True
                try:
                    data = self._take_head(data)
                except RequestError as error:
                    self._refuse(error)
                    return
        if data:
            if self._state == OPEN:
                self._stash(data)
            else:
                self._late_data(data)

    def _take_head(self, data: bytes) -> bytes:
        """One request head from the front of ``data``; returns what follows."""
        server = self.server
        if self._head_buffer is None:
            if data[0] < 14 or self._leading:
                data = self._skip_line_ends(data)
                if not data:
                    return data
            self._leading = 0
            end = data.find(b"\r\n\r\n") + 4
            if end < 4:
                self._begin_head(data)
                return b""
            if end > server.server_options.max_header_size:
                raise head_too_large(data, server.server_options)
            if end == len(data):
                raw, data = data, b""
            else:
                raw, data = data[:end], data[end:]
        else:
            complete = self._head_buffer.feed(data)
            if complete is None:
                return b""
            self._head_buffer = None
            raw, data = complete
        request = _new(HTTPRequest)
        parse_head(raw, server.server_options, request)
        fill(request, self, self._now)
        self.request = request
        self._served = served = self._served + 1
        self.keep_alive = request._keep_alive
        if served >= server.request_limit or self.no_keep_alive or server.is_stopping:
            self.keep_alive = False
        if served == 2:
            self._join_the_crowd()
        if self._half_closed:
            self.deadline = self._now_plus(server.server_options.half_close_timeout)
        length = request._length
        if not length:
            self._dispatch(request)
        elif 0 < length <= len(data) and self._comes_whole(request, length):
            request.body, data = data[:length], data[length:]
            self._dispatch(request)
        else:
            self._begin_body(request)
        return data

    def _join_the_crowd(self) -> None:
        if len(self.server.open_connections) >= _CROWD and self._send is not None:
            read_together(self.transport)

    def _begin_head(self, data: bytes) -> None:
        self._head_buffer = buffer = HeadBuffer(self.server.server_options)
        timeout = self.server.server_options.header_timeout
        if timeout:
            buffer.deadline = deadline = self._now + timeout
            # The first head has to be in when the time for the first request is over as well
            self.deadline = deadline if self._served else min(deadline, self.deadline)
        buffer.feed(data)

    def _skip_line_ends(self, data: bytes) -> bytes:
        """RFC 9112 section 2.2: an empty line before a request is ignored; a few of them here."""
        kept = data.lstrip(b"\r\n")
        skipped = data[: len(data) - len(kept)]
        before, self._leading = self._leading, self._leading + len(skipped)
        expected = (b"\r\n" * _MAX_LEADING_CRLF)[before:]
        if self._leading > _MAX_LEADING_CRLF or not expected.startswith(skipped):
            raise RequestError(400, "line ends before the request line")
        if kept and self._leading % 2:
            raise RequestError(400, "bare CR before the request line")
        return kept

    def _wake(self) -> None:
        """What was waited for is there: go on with the input."""
        if not self._running and not self._turn_over and self._state == OPEN:
            # Whoever ended the wait does so in the context of another request (CN-01)
            self._context.copy().run(self._go_on)

    def _next_turn(self) -> None:
        self._turn_over = False
        self._wake()

    def _go_on(self) -> None:
        self._now = self.server.monotonic()
        self._resume_body()
        tail, self._tail = self._tail, b""
        self._run(tail)
        if not self._tail and self._state == OPEN:
            self._resume_reading()

    def _stash(self, data: bytes) -> None:
        """Keep input for later; past the limit, stop reading."""
        self._tail = self._tail + data if self._tail else data
        incoming = self._incoming
        if incoming is not None or len(self._tail) >= self.server.server_options.max_pipelined_size:
            if incoming is not None and incoming.blocked:
                self.deadline = NEVER
            self._pause_reading()

    def _late_data(self, data: bytes) -> None:
        """Data after the end: thrown away, or kept for whoever the transport was given to."""
        if self._state == DETACHED:
            from ._detach import new_protocol

            data, self._tail = self._tail + data, b""
            protocol = new_protocol(self)
            if protocol is not None:
                protocol.dataReceived(data)
            else:
                self._tail = data

    def _read_preface(self, data: bytes) -> bytes:
        """The PROXY protocol's header comes before the first request."""
        assert self._preface is not None
        try:
            rest = self._preface.feed(data)
        except RequestError as error:
            self.server.log_refused(self, error)
            self._kill()
            return b""
        if rest is None:
            return b""
        address, self._preface = self._preface.source, None
        if address is not None:
            self._peer_ip = address
        return rest

    # --- closing from the server's side -----------------------------------------------------

    def close_if_idle(self) -> None:
        """Close if no request is being received or answered."""
        if (
            self.request is None
            and self._incoming is None
            and self._head_buffer is None
            and not self._tail
        ):
            self._close_when_written()

    def close(self) -> Deferred[None]:
        """Close, whatever is going on; the Deferred fires when the connection is gone."""
        gone: Deferred[None] = Deferred()
        if self._state == CLOSED:
            gone.callback(None)
            return gone
        self._gone = [*(self._gone or ()), gone]
        if self.request is None:
            self._close_when_written()
        else:
            self._kill()
        return gone

    # --- deadlines --------------------------------------------------------------------------

    def timed_out(self, now: float) -> None:
        """The sweep: this connection's time is up."""
        self.deadline = NEVER
        if self._state == LINGERING and self._outlet is None and self._send is not None:
            # The kernel may still have a part of the answer, which a reset would take back
            self._state = CLOSING
            self._lose_now()
        elif self._state in (CLOSING, LINGERING):
            self._kill()
        elif self._outlet is not None:
            self.server.log_timeout(self, "write")
            self._kill()
        elif self._half_closed:
            self._kill()
        elif self._incoming is not None:
            self._now = now
            if self.request is None:  # draining after the answer
                self._linger()
            elif not self._incoming.blocked:
                self._refuse(RequestError(408, "body timed out"))
        elif self.request is not None:
            return
        elif self._head_buffer is not None:
            self._refuse(RequestError(408, "head timed out"))
        elif self._served:
            self._close_when_written()
        else:
            self.server.log_timeout(self, "first request")
            self._kill()

    def _client_gone(self, reason: str) -> None:
        incoming, self._incoming = self._incoming, None
        error = StreamClosedError(reason)
        if self._outlet is not None:
            outlet, self._outlet = self._outlet, None
            outlet.fail(error)
        self._tell_close(reason)
        if incoming is not None:
            incoming.discard()
        request, self.request = self.request, None
        self._response = None
        if request is not None:
            request._finished(reason)
