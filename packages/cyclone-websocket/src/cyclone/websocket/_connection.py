"""The Twisted protocol of an open WebSocket: order, back-pressure and deadlines live here.

Input: each piece of bytes becomes events; messages are handed on one at a time, in order. While
one is being worked on (its callback returned something to wait for) the next ones wait in a
queue, and past a bound nothing more is read. Pings are answered at once, whatever waits.

Output: what is sent while input is worked on leaves together, directly through the socket where
that is ours. What the kernel does not take waits in an `Outlet`, bounded.

The end (RFC 6455 section 7): whoever sent a close frame waits for the other's, then the server
closes the transport. A peer that broke the protocol gets a close frame and is not listened to.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from twisted.internet import tcp
from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from cyclone.web import spawn

from . import _frames as wire
from ._errors import WebSocketClosedError
from ._frames import Closed, Control, Event, Failed
from ._handshake import compute_accept_value
from ._outlet import Outlet
from ._parser import FrameParser

if TYPE_CHECKING:
    from types import TracebackType

    from ._compression import Deflate
    from ._deadlines import Deadline, Deadlines

#: Messages handed on in one turn of the reactor, so that a flood leaves time for others.
TURN: Final = 256
#: What a message that waits costs besides its bytes.
MESSAGE_OVERHEAD: Final = 64
#: Bytes read at once: a message of 64 KiB and its head come in one piece, which a read of just
#: 64 KiB would cut.
READ_SIZE: Final = 65536 + 4096
#: Output gathered while input is worked on leaves when it has this size.
BATCH_SIZE: Final = 65536
_TEXT_HEADS = wire.TEXT_HEADS
_BINARY_HEADS = wire.BINARY_HEADS
NEVER: Final = float("inf")
# What a callback may well raise when the peer has gone
_AFTER_THE_END = (WebSocketClosedError, CancelledError, asyncio.CancelledError)


class Limits(NamedTuple):
    """The limits of a connection: sizes in bytes, times in seconds; None or 0 turns one off."""

    max_message_size: int = 10 * 1024 * 1024
    #: Messages that arrived and were not taken yet; past it, nothing more is read.
    max_queue_size: int = 1024 * 1024
    #: Output that waits for a slow reader: from the first on a writer is told to wait ...
    write_high_water: int = 65536
    #: ... and a writer that does not wait loses the connection at the second.
    max_buffer_size: int | None = 8 * 1024 * 1024
    ping_interval: float | None = None
    #: None: as ``ping_interval``.
    ping_timeout: float | None = None
    #: From our close frame to the peer's.
    close_timeout: float = 10.0
    #: Without the peer taking any byte of what waits for it.
    write_timeout: float | None = 60.0

    def pong_timeout(self) -> float:
        """How long a pong may take; 0: for ever."""
        interval = self.ping_interval or 0.0
        if self.ping_timeout is None:
            return interval
        return min(self.ping_timeout, interval)


class Delegate(Protocol):
    """Who a connection works for: a `WebSocketHandler` or a `WebSocketClientConnection`."""

    def on_message(self, message: str | bytes) -> Any:
        """A message arrived; the next one waits for what this returns."""

    def on_ping(self, data: bytes) -> Any:
        """A ping arrived."""

    def on_pong(self, data: bytes) -> Any:
        """A pong arrived."""

    def on_ws_connection_close(
        self, close_code: int | None = None, close_reason: str | None = None
    ) -> None:
        """The connection is gone; called once, the last call."""

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """A callback raised."""


class Home(Protocol):
    """The server that wants to know of its connections."""

    def connection_lost(self, connection: Any) -> None:
        """The connection is gone."""


@implementer(IProtocol)
class WebSocketConnection:
    """One open WebSocket, either side; Tornado's name of it is ``WebSocketProtocol13``.

    Handlers find theirs in ``ws_connection``, clients in ``protocol``. ``close_code`` and
    ``close_reason`` are known when it is closed.
    """

    __slots__ = (
        "__weakref__",
        "_busy",
        "_client",
        "_close_deadline",
        "_close_received",
        "_close_sent",
        "_deadlines",
        "_deflate",
        "_delegate",
        "_ending",
        "_gone",
        "_home",
        "_limits",
        "_lost",
        "_out",
        "_out_size",
        "_outlet",
        "_parser",
        "_paused",
        "_ping_deadline",
        "_pong",
        "_pong_deadline",
        "_progressed",
        "_queue",
        "_queue_size",
        "_ready",
        "_receive",
        "_send",
        "_stall_deadline",
        "close_code",
        "close_reason",
        "deadline",
        "keep_alive",
        "selected_subprotocol",
        "transport",
    )

    def __init__(
        self,
        delegate: Delegate,
        *,
        deadlines: Deadlines,
        limits: Limits,
        client: bool = False,
        deflate: Deflate | None = None,
        subprotocol: str | None = None,
        home: Home | None = None,
    ) -> None:
        self._delegate: Delegate | None = delegate
        self._deadlines = deadlines
        self._limits = limits
        self._client = client
        self._deflate = deflate
        self._home = home
        self._parser = FrameParser(
            masked=not client, max_size=limits.max_message_size, deflate=deflate
        )
        self._receive = self._parser.receive
        self.selected_subprotocol = subprotocol
        self.close_code: int | None = None
        self.close_reason: str | None = None
        #: For the server's sweep: this connection has deadlines of its own.
        self.deadline = NEVER
        self.keep_alive = True
        self.transport: Any = None
        self._send: Callable[[bytes | memoryview], int] | None = None
        self._outlet: Outlet | None = None
        # Output while input is worked on; None at other times
        self._out: list[bytes] | None = None
        self._out_size = 0
        # Events that wait their turn; None while there is nothing to wait for
        self._queue: deque[Event] | None = deque()
        self._queue_size = 0
        self._busy: Deferred[Any] | None = None
        self._ready = False
        self._paused = False
        self._progressed = False
        self._pong: bytes | None = None
        self._close_sent = False
        self._close_received = False
        self._lost = False
        # What becomes of the transport when the output is out
        self._ending: Callable[[], None] | None = None
        self._gone: list[Deferred[None]] | None = None
        self._ping_deadline: Deadline | None = None
        self._pong_deadline: Deadline | None = None
        self._close_deadline: Deadline | None = None
        self._stall_deadline: Deadline | None = None

    @staticmethod
    def compute_accept_value(key: str | bytes) -> str:
        """The ``Sec-WebSocket-Accept`` for a ``Sec-WebSocket-Key``."""
        return compute_accept_value(key)

    @staticmethod
    def ping_sleep_time(*, last_ping_time: float, interval: float, now: float) -> float:
        """Seconds from ``now`` to the next ping, if the last one was sent then."""
        return max(0.0, last_ping_time + interval - now)

    # --- IProtocol --------------------------------------------------------------------------

    def makeConnection(self, transport: Any) -> None:
        """Twisted: here is the transport."""
        self.transport = transport
        if isinstance(transport, tcp.Connection):
            self._send = transport.getHandle().send
            transport.bufferSize = READ_SIZE
        else:
            self._outlet = outlet = Outlet(self, transport, None)
            outlet.open()

    def connectionMade(self) -> None:
        """Nothing is left to do after `makeConnection`."""

    def logPrefix(self) -> str:
        """How Twisted calls this protocol in its log."""
        return "cyclone.websocket"

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes arrived."""
        if self._lost or self._parser.done:
            return
        self._out = []
        try:
            events = self._receive(data)
            if self._queue is None:
                self._deliver(events)
            else:
                self._enqueue(events)
        finally:
            self._flush()

    def connectionLost(self, reason: Failure) -> None:
        """Twisted: the connection is gone."""
        if self._lost:
            return
        self._lost = True
        self._cancel_deadlines()
        if self._outlet is not None:
            outlet, self._outlet = self._outlet, None
            outlet.fail()
        self._send = None
        self._ending = None
        if self._home is not None:
            self._home.connection_lost(self)
        queue = self._queue
        if queue and (self._client or isinstance(queue[-1], Closed)):
            # The peer closed properly: what it said before is still handed on. A client wants
            # it in any case
            return
        self._end()

    def _end(self) -> None:
        """Everything is over: tell the delegate, and let go of it."""
        delegate, self._delegate = self._delegate, None
        self._queue = deque()
        if self.close_code is None and not self._close_received:
            self.close_code = wire.ABNORMAL_CLOSURE
        if delegate is not None:
            try:
                delegate.on_ws_connection_close(self.close_code, self.close_reason)
            except Exception as error:
                delegate.log_exception(type(error), error, error.__traceback__)
        gone, self._gone = self._gone, None
        for waiter in gone or ():
            waiter.callback(None)

    def _end_when_idle(self) -> None:
        if self._busy is None and self._delegate is not None:
            self._end()

    # --- the beginning ----------------------------------------------------------------------

    def opened(self) -> None:
        """The delegate is ready: hand on what arrived meanwhile, and begin to ping."""
        self._ready = True
        self._resume()
        self.start_pinging()

    def start_pinging(self) -> None:
        """Send pings from now on, if the limits say so."""
        interval = self._limits.ping_interval
        if interval and not self._lost and not self._close_sent and not self._ping_deadline:
            self._ping_deadline = self._deadlines.after(interval, self._ping_due)

    # --- input ------------------------------------------------------------------------------

    def _deliver(self, events: list[Event]) -> None:
        """Hand on events until one has to be waited for; the rest is queued."""
        delegate = self._delegate
        turn = TURN
        for index, event in enumerate(events):
            if type(event) is str or type(event) is bytes:
                if delegate is None or (self._close_sent and not self._client):
                    continue
                try:
                    result = delegate.on_message(event)
                except BaseException as error:
                    self.callback_failed(error)
                else:
                    if result is not None and self._must_wait(result):
                        self._queue = deque()
                        self._enqueue(events[index + 1 :])
                        return
                turn -= 1
                if not turn and index + 1 < len(events):
                    self._queue = deque()
                    self._enqueue(events[index + 1 :])
                    self._deadlines.reactor.callLater(0, self._resume)
                    return
            else:
                self._handle(event)

    def _enqueue(self, events: list[Event]) -> None:
        """Queue messages; what cannot wait is seen to at once."""
        queue = self._queue
        for event in events:
            if queue is None or isinstance(event, Control | Failed):
                self._handle(event)
                continue
            queue.append(event)
            if not isinstance(event, Closed):
                self._queue_size += len(event) + MESSAGE_OVERHEAD
        if self._queue_size > self._limits.max_queue_size and not self._paused:
            self._paused = True
            if not self._lost:
                self.transport.pauseProducing()

    def _resume(self) -> None:
        """What was waited for is there: go on with the queue."""
        queue = self._queue
        if queue is None or self._busy is not None or not self._ready:
            return
        batching = self._out is not None
        if not batching:
            self._out = []
        try:
            self._deliver_queue(queue)
        finally:
            if not batching:
                self._flush()
        if self._paused and self._queue_size <= self._limits.max_queue_size // 2:
            self._unpause()
        if self._lost and not queue:
            self._end_when_idle()

    def _deliver_queue(self, queue: deque[Event]) -> None:
        turn = TURN
        while queue and self._busy is None:
            if not turn:
                self._deadlines.reactor.callLater(0, self._resume)
                return
            event = queue.popleft()
            if not isinstance(event, str | bytes):
                self._handle(event)
                continue
            turn -= 1
            self._queue_size -= len(event) + MESSAGE_OVERHEAD
            delegate = self._delegate
            if delegate is None or (self._close_sent and not self._client):
                continue
            try:
                result = delegate.on_message(event)
            except BaseException as error:
                self.callback_failed(error)
            else:
                if result is not None:
                    self._must_wait(result)
        if self._busy is None and not self._lost:
            self._queue = None

    def _handle(self, event: Event) -> None:
        """See to an event that is not a message."""
        delegate = self._delegate
        if type(event) is Control:
            if event.opcode == wire.PING:
                self._answer_ping(event.data)
            elif self._pong_deadline is not None:
                self._pong_deadline.cancel()
                self._pong_deadline = None
            if delegate is not None:
                callback = delegate.on_ping if event.opcode == wire.PING else delegate.on_pong
                try:
                    result = callback(event.data)
                    if result is not None:
                        spawn(result).addErrback(self._callback_broke)
                except BaseException as error:
                    self.callback_failed(error)
        elif type(event) is Closed:
            self._peer_closed(event)
        elif type(event) is Failed:
            self.fail(event.code, event.reason)

    def _answer_ping(self, data: bytes) -> None:
        if self._close_sent or self._lost:
            return
        outlet = self._outlet
        if outlet is not None and outlet.size:
            self._pong = data  # only the last one waits
        else:
            self._emit(wire.build_frame(0x8A, data, self._client))

    # --- callbacks --------------------------------------------------------------------------

    def _must_wait(self, result: Any) -> bool:
        """A callback returned something: is it to be waited for, or over already?"""
        try:
            waiting = spawn(result)
        except BaseException as error:
            self.callback_failed(error)
            return False
        if waiting.called and waiting.paused == 0:
            outcome = waiting.result
            if isinstance(outcome, Failure):
                waiting.addErrback(self._callback_broke)
            return False
        self._busy = waiting
        waiting.addCallbacks(self._callback_done, self._callback_broke)
        waiting.addBoth(self._go_on)
        return True

    def wait_for(self, result: Any) -> None:
        """Hand on nothing until ``result``, something awaitable, has come; then `opened`."""
        self._ready = True
        if not self._must_wait(result):
            self.opened()
        else:
            self.start_pinging()

    def _callback_done(self, _: object) -> None:
        """The callback has ended well."""

    def _callback_broke(self, failure: Failure) -> None:
        error = failure.value
        if error is not None:
            if error.__traceback__ is None and failure.tb is not None:
                error.__traceback__ = failure.tb
            self.callback_failed(error)

    def callback_failed(self, error: BaseException) -> None:
        """A callback of the delegate raised: log it, and close with 1011."""
        delegate = self._delegate
        gone = self._lost or self._close_sent
        if delegate is not None and not (gone and isinstance(error, _AFTER_THE_END)):
            delegate.log_exception(type(error), error, error.__traceback__)
        if not gone:
            self.close(wire.INTERNAL_ERROR)
        if isinstance(error, KeyboardInterrupt | SystemExit):
            raise error

    def _go_on(self, _: object) -> None:
        self._busy = None
        self._resume()

    def cancel_callback(self) -> None:
        """Cancel the callback that is being waited for, if there is one."""
        busy = self._busy
        if busy is not None:
            busy.cancel()

    # --- messages out -----------------------------------------------------------------------

    def write_message(self, message: str | bytes, binary: bool = False) -> Deferred[None]:
        """Send a message; a Deferred for when the peer has (nearly) caught up with it.

        `WebSocketClosedError` if the connection is closed or closing. A peer that reads too
        slowly keeps the Deferred waiting at ``write_high_water``; a writer that does not wait for
        it loses the connection at ``max_buffer_size``. TypeError for anything but text or bytes,
        ValueError for bytes that are not UTF-8 without ``binary``.
        """
        if self._close_sent or self._lost:
            raise WebSocketClosedError("The WebSocket is closed")
        payload = message.encode() if type(message) is str else _to_bytes(message, binary)
        if self._deflate is None and not self._client:
            heads = _BINARY_HEADS if binary else _TEXT_HEADS
            size = len(payload)
            if size < 126:
                frame = heads[size] + payload
            else:
                frame = wire.frame_head(0x82 if binary else 0x81, size) + payload
        else:
            frame = self._encode(payload, binary)
        out = self._out
        if out is None:
            self._put(frame)
        else:
            out.append(frame)
            self._out_size += len(frame)
            if self._out_size > BATCH_SIZE:
                self._flush_batch()
        return self._taken()

    def _taken(self) -> Deferred[None]:
        outlet = self._outlet
        high_water = self._limits.write_high_water
        if outlet is None or outlet.size <= high_water:
            return succeed(None)
        return outlet.wait(high_water // 2)

    def _encode(self, payload: bytes, binary: bool) -> bytes:
        first = 0x82 if binary else 0x81
        if self._deflate is not None:
            payload = self._deflate.compress(first & 0x0F, payload)
            first |= wire.RSV1
        return wire.build_frame(first, payload, self._client)

    def shares_frames(self) -> bool:
        """Whether a frame made for another connection can be sent here as it is."""
        return self._deflate is None and not self._client

    def write_frame(self, frame: bytes) -> None:
        """Send a frame that was made for several connections; see `shares_frames`."""
        if self._close_sent or self._lost:
            raise WebSocketClosedError("The WebSocket is closed")
        self._emit(frame)

    def write_ping(self, data: bytes) -> None:
        """Send a ping. ValueError for more than 125 bytes."""
        if len(data) > wire.MAX_CONTROL:
            raise ValueError("The data of a ping has at most 125 bytes")
        if self._close_sent or self._lost:
            raise WebSocketClosedError("The WebSocket is closed")
        self._emit(wire.build_frame(0x89, data, self._client))

    def set_nodelay(self, value: bool) -> None:
        """Set ``TCP_NODELAY``; it is on from the start on a server."""
        set_nodelay = getattr(self.transport, "setTcpNoDelay", None)
        if set_nodelay is not None and not self._lost:
            set_nodelay(value)

    # --- the end ----------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._close_sent or self._lost

    def close(self, code: int | None = None, reason: str | None = None) -> Deferred[None]:
        """Send a close frame and wait for the peer's, ``close_timeout`` seconds at most.

        The Deferred fires when the connection is gone. Called again it does nothing else.
        ValueError for a code that must not be sent (1005, 1006, ...) or a reason of more than
        123 bytes.
        """
        if not self._close_sent and not self._lost:
            self._send_close(wire.close_payload(code, reason))
            self._expect_loss()
        gone: Deferred[None] = Deferred()
        if self._delegate is None:
            gone.callback(None)
        else:
            if self._gone is None:
                self._gone = []
            self._gone.append(gone)
        return gone

    def fail(self, code: int, reason: str) -> None:
        """Close because the peer broke the protocol: nothing it sends is read any more."""
        if self._lost:
            return
        self.close_code, self.close_reason = code, reason
        self._parser.done = True
        if self._queue:
            self._queue.clear()
        if not self._close_sent:
            self._send_close(wire.close_payload(code, reason))
        # Closed at once, what the peer sent and we did not read would reset the connection and
        # might destroy the close frame; so our side is closed, and the rest is thrown away.
        self._unpause()
        self._end_output(self._half_close)
        self._expect_loss()

    def _send_close(self, payload: bytes) -> None:
        self._emit(wire.build_frame(0x88, payload, self._client))
        self._close_sent = True
        self._pong = None
        self._cancel_pings()

    def _peer_closed(self, event: Closed) -> None:
        self._close_received = True
        self.close_code, self.close_reason = event
        if self._lost:
            return
        if not self._close_sent:
            self._send_close(wire.close_payload(event.code, event.reason))
        if self._client:
            # The server closes the transport first (section 7.1.1)
            self._expect_loss()
        else:
            self._end_output(self._lose)
            self._expect_loss()

    def _expect_loss(self) -> None:
        if self._close_deadline is None and not self._lost:
            self._close_deadline = self._deadlines.after(
                self._limits.close_timeout, self._close_late
            )

    def _close_late(self) -> None:
        self._close_deadline = None
        self.abort()

    def abort(self) -> None:
        """Drop the connection; nothing more is sent."""
        if self._lost:
            return
        abort = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()
        else:
            self.transport.loseConnection()

    def _end_output(self, ending: Callable[[], None]) -> None:
        """End the transport, ``ending``, when the output is out."""
        self._ending = ending
        self._flush_batch()
        outlet = self._outlet
        if outlet is None or not outlet.size:
            self._do_end()

    def _do_end(self) -> None:
        ending, self._ending = self._ending, None
        if ending is not None:
            if self._outlet is not None:
                self._outlet.release()
            ending()

    def _lose(self) -> None:
        self.transport.loseConnection()

    def _half_close(self) -> None:
        lose = getattr(self.transport, "loseWriteConnection", None)
        if lose is not None and self._send is not None:
            lose()
        else:
            self.transport.loseConnection()

    def _unpause(self) -> None:
        if self._paused:
            self._paused = False
            if not self._lost:
                self.transport.resumeProducing()

    # --- bytes out --------------------------------------------------------------------------

    def _emit(self, frame: bytes) -> None:
        out = self._out
        if out is None:
            self._put(frame)
        else:
            out.append(frame)

    def _flush(self) -> None:
        """The input is worked on: send what was gathered."""
        out, self._out = self._out, None
        self._out_size = 0
        if out:
            self._put(out[0] if len(out) == 1 else b"".join(out))

    def _flush_batch(self) -> None:
        if self._out is not None:
            self._flush()
            self._out = []

    def _put(self, data: bytes) -> None:
        outlet = self._outlet
        if outlet is None:
            send = self._send
            if send is None:
                return
            try:
                sent = send(data)
            except OSError:
                sent = 0  # full, or broken: the transport finds out which
            if sent == len(data):
                return
            outlet = self._outlet = Outlet(self, self.transport, send)
            outlet.put(memoryview(data)[sent:] if sent else data)
        else:
            limit = self._limits.max_buffer_size
            if limit and outlet.size > limit:
                self.abort()
                return
            outlet.put(data)
        if outlet.size:
            self._watch_for_stall()

    def output_progressed(self) -> None:
        """For `Outlet`: the peer took something."""
        self._progressed = True

    def output_drained(self) -> None:
        """For `Outlet`: nothing waits any more."""
        outlet = self._outlet
        if outlet is not None and self._send is not None:
            outlet.release()
            self._outlet = None
        self._progressed = True
        pong, self._pong = self._pong, None
        if pong is not None and not self._close_sent and not self._lost:
            self._emit(wire.build_frame(0x8A, pong, self._client))
        if self._ending is not None and not self._out:
            self._do_end()

    def _watch_for_stall(self) -> None:
        timeout = self._limits.write_timeout
        if timeout and self._stall_deadline is None and not self._lost:
            self._progressed = False
            self._stall_deadline = self._deadlines.after(timeout, self._stalled)

    def _stalled(self) -> None:
        """Something waited once: does it still, and did the peer take nothing since?"""
        self._stall_deadline = None
        outlet = self._outlet
        if outlet is None or not outlet.size:
            return
        if self._progressed:
            self._watch_for_stall()
        else:
            self.abort()

    # --- pings ------------------------------------------------------------------------------

    def _ping_due(self) -> None:
        self._ping_deadline = None
        if self._lost or self._close_sent:
            return
        outlet = self._outlet
        if outlet is None or not outlet.size:
            # Behind what waits for a slow reader a ping would say nothing about it
            timeout = self._limits.pong_timeout()
            if timeout and self._pong_deadline is None:
                self._pong_deadline = self._deadlines.after(timeout, self._pong_late)
            self.write_ping(b"")
        self.start_pinging()

    def _pong_late(self) -> None:
        self._pong_deadline = None
        if self._lost or self._close_sent:
            return
        if self._paused:
            # It may be among what we do not read
            timeout = self._limits.pong_timeout()
            self._pong_deadline = self._deadlines.after(timeout, self._pong_late)
            return
        outlet = self._outlet
        self._send_close(wire.close_payload(wire.NORMAL_CLOSURE, "ping timed out"))
        if outlet is not None and outlet.size:
            self.abort()
        else:
            self._end_output(self._lose)
            self._expect_loss()

    def _cancel_pings(self) -> None:
        for deadline in (self._ping_deadline, self._pong_deadline):
            if deadline is not None:
                deadline.cancel()
        self._ping_deadline = self._pong_deadline = None

    def _cancel_deadlines(self) -> None:
        self._cancel_pings()
        for deadline in (self._close_deadline, self._stall_deadline):
            if deadline is not None:
                deadline.cancel()
        self._close_deadline = self._stall_deadline = None

    # --- the server stops -------------------------------------------------------------------

    def timed_out(self, now: float) -> None:
        """For the server's sweep; this connection has no deadline there."""

    def close_if_idle(self) -> None:
        """For the server, when it stops: close with 1001."""
        self.close(wire.GOING_AWAY, "server shutdown")

    def _kill(self) -> None:
        """For the server, at the end of the time it gives for stopping."""
        self.abort()


def encode_message(message: str | bytes, binary: bool) -> bytes:
    """The frame of a message as servers send it, uncompressed."""
    payload = message.encode() if isinstance(message, str) else _to_bytes(message, binary)
    return wire.build_frame(0x82 if binary else 0x81, payload)


def _to_bytes(message: object, binary: bool) -> bytes:
    if isinstance(message, str):
        return message.encode()
    if isinstance(message, bytearray | memoryview):
        message = bytes(message)
    if not isinstance(message, bytes):
        raise TypeError(f"A message is str or bytes, not {type(message).__name__}")
    if not binary:
        try:
            str(message, "utf-8")
        except UnicodeDecodeError:
            raise ValueError("These bytes are no UTF-8 text: send them with binary=True") from None
    return message
