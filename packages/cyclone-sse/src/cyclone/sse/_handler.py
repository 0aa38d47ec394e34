"""SSEHandler: a request handler whose answer is a stream of events."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from cyclone.httpserver import EventLogger, StreamClosedError
from cyclone.web import HubMessage, HubMixin, RequestHandler, asynchronous

from ._events import KEEP_ALIVE, Message, encode_event
from ._keepalive import sweeper_of

if TYPE_CHECKING:
    from cyclone.httpserver import Transport

#: Seconds without an event after which a comment is sent.
DEFAULT_KEEP_ALIVE = 15.0
#: Bytes that may wait for a slow client.
DEFAULT_MAX_PENDING = 1024 * 1024

general_log = EventLogger("cyclone.general")


class SSEHandler(HubMixin, RequestHandler):
    """Serves one stream of Server-Sent Events: subclass it and define `bind` and `unbind`.

    Until the stream is open it is a handler like any other: ``initialize``, ``prepare``, cookies,
    ``current_user`` and the check for forged requests come first, and what `bind` raises before it
    sends or awaits anything is answered with an error page. The stream stays open until the client
    leaves, `finish` is called, or the server stops.
    """

    #: Seconds without an event after which a comment keeps the connection alive; 0: never. None:
    #: as the setting ``sse_keep_alive`` says, or 15.
    keep_alive_interval: float | None = None
    #: Bytes that may wait for a slow client before it is cut off. None: as the setting
    #: ``sse_max_pending`` says, or 1 MiB.
    max_pending: int | None = None
    #: A stream is open for as long as it likes.
    handler_timeout: float | None = 0

    _stream_open = False
    _stream_ended = False
    _next_comment = 0.0

    # --- what a subclass defines ------------------------------------------------------------

    def _bind(self, *args: Any, **kwargs: Any) -> Any:
        """The client is there; called with the groups of the route's pattern.

        May be async: the stream is open as soon as it waits for something.
        """
        return None

    bind: Callable[..., Any] = _bind

    def _unbind(self) -> Any:
        """The stream has ended. Called once, if `bind` had opened it. May be async."""
        return None

    unbind: Callable[..., Any] = _unbind

    # --- what a subclass calls --------------------------------------------------------------

    def sendEvent(
        self,
        message: Message,
        event: str | bytes | None = None,
        eid: str | bytes | int | None = None,
        retry: int | str | None = None,
    ) -> Deferred[None]:
        """Send an event.

        *message* is text, of as many lines as it likes, a dict (sent as JSON), or a list if the
        class says ``serialize_lists = True``. *event* is its type, *eid* its id, which a client
        that comes back shows as `last_event_id`, *retry* the milliseconds it waits before that.

        The Deferred fires when the client has caught up, so that a sender who waits keeps its
        pace; one who does not loses the client when more than `max_pending` bytes wait. It fails
        with ``cyclone.httpserver.StreamClosedError`` when the stream has ended (and is silent
        about it if nobody waits).

        :raises ValueError: for CR, LF or NUL in *event* or *eid*, or a *retry* that is no number.
        :raises TypeError: for a *message* of another type.
        """
        return self._send(encode_event(message, event, eid, retry, self.serialize_lists))

    #: The same.
    send_event = sendEvent

    @property
    def transport(self) -> Transport:
        """Twisted's transport of the connection; what is written to it is part of the stream."""
        return cast("Transport", _StreamTransport(self))

    @property
    def last_event_id(self) -> str | None:
        """The id of the last event that a returning client got, or None."""
        value: str | None = self.request.headers.get("Last-Event-ID")
        if value is None:
            return None
        # Header fields arrive as Latin-1; here browsers send UTF-8.
        return value.encode("latin-1").decode("utf-8", "replace")

    def join(self, channel: str, after: int | str | None = None) -> None:
        """Pass on what is published to *channel* of the hub.

        A returning client first gets what it missed, as far as the hub has kept it: what came
        after *after*, by default after `last_event_id`.
        """
        super().join(channel, self.last_event_id if after is None else after)

    # --- the request ------------------------------------------------------------------------

    @asynchronous
    def get(self, *args: Any, **kwargs: Any) -> Any:
        """Open the stream. A subclass defines `bind` instead."""
        self.set_header("Content-Type", "text/event-stream")
        # no-transform: compressing would cost each open stream some 250 KB.
        self.set_header("Cache-Control", "no-cache, no-transform")
        self.set_header("X-Accel-Buffering", "no")  # for nginx
        if self.request.method == "HEAD":
            self.flush().addErrback(_ignore)
            self.finish().addErrback(_ignore)
            return None
        self.request.notifyFinish().addCallback(self._end_of_request)
        pending = self.bind(*args, **kwargs)
        if not self._finished:
            self._open()
            self.flush().addErrback(_ignore)
        return pending

    head = get
    post = get

    def _open(self) -> None:
        """The head of the answer leaves with what is flushed next."""
        if self._stream_open or self._stream_ended:
            return
        self._stream_open = True
        sweeper = sweeper_of(self.application)
        self._next_comment = sweeper.monotonic() + self._interval()
        sweeper.add(self)

    def _interval(self) -> float:
        interval = self.keep_alive_interval
        if interval is None:
            interval = self.settings.get("sse_keep_alive", DEFAULT_KEEP_ALIVE)
        return interval or float("inf")

    def _send(self, data: bytes) -> Deferred[None]:
        if self._finished or self._stream_ended:
            return self._too_late()
        self._open()
        self._next_comment = self.application.monotonic() + self._interval()
        self.write(data)
        taken = self.flush()
        if not taken.called:
            self._check_pace()
            return taken
        if isinstance(getattr(taken, "result", None), Failure):
            taken.addErrback(_ignore)
            return self._too_late()
        return taken

    def _too_late(self) -> Deferred[None]:
        """A Deferred that fails in the reactor's next turn, if anybody waits for it."""
        late: Deferred[None] = Deferred()
        error = Failure(StreamClosedError("the stream has ended"))  # type: ignore[no-untyped-call]
        self.application.reactor.callLater(0, _settle, late, error)
        return late

    def _check_pace(self) -> None:
        """The client is slower than we are: how much?"""
        limit = self.max_pending
        if limit is None:
            limit = self.settings.get("sse_max_pending", DEFAULT_MAX_PENDING)
        if limit and self.request.connection.buffered > limit:
            self._cut_off()

    def _cut_off(self) -> None:
        general_log.info(
            "cut off {remote_ip}, which reads the events of {path} too slowly",
            remote_ip=self.request.remote_ip,
            path=self.request.path,
        )
        self.request.connection.abort()

    def finish(
        self, chunk: str | bytes | dict[str, Any] | list[Any] | None = None
    ) -> Deferred[None]:
        """End the stream. Once it has ended, the Deferred fails, as that of a late event."""
        if self._finished and self._stream_ended:
            return self._too_late()
        return super().finish(chunk)

    # --- the hub ----------------------------------------------------------------------------

    def on_hub_message(self, message: HubMessage) -> Any:
        """Send what was published to a channel: override it to filter or to send otherwise."""
        return self._send(message.encoded("sse", _encode_hub_message))

    def on_hub_overflow(self) -> None:
        """The client is too slow for the hub: it is cut off, and comes back for what it missed."""
        self._cut_off()

    # --- the end ----------------------------------------------------------------------------

    def _sweep(self, now: float) -> None:
        """Once a second: a comment if it is time for one, the end if the server stops."""
        if self.request.connection.server.is_stopping:
            self.finish().addErrback(_ignore)
        elif now >= self._next_comment and not self.request.connection.buffered:
            self._send(KEEP_ALIVE)

    def on_connection_close(self) -> None:
        """The client has left. What there is to clean up goes into `unbind`."""
        super().on_connection_close()
        self._end_of_request()
        if not self._finished:
            # Nothing of it reaches anybody, but a client that closed only its side is let go.
            self.finish().addErrback(_ignore)

    def on_connection_closed(self, *args: Any, **kwargs: Any) -> Any:
        """The stream has ended, from whichever side; calls `unbind`."""
        return self.unbind()

    def _end_of_request(self, reason: str | None = None) -> None:
        if self._stream_ended:
            return
        self._stream_ended = True
        self.leave_all()
        if not self._stream_open:
            return
        sweeper_of(self.application).discard(self)
        unbind = self.async_callback(self.on_connection_closed)
        if unbind is not None:
            unbind(reason)


class _StreamTransport:
    """The transport, but that writing to it leaves the framing of the answer whole.

    Cyclone 1.3 had no framing, and its programs send their comments this way.
    """

    __slots__ = ("_handler",)

    def __init__(self, handler: SSEHandler) -> None:
        self._handler = handler

    def write(self, data: bytes) -> None:
        self._handler._send(data)

    def writeSequence(self, pieces: Iterable[bytes]) -> None:
        self.write(b"".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler.request.connection.transport, name)


def _encode_hub_message(message: HubMessage) -> bytes:
    return encode_event(message.text, eid=message.id)


def _settle(waiting: Deferred[None], result: Failure | None) -> None:
    """Fire *waiting*; a failure only if somebody is there to be told."""
    if waiting.called:
        return
    if isinstance(result, Failure) and _is_watched(waiting):
        waiting.errback(result)
    else:
        waiting.callback(None)


def _is_watched(waiting: Deferred[None]) -> bool:
    # The public name of this list is deprecated since Twisted 25.5; the other is new with that.
    name = "_callbacks" if hasattr(waiting, "_callbacks") else "callbacks"
    return bool(getattr(waiting, name))


def _ignore(_: object) -> None:
    """The end of the request tells all there is to know."""
