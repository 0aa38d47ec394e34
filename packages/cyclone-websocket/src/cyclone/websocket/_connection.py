"""The Twisted protocol of an open WebSocket: order, back-pressure and deadlines live here.

Input: each piece of bytes becomes events; messages are handed on one at a time, in order. While
one is being worked on (its callback returned something to wait for) the next ones wait in a
queue, and past a bound nothing more is read. Pings are answered at once, whatever waits.

Output is the half in ``_output``.

Callbacks run in one context (`contextvars`), that of the request that became the WebSocket. It is
entered once for what one read brought, and what is sent in it leaves when it is left: ``_out`` is
a list as long as it is entered.

The end (RFC 6455 section 7): whoever sent a close frame waits for the other's, then the server
closes the transport. A peer that broke the protocol gets a close frame and is not listened to.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import TYPE_CHECKING, Any, Final

from twisted.internet import tcp
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from cyclone.httpserver import read_together
from cyclone.web import spawn

from . import _frames as wire
from ._errors import WebSocketClosedError
from ._frames import Closed, Control, Event, Failed
from ._handshake import compute_accept_value
from ._limits import Delegate, Home, Limits
from ._outlet import Outlet
from ._output import OutputSide
from ._parser import FrameParser

if TYPE_CHECKING:
    from ._compression import Deflate
    from ._deadlines import Deadlines

#: Messages handed on in one turn of the reactor, so that a flood leaves time for others.
TURN: Final = 256
#: What a message that waits costs besides its bytes.
MESSAGE_OVERHEAD: Final = 64
#: Bytes read at once: a message of 64 KiB and its head come in one piece, which a read of just
#: 64 KiB would cut.
READ_SIZE: Final = 65536 + 4096
NEVER: Final = float("inf")
# What a callback may well raise when the peer has gone
_AFTER_THE_END = (WebSocketClosedError, CancelledError, asyncio.CancelledError)


@implementer(IProtocol)
class WebSocketConnection(OutputSide):
    """One open WebSocket, either side; Tornado's name of it is ``WebSocketProtocol13``.

    Handlers find theirs in ``ws_connection``, clients in ``protocol``. ``close_code`` and
    ``close_reason`` are known when it is closed.
    """

    __slots__ = (
        "_busy",
        "_close_received",
        "_context",
        "_delegate",
        "_gone",
        "_home",
        "_parser",
        "_queue",
        "_queue_size",
        "_ready",
        "_whole",
        "close_code",
        "close_reason",
        "deadline",
        "direct",
        "keep_alive",
        "selected_subprotocol",
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
        context: Context | None = None,
    ) -> None:
        super().__init__(deadlines, limits, client, deflate)
        self._context = copy_context() if context is None else context
        self._delegate: Delegate | None = delegate
        self._home = home
        self._parser = FrameParser(
            masked=not client, max_size=limits.max_message_size, deflate=deflate
        )
        self._whole = self._parser.whole
        self.selected_subprotocol: str | None = subprotocol
        self.close_code: int | None = None
        self.close_reason: str | None = None
        #: For the server's sweep: this connection has deadlines of its own.
        self.deadline: float = NEVER
        self.keep_alive: bool = True
        #: Whether the socket may be written to directly: nothing waits in the transport.
        self.direct: bool = True
        # Events that wait their turn; None while there is nothing to wait for
        self._queue: deque[Event] | None = deque()
        self._queue_size = 0
        self._busy: Deferred[Any] | None = None
        self._ready = False
        self._close_received = False
        self._gone: list[Deferred[None]] | None = None

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
        if self.direct and isinstance(transport, tcp.Connection):
            self._send = transport.getHandle().send
            transport.bufferSize = READ_SIZE
            read_together(transport)
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
        if self._lost:
            return
        if self._out is None:
            self._context.run(self._received, data)
        else:
            self._take_in(data)  # from a peer in memory, which one of our callbacks has woken

    def _received(self, data: bytes) -> None:
        """Bytes arrived: hand on what they bring, then send what was gathered meanwhile.

        What most reads bring, one short message that nothing is in front of, takes the short way:
        it does what `_take_in`, `_deliver` and `_flush` do.
        """
        out: list[bytes] = []
        self._out = out
        try:
            message = self._whole(data)
            if message is None or self._queue is not None:
                self._take_in(data, message)
            elif (delegate := self._delegate) is not None and not self._close_sent:
                try:
                    result = delegate.on_message(message)
                except BaseException as error:
                    self.callback_failed(error)
                else:
                    if result is not None and self._must_wait(result):
                        self._queue = deque()
        finally:
            send = self._send
            if len(out) == 1 and self._outlet is None and send is not None:
                self._out = None
                self._out_size = 0
                frame = out[0]
                try:
                    sent = send(frame)
                except OSError:
                    sent = 0  # full, or broken: the transport finds out which
                if sent != len(frame):
                    self._wait_for_kernel(frame, sent)
            else:
                self._flush()

    def _take_in(self, data: bytes, message: str | bytes | None = None) -> None:
        """Hand on or queue what ``data`` brings; ``message``, if it was found to be all of it."""
        if message is not None:
            events: list[Event] = [message]
        elif self._parser.done:
            return
        else:
            events = self._parser.receive(data)
        if self._queue is None:
            self._deliver(events)
        else:
            self._enqueue(events)

    def enter(self, call: Callable[..., object], *args: Any) -> None:
        """Call in this connection's context; what that sends is gathered."""
        if self._out is None:
            self._context.run(self._gathering, call, args)
        else:
            call(*args)

    def _gathering(self, call: Callable[..., object], args: tuple[Any, ...]) -> None:
        self._out = []
        try:
            call(*args)
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
            self.enter(self._tell_end, delegate)
        gone, self._gone = self._gone, None
        for waiter in gone or ():
            waiter.callback(None)

    def _tell_end(self, delegate: Delegate) -> None:
        try:
            delegate.on_ws_connection_close(self.close_code, self.close_reason)
        except Exception as error:
            delegate.log_exception(type(error), error, error.__traceback__)

    def _end_when_idle(self) -> None:
        if self._busy is None and self._delegate is not None:
            self._end()

    # --- the beginning ----------------------------------------------------------------------

    def opened(self) -> None:
        """The delegate is ready: hand on what arrived meanwhile, and begin to ping."""
        self._ready = True
        self._resume()
        self.start_pinging()

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
        for index, event in enumerate(events):
            queue = self._queue
            if queue is None:
                # The callback of a ping let the messages go on for which these had to wait
                self._deliver(events[index:])
                return
            if isinstance(event, Control | Failed):
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
        self.enter(self._deliver_queue, queue)
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
            self.enter(self.callback_failed, error)

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

    # --- the end ----------------------------------------------------------------------------

    def is_closing(self) -> bool:
        """Whether nothing can be sent any more."""
        return self._close_sent or self._lost

    @property
    def client_terminated(self) -> bool:
        """Whether the peer has said that it closes, or is gone."""
        return self._close_received or self._lost

    @property
    def server_terminated(self) -> bool:
        """Whether this side has said that it closes, or the peer is gone."""
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

    # --- the server stops -------------------------------------------------------------------

    def timed_out(self, now: float) -> None:
        """For the server's sweep; this connection has no deadline there."""

    def close_if_idle(self) -> None:
        """For the server, when it stops: close with 1001."""
        self.close(wire.GOING_AWAY, "server shutdown")

    def _kill(self) -> None:
        """For the server, at the end of the time it gives for stopping."""
        self.abort()
