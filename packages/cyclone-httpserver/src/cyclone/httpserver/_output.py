"""Bytes out and the end of a connection: what `ResponseSide` builds its answers on."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, succeed

from ._outlet import Outlet
from ._timeouts import NEVER

if TYPE_CHECKING:
    from ._incoming import Incoming
    from ._parser import HeadBuffer
    from ._request import HTTPRequest
    from ._server import HTTPServer

# The states of a connection. It starts OPEN; no state leads back to it.
OPEN: Final = 0
#: Nothing more is read; the transport is closed when the output is out.
CLOSING: Final = 1
#: Our side is closed when the output is out; input is dropped for a while.
LINGERING: Final = 2
CLOSED: Final = 3
#: The transport is somebody else's.
DETACHED: Final = 4

# How the end of a streamed response is known
BY_LENGTH: Final = "length"
BY_CHUNKS: Final = "chunks"
BY_CLOSE: Final = "close"
NO_BODY: Final = "none"
RAW: Final = "raw"

#: What is sent while input is worked on leaves together, up to this size.
BATCH_SIZE: Final = 16384


class Streamed:
    """A response whose head was sent."""

    __slots__ = ("framing", "remaining")

    def __init__(self, framing: str, remaining: int = 0) -> None:
        self.framing = framing
        self.remaining = remaining


class OutputSide:
    """The state of a connection, its output, and how it is closed."""

    __slots__ = (
        "__weakref__",
        "_close_callback",
        "_half_closed",
        "_head_buffer",
        "_incoming",
        "_now",
        "_out",
        "_outlet",
        "_peer_ip",
        "_producer",
        "_quiet",
        "_reading_paused",
        "_response",
        "_running",
        "_send",
        "_served",
        "_state",
        "_tail",
        "deadline",
        "keep_alive",
        "no_keep_alive",
        "request",
        "server",
        "tls",
        "transport",
    )

    def __init__(self, server: HTTPServer) -> None:
        self.server: HTTPServer = server
        #: The request that is being answered, or None.
        self.request: HTTPRequest | None = None
        #: Settable: close when this answer is out.
        self.no_keep_alive: bool = server.server_options.no_keep_alive
        self.keep_alive: bool = True
        self.deadline: float = NEVER
        self.tls: bool = False
        self.transport: Any = None
        self._send: Callable[[bytes | memoryview], int] | None = None
        self._state = OPEN
        self._incoming: Incoming | None = None
        self._head_buffer: HeadBuffer | None = None
        self._response: Streamed | None = None
        self._outlet: Outlet | None = None
        self._out = b""
        self._tail = b""
        self._running = False
        # Between two requests, with nothing pending
        self._quiet = False
        self._reading_paused = False
        self._half_closed = False
        self._served = 0
        self._now = 0.0
        self._peer_ip: str | None = None
        self._producer: Any = None
        self._close_callback: Callable[[], object] | None = None

    # --- who is there -----------------------------------------------------------------------

    @property
    def factory(self) -> HTTPServer:
        """The server, by the name Twisted's protocols have for it."""
        return self.server

    @property
    def closed(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._state != OPEN

    @property
    def buffered(self) -> int:
        """Bytes of output that wait for the client."""
        outlet = self._outlet
        return len(self._out) + (0 if outlet is None else outlet.size)

    @property
    def peer_ip(self) -> str:
        """The address of the peer; ``unix:`` and the path on a UNIX socket."""
        ip = self._peer_ip
        if ip is None:
            from ._proxy import peer_address

            self._peer_ip = ip = peer_address(self.transport)
        return ip

    @property
    def protocol(self) -> str:
        """``http`` or ``https``."""
        return self.server.server_options.protocol or ("https" if self.tls else "http")

    def abort(self) -> None:
        """Break off: the client sees that the response is not complete.

        The last chunk is not sent; a response that ends with the connection is reset. Without a
        response so far the connection is closed.
        """
        self._break_off(self._response)

    def _break_off(self, response: Streamed | None) -> None:
        """The same for a response that is not the current one any more."""
        if self._state in (CLOSED, DETACHED):
            return
        self._flush()
        by_close = response is not None and response.framing in (BY_CLOSE, RAW)
        if by_close or self._outlet is not None:
            self._kill()
        else:
            self._finish_request("aborted")
            self._close_when_written()

    def _finish_request(self, reason: str | None) -> None:
        """The current request is over, for the given reason if not for a good one."""
        request, self.request = self.request, None
        self._response = None
        self._close_callback = None
        incoming, self._incoming = self._incoming, None
        if incoming is not None:
            incoming.discard()
        if request is not None:
            request._finished(reason)

    def _tell_close(self, reason: str, gone: bool = True) -> None:
        """The client is gone, or may be: whoever answers wants to know.

        A producer would not go on: it is stopped if the client is certainly gone.
        """
        callback, self._close_callback = self._close_callback, None
        request = self.request
        if gone and self._producer is not None:
            producer, self._producer = self._producer, None
            try:
                producer.lost()
            except Exception as error:
                self.server.log_failure(request, error)
        if request is not None:
            request._finished(reason)
        if callback is not None:
            try:
                callback()
            except Exception as error:
                self.server.log_failure(request, error)

    # --- closing ----------------------------------------------------------------------------

    def _close_when_written(self) -> None:
        """Close; what was written goes out first."""
        if self._state in (CLOSED, DETACHED):
            return
        self._state = CLOSING
        self._quiet = False
        self._tail = b""
        self._flush()
        if self._outlet is None:
            self._lose()

    def _lose(self) -> None:
        if self._send is not None and _has_unread(self.transport):
            # To close now would be a reset, which takes back what the client has not got yet
            self._state = LINGERING
            self._half_close()
        else:
            # The kernel took all of it, or the transport is about to find out that it cannot
            self._lose_now()

    def _lose_now(self) -> None:
        self.deadline = self._now_plus(self.server.server_options.write_timeout or NEVER)
        self.transport.loseConnection()

    def _linger(self) -> None:
        """Close our side, and read and drop for a while: a reset would destroy the answer."""
        if self._state in (CLOSED, DETACHED, LINGERING):
            return
        self._state = LINGERING
        self._quiet = False
        self._incoming = None
        self._tail = b""
        self._flush()
        if self._outlet is None:
            self._half_close()

    def _half_close(self) -> None:
        self.deadline = self._now_plus(self.server.server_options.linger_timeout)
        self._resume_reading()
        lose = getattr(self.transport, "loseWriteConnection", None)
        if lose is not None and not self.tls:
            lose()
        else:
            self.transport.loseConnection()

    def _kill(self) -> None:
        """Close at once; what was not sent is lost."""
        if self._state in (CLOSED, DETACHED):
            return
        self._state = CLOSING
        self._quiet = False
        # Whoever answers now writes to a transport that is closing, not to the socket
        self._send = None
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()
        else:
            self.transport.loseConnection()

    def _hang_up(self) -> None:
        """Close now; what was sent arrives, and what is written from here on is dropped."""
        if self._state in (CLOSED, DETACHED):
            return
        self._flush()
        if self._outlet is not None:
            self._kill()
            return
        self._state = CLOSING
        self._quiet = False
        self._send = len  # it takes all, and sends nothing
        self._lose_now()

    def detach(self, protocol: Any = None) -> Any:
        """Give the transport away; this connection does nothing more with it.

        With ``protocol`` it is connected to the transport and gets the bytes that were read
        beyond the request. Without, set ``transport.protocol`` (``wrappedProtocol`` under TLS)
        yourself before the reactor's next turn: then the bytes are delivered.
        """
        self._flush()
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.hand_over()
        transport = self.transport
        self._no_delay()
        self._state = DETACHED
        self._quiet = False
        self.deadline = NEVER
        self._finish_request(None)
        self.server.connection_lost(self)
        from ._detach import hand_over

        hand_over(self, transport, protocol)
        return transport

    # --- producers --------------------------------------------------------------------------

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let ``producer`` (push or pull) write the body through `write`, at the client's pace."""
        from ._streams import ProducerAdapter

        if self._producer is not None:
            raise RuntimeError("A producer is registered already")
        if self._state != OPEN:
            producer.stopProducing()
            return
        self._producer = ProducerAdapter(self, producer, streaming)
        self._producer.start()

    def unregisterProducer(self) -> None:
        """The producer has nothing more to write."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.stop()

    # --- bytes out --------------------------------------------------------------------------

    def _emit(self, data: bytes) -> None:
        """Send; while input is being worked on, what belongs together leaves in one piece."""
        if self._running:
            self._out += data
            if len(self._out) > BATCH_SIZE:
                self._flush()
        else:
            self._put(data)

    def _flush(self) -> None:
        out = self._out
        if out:
            self._out = b""
            self._put(out)

    def _put(self, data: bytes) -> None:
        outlet = self._outlet
        if outlet is None:
            send = self._send
            if send is not None:
                try:
                    sent = send(data)
                except OSError:
                    sent = 0  # full, or broken: the transport finds out which
                if sent != len(data):
                    self._wait_for_kernel(memoryview(data)[sent:])
            elif self._state != CLOSED:
                self._wait_for_kernel(data)
        else:
            limit = self.server.server_options.max_buffer_size
            if limit and outlet.size > limit:
                self.server.log_timeout(self, "a slow reader's buffer")
                self._kill()
                return
            outlet.put(data)
            if self._producer is not None and self._outlet is not None:
                self._producer.pause()

    def _wait_for_kernel(self, rest: bytes | memoryview) -> None:
        """What was not taken at once."""
        self._quiet = False
        self._outlet = outlet = Outlet(self, self._send)
        self.deadline = self._now_plus(self.server.server_options.write_timeout or NEVER)
        outlet.put(rest)
        if self._producer is not None and self._outlet is not None:
            self._producer.pause()

    def _push(self, data: bytes) -> Deferred[None]:
        """Send a piece of a streamed response."""
        self._emit(data)
        if self._half_closed and self._outlet is None and self._state == OPEN:
            self.deadline = self._next_deadline()
        return self._taken()

    def _taken(self) -> Deferred[None]:
        if self._running:
            self._flush()
        outlet = self._outlet
        if outlet is None:
            return succeed(None)
        return outlet.wait()

    def _write_progress(self) -> None:
        self.deadline = self._now_plus(self.server.server_options.write_timeout or NEVER)

    def _outlet_drained(self, outlet: Outlet) -> None:
        """The client has taken everything."""
        if self._outlet is outlet:
            self._outlet = None
        if self._state == LINGERING:
            self._half_close()
        elif self._state == CLOSING:
            self._lose()
        if self._state != OPEN:
            return
        if self._producer is not None:
            self._producer.resume()
        if self._outlet is None:
            self.deadline = self._next_deadline()
            if self.request is None:
                self._next()

    def _next_deadline(self) -> float:
        """What the connection waits for, now that its output is out."""
        options = self.server.server_options
        incoming = self._incoming
        if incoming is not None:
            if self.request is None:
                return self._now_plus(options.linger_timeout)
            return self._now_plus(incoming.timeout or NEVER)
        if self.request is None:
            # The beginning of the next head may have come with the request that was answered
            head = self._head_buffer
            if head is not None and head.deadline is not None:
                return head.deadline
            return self._now_plus(self.server.idle_timeout)
        return self._now_plus(options.half_close_timeout if self._half_closed else NEVER)

    def _no_delay(self) -> None:
        """Several small writes follow each other: the kernel shall not collect them.

        Not done for all connections: an answer in one piece needs it not, and pays for it.
        """
        if self._send is not None:
            with contextlib.suppress(OSError):  # a UNIX socket
                self.transport.setTcpNoDelay(True)

    def _date(self) -> bytes:
        return self.server.date_line(self.server.monotonic())

    def _now_plus(self, seconds: float) -> float:
        return self.server.monotonic() + seconds

    def _pause_reading(self) -> None:
        if not self._reading_paused:
            self._reading_paused = True
            self.transport.pauseProducing()

    def _resume_reading(self) -> None:
        if self._reading_paused:
            self._reading_paused = False
            self.transport.resumeProducing()

    # --- what the input side does -----------------------------------------------------------

    def _wake(self) -> None:
        """Go on with the input that was kept."""
        raise NotImplementedError

    def _next(self) -> None:
        """An answer is out: serve what has arrived meanwhile."""
        if self._running:
            return
        self._flush()
        if self._tail:
            self._no_delay()
        if self._state == OPEN and (self._tail or self._reading_paused or self._half_closed):
            self._wake()
        else:
            self._settle()

    def _settle(self) -> None:
        """Is the connection between two requests?"""
        raise NotImplementedError


def _has_unread(transport: Any) -> bool:
    """Whether the kernel has input for a plain connection; not if that is its end."""
    try:
        return bool(transport.getHandle().recv(1, socket.MSG_PEEK))
    except OSError:
        return False
