"""The output side of a WebSocket: messages, pings, and how the transport is ended.

What is sent while input is worked on leaves together, directly through the socket where that is
ours. What the kernel does not take waits in an `Outlet`, bounded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from twisted.internet.defer import Deferred, succeed

from . import _frames as wire
from ._errors import WebSocketClosedError
from ._outlet import Outlet

if TYPE_CHECKING:
    from ._compression import Deflate
    from ._deadlines import Deadline, Deadlines
    from ._limits import Limits
    from ._stream import WebSocketStream

#: Output gathered while input is worked on leaves when it has this size.
BATCH_SIZE: Final = 65536
_TEXT_HEADS = wire.TEXT_HEADS
_BINARY_HEADS = wire.BINARY_HEADS


class OutputSide:
    """The state of a connection, and all of it that sends."""

    __slots__ = (
        "__weakref__",
        "_client",
        "_close_deadline",
        "_close_sent",
        "_deadlines",
        "_deflate",
        "_ending",
        "_limits",
        "_lost",
        "_out",
        "_out_size",
        "_outlet",
        "_paused",
        "_ping_deadline",
        "_plain",
        "_pong",
        "_pong_deadline",
        "_progressed",
        "_send",
        "_stall_deadline",
        "transport",
    )

    def __init__(
        self, deadlines: Deadlines, limits: Limits, client: bool, deflate: Deflate | None
    ) -> None:
        self._deadlines = deadlines
        self._limits = limits
        self._client = client
        self._deflate = deflate
        # Frames are neither compressed nor masked
        self._plain = deflate is None and not client
        self.transport: Any = None
        self._send: Callable[[bytes | memoryview], int] | None = None
        self._outlet: Outlet | None = None
        # Output while input is worked on; None at other times
        self._out: list[bytes] | None = None
        self._out_size = 0
        self._paused = False
        self._progressed = False
        self._pong: bytes | None = None
        self._close_sent = False
        self._lost = False
        # What becomes of the transport when the output is out
        self._ending: Callable[[], None] | None = None
        self._ping_deadline: Deadline | None = None
        self._pong_deadline: Deadline | None = None
        self._close_deadline: Deadline | None = None
        self._stall_deadline: Deadline | None = None

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
        if self._plain:
            size = len(payload)
            if size < 126:
                frame = (_BINARY_HEADS if binary else _TEXT_HEADS)[size] + payload
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
        return succeed(None) if self._outlet is None else self._taken()

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
        return self._plain

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

    @property
    def stream(self) -> WebSocketStream:
        """What Tornado's handlers ask the stream: ``closed()``, ``socket``."""
        from ._stream import WebSocketStream

        return WebSocketStream(self)

    # --- the end ----------------------------------------------------------------------------

    def _send_close(self, payload: bytes) -> None:
        self._emit(wire.build_frame(0x88, payload, self._client))
        self._close_sent = True
        self._pong = None
        self._cancel_pings()

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
        try:
            self._flush_batch()
        finally:
            self._out = None

    def _flush_batch(self) -> None:
        """Send what was gathered so far, also what is gathered by that."""
        out = self._out
        while out:
            data = out[0] if len(out) == 1 else b"".join(out)
            out.clear()
            self._out_size = 0
            self._put(data)

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
            if sent != len(data):
                self._wait_for_kernel(data, sent)
            return
        limit = self._limits.max_buffer_size
        if limit and outlet.size > limit:
            self.abort()
            return
        outlet.put(data)
        if outlet.size:
            self._watch_for_stall()

    def _wait_for_kernel(self, data: bytes, sent: int) -> None:
        """The kernel took ``sent`` bytes: the rest waits."""
        outlet = self._outlet = Outlet(self, self.transport, self._send)
        outlet.put(memoryview(data)[sent:] if sent else data)
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

    def start_pinging(self) -> None:
        """Send pings from now on, if the limits say so."""
        interval = self._limits.ping_interval
        if interval and not self._lost and not self._close_sent and not self._ping_deadline:
            self._ping_deadline = self._deadlines.after(interval, self._ping_due)

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
