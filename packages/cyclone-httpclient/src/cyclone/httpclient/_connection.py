"""One HTTP/1.1 connection to a server, for one exchange after another.

It knows nothing of redirects, decoding or retries: bytes out, the events of the parser to a
`ResponseSink`, back-pressure both ways. A connection is used again only after a response that
ended by its own framing, with the whole request sent, nothing left over and no ``close`` from
either side; in every other case it is closed (R2, CL-10, CL-12).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol as TypingProtocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHandshakeListener, IPushProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from ._body import Body, BodySender
from ._errors import (
    HTTPProtocolError,
    HTTPResponseTooLargeError,
    HTTPStreamClosedError,
    HTTPTLSError,
)
from ._failures import closed_error, is_tls_error, tls_message
from ._parser import END, LimitError, ProtocolError, ResponseHead, ResponseParser
from ._route import Route
from ._twisted import StreamTransport, error_of


class ResponseSink(TypingProtocol):
    """Who takes a response: the head, the body, then exactly one of complete and failed."""

    def head_received(self, head: ResponseHead) -> None:
        """The final head (a ``1xx`` does not come here)."""
        ...

    def body_received(self, data: bytes) -> Deferred[object] | None:
        """A piece of the body; nothing more is read until a returned Deferred has fired."""
        ...

    def response_complete(self) -> None:
        """The response is whole."""
        ...

    def exchange_failed(self, error: Exception) -> None:
        """There will be no (more) response."""
        ...


class Outgoing(TypingProtocol):
    """What is sent: the parts of a request as this connection needs them."""

    method: str
    head: bytes
    body: Body | None
    length: int | None
    wait_for_continue: bool
    close: bool


@implementer(IHandshakeListener, IPushProducer)
class HTTP1Connection(Protocol):
    """The protocol. ``on_free(connection, reusable)`` is called after each exchange; when
    it returns true the exchange goes on elsewhere and its sink is not told of the failure.
    """

    transport: StreamTransport  # type: ignore[assignment]

    def __init__(self, route: Route) -> None:
        self.route = route
        self.closed = False
        self.idle_since = 0.0
        self.unanswered = False
        self.on_free: Callable[[HTTP1Connection, bool], bool] | None = None
        self.on_closed: Callable[[HTTP1Connection], None] | None = None
        self._parser = ResponseParser(route.max_header_size)
        self._sink: ResponseSink | None = None
        self._request: Outgoing | None = None
        self._secured: Deferred[HTTP1Connection] | None = None
        self._handshaken = False
        self._waiting = False
        self._sending: Deferred[None] | None = None
        self._unsent: Body | None = None
        self._room: Deferred[None] | None = None
        self._full = False
        self._pumping = False
        self._closing: ResponseSink | None = None
        self._lost_reason: Failure | None = None

    # The connection itself

    def connectionMade(self) -> None:
        set_no_delay = getattr(self.transport, "setTcpNoDelay", None)
        if set_no_delay is not None and self.route.unix_socket is None:
            set_no_delay(True)

    def secured(self) -> Deferred[HTTP1Connection]:
        """Fires when the TLS handshake is over."""
        if self._handshaken:
            return succeed(self)
        self._secured = Deferred(lambda _: self.abort())
        return self._secured

    def handshakeCompleted(self) -> None:
        """TLS stands (IHandshakeListener)."""
        self._handshaken = True
        waiting, self._secured = self._secured, None
        if waiting is not None:
            waiting.callback(self)

    def abort(self) -> None:
        """Drop the connection now; the sink hears nothing more."""
        self._sink = None
        self._closing = None
        self._stop_sending()
        if not self.closed:
            self.closed = True
            self.transport.abortConnection()

    def close(self) -> None:
        """Close a connection that is not in use.

        Over TLS at once: a polite end waits for the peer's, and that may never come.
        """
        if not self.closed:
            self.closed = True
            if self.route.tls is None:
                self.transport.loseConnection()
            else:
                self.transport.abortConnection()

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        self.closed = True
        waiting, self._secured = self._secured, None
        if waiting is not None and not waiting.called:
            waiting.errback(reason)
        room, self._room = self._room, None
        if room is not None:
            room.errback(closed_error(error_of(reason), "The connection closed during the upload"))
        if self._closing is not None:
            self._report_closed()
        elif self._waiting:
            self._lost_reason = reason
        elif self._sink is not None:
            self._lost(reason)
        if self.on_closed is not None:
            self.on_closed(self)

    def _lost(self, reason: Failure) -> None:
        if is_tls_error(error_of(reason)):
            self._fail(self._tls_failed(error_of(reason)))
            return
        self.unanswered = not self._parser.started
        try:
            complete = self._parser.end_of_stream()
        except ProtocolError as error:
            failed = closed_error(error_of(reason), "Stream closed: " + str(error))
            self._fail(failed)
            return
        if complete and isinstance(reason.value, ConnectionDone):
            self._complete(reusable=False)
        else:
            self._fail(closed_error(error_of(reason), "Stream closed"))

    def _tls_failed(self, error: Exception) -> Exception:
        """Refused after our part of the handshake (TLS 1.3), or broken later; never a success."""
        if self._parser.started:
            return closed_error(error, "The TLS connection broke")
        refused = HTTPTLSError(tls_message(error, self.route))
        refused.__cause__ = error
        return refused

    # An exchange

    def start(self, request: Outgoing, sink: ResponseSink) -> None:
        """Send a request; its response goes to ``sink``."""
        self._request = request
        self._sink = sink
        self._parser.start(request.method)
        self.transport.write(request.head)
        if request.body is not None:
            self._unsent = request.body
            if not request.wait_for_continue:
                self.send_body()

    def send_body(self) -> None:
        """Start the upload, which may have waited for ``100 Continue``."""
        body, self._unsent = self._unsent, None
        request = self._request
        if body is None or request is None or self.closed:
            return
        self.transport.registerProducer(self, True)
        sender = BodySender(body, request.length, self._write_body)
        sending = sender.start()
        self._sending = sending
        sending.addCallbacks(self._body_sent, self._body_failed)

    def _write_body(self, data: bytes) -> Deferred[None]:
        if self.closed or self._sink is None:
            raise HTTPStreamClosedError("The connection closed during the upload")
        self.transport.write(data)
        if not self._full:
            return succeed(None)
        if self._room is None:
            self._room = Deferred()
        waiting: Deferred[None] = Deferred()
        self._room.addCallbacks(
            lambda _: waiting.callback(None), lambda failure: waiting.errback(failure)
        )
        return waiting

    def _body_sent(self, _: object) -> None:
        self._sending = None
        if not self.closed:
            self.transport.unregisterProducer()

    def _body_failed(self, failure: Failure) -> None:
        self._sending = None
        if self._sink is None or self.closed:
            return
        self.transport.unregisterProducer()
        if self._parser.started:
            # The server may be answering: what it says matters more than our own trouble.
            return
        self._fail(error_of(failure))

    def _stop_sending(self) -> None:
        self._unsent = None
        sending, self._sending = self._sending, None
        if sending is not None:
            if not self.closed:
                self.transport.unregisterProducer()
            sending.addErrback(lambda _: None)
            sending.cancel()

    def pauseProducing(self) -> None:
        """The transport is full (IPushProducer, for the upload)."""
        self._full = True

    def resumeProducing(self) -> None:
        """The transport has room."""
        self._full = False
        room, self._room = self._room, None
        if room is not None:
            room.callback(None)

    def stopProducing(self) -> None:
        """The transport is gone; connectionLost says the rest."""

    def dataReceived(self, data: bytes) -> None:
        self._parser.feed(data)
        if self._sink is None:
            # Bytes that nobody asked for: an answer to nothing would be taken for the next one.
            self.abort()
        elif not self._waiting:
            self._pump()

    def _pump(self) -> None:
        """Give out events until there are none, or the sink wants to wait, or is done."""
        parser = self._parser
        while (sink := self._sink) is not None:
            try:
                event = parser.next_event()
            except ProtocolError as error:
                self._fail(_protocol_error(error))
                return
            if event is None:
                return
            if type(event) is bytes:
                waiting = sink.body_received(event)
                if waiting is not None and not self._proceed(waiting):
                    return
            elif event is END:
                self._complete(reusable=parser.keep_alive and parser.idle)
                return
            elif isinstance(event, ResponseHead):
                self._take_head(event, sink)

    def _take_head(self, head: ResponseHead, sink: ResponseSink) -> None:
        if head.code >= 200:
            if self._unsent is not None:
                # A final answer instead of "100 Continue": the body is never sent.
                self._parser.keep_alive = False
            sink.head_received(head)
        elif head.code == 100:
            self.send_body()

    def _proceed(self, waiting: Deferred[object]) -> bool:
        """Whether to go on at once; otherwise reading stops until the Deferred fires."""
        self._waiting = True
        self._pumping = True
        waiting.addCallbacks(self._resume, self._sink_failed)
        self._pumping = False
        if self._waiting and not self.closed:
            self.transport.pauseProducing()
        return not self._waiting

    def _resume(self, _: object) -> None:
        self._waiting = False
        if not self._pumping and self._sink is not None:
            if not self.closed:
                self.transport.resumeProducing()
            self._pump()
            lost, self._lost_reason = self._lost_reason, None
            if lost is not None and self._sink is not None:
                if self._waiting:
                    self._lost_reason = lost
                else:
                    self._lost(lost)

    def _sink_failed(self, failure: Failure) -> None:
        self._waiting = False
        if self._sink is not None:
            self._fail(error_of(failure))

    def _fail(self, error: Exception) -> None:
        sink = self._sink
        self.abort()
        goes_on = self.on_free is not None and self.on_free(self, False)
        if sink is not None and not goes_on:
            sink.exchange_failed(error)

    def _complete(self, *, reusable: bool) -> None:
        sink = self._sink
        request = self._request
        uploading = self._sending is not None or self._unsent is not None
        reusable = reusable and not uploading and not self.closed
        self._sink = None
        self._request = None
        self._waiting = False
        self._stop_sending()
        if request is not None and request.close and not (uploading or self.closed) and sink:
            self._close_first(sink)
            return
        if uploading:
            # What is still to be sent would keep the socket open as long as the peer likes.
            self.abort()
        elif not reusable:
            self.close()
        if self.on_free is not None:
            self.on_free(self, reusable)
        if sink is not None:
            sink.response_complete()

    def _close_first(self, sink: ResponseSink) -> None:
        """Without keep-alive the response is given out when the socket is closed: nothing is
        left behind in the reactor, as trial wants it.
        """
        self._closing = sink
        self.close()

    def _report_closed(self) -> None:
        closing, self._closing = self._closing, None
        if self.on_free is not None:
            self.on_free(self, False)
        if closing is not None:
            closing.response_complete()


def _protocol_error(error: ProtocolError) -> HTTPStreamClosedError:
    if isinstance(error, LimitError):
        return HTTPResponseTooLargeError(str(error))
    return HTTPProtocolError(str(error))
