"""The body of the request that is coming in: framing, limits, rate, and who receives it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ._errors import RequestError
from ._framing import reader_for
from ._timeouts import NEVER

if TYPE_CHECKING:
    from ._inflate import GzipInflater
    from ._options import ServerOptions
    from ._request import HTTPRequest


class BodyReceiver(Protocol):
    """Receives the body of a request piece by piece; returned by a ``headers_received``.

    After the last piece `finish` is called; if the client goes away first, or breaks a rule,
    `on_connection_close`. Always exactly one of the two.
    """

    def data_received(self, chunk: bytes) -> Deferred[None] | None:
        """Take a piece. Until a Deferred it returns has fired, no more is read."""

    def finish(self) -> None:
        """The body is complete."""

    def on_connection_close(self) -> None:
        """The rest of the body will not come."""


class BodySink(Protocol):
    """Collects a body; what `BodyReceiver` is for the server itself."""

    def data_received(self, chunk: bytes) -> Deferred[None] | None: ...

    def complete(self) -> Deferred[None] | None: ...

    def close(self) -> None: ...


class Incoming:
    """State that exists only while a body is coming in."""

    __slots__ = (
        "_delivered",
        "_inflater",
        "_pieces",
        "_rate_bytes",
        "_rate_start",
        "blocked",
        "ended",
        "expect_continue",
        "failure",
        "limit",
        "options",
        "reader",
        "received",
        "receiver",
        "request",
        "sink",
        "timeout",
        "wake",
    )

    def __init__(
        self,
        request: HTTPRequest,
        options: ServerOptions,
        now: float,
        wake: Callable[[], None],
    ) -> None:
        self.request = request
        self.options = options
        self.reader = reader_for(request._length, options)
        self.limit = options.max_body_size
        self.timeout = options.body_timeout
        self.expect_continue = request._expect_continue
        #: Of these two, at most one: neither means the body is thrown away.
        self.receiver: BodyReceiver | None = None
        self.sink: BodySink | None = None
        self._inflater: GzipInflater | None = None
        self._delivered = 0
        #: Body bytes so far, as framed.
        self.received = 0
        #: Somebody has to take a piece first.
        self.blocked = False
        #: The last piece was delivered.
        self.ended = False
        #: Why the body cannot be taken, found while it was blocked.
        self.failure: Failure | None = None
        self.wake = wake
        self._pieces: Iterator[bytes] = iter(())
        self._rate_start = now
        self._rate_bytes = 0

    def inflate_if_needed(self) -> None:
        """Inflate a gzip body; its coding is taken off the headers, as in Tornado."""
        headers = self.request.headers
        coding = headers.get("Content-Encoding", "")
        if coding.lower() in ("gzip", "x-gzip"):
            from ._inflate import GzipInflater

            self._inflater = GzipInflater()
            headers["X-Consumed-Content-Encoding"] = coding
            del headers["Content-Encoding"]

    def check_declared_length(self) -> None:
        """Refuse a body that says it is too large before any of it is read."""
        declared = getattr(self.reader, "remaining", 0)
        if self.limit is not None and declared > self.limit:
            raise RequestError(413, "body larger than allowed")

    def feed(self, data: bytes, now: float) -> bytes:
        """Take what arrived; returns what follows the body. `RequestError` to refuse it."""
        piece = self.reader.feed(data)
        size = len(piece)
        self.received += size
        if self.limit is not None and self.received > self.limit:
            raise RequestError(413, "body larger than allowed")
        self._check_rate(len(data), now)
        if size:
            inflater = self._inflater
            pieces: Iterable[bytes] = (piece,) if inflater is None else inflater.feed(piece)
            if self.receiver is not None:
                pieces = _of_at_most(self.options.chunk_size, pieces)
            self._pieces = iter(pieces)
        self.deliver()
        return self.reader.rest if self.reader.done else b""

    def deliver(self) -> None:
        """Hand pieces over until one has to be waited for or there is none."""
        while not self.blocked:
            piece = next(self._pieces, None)
            if piece is None:
                if self.reader.done and not self.ended:
                    self._end()
                return
            self._delivered += len(piece)
            if self.limit is not None and self._delivered > self.limit:
                raise RequestError(413, "body larger than allowed when inflated")
            target = self.receiver if self.receiver is not None else self.sink
            if target is not None:
                self._wait_for(target.data_received(piece))

    def _end(self) -> None:
        self.ended = True
        if self._inflater is not None:
            self._inflater.finish()
        if self.sink is not None:
            self._wait_for(self.sink.complete())

    def _wait_for(self, result: Deferred[None] | None) -> None:
        if result is None:
            return
        self.blocked = True
        result.addCallbacks(self._unblock, self._fail)

    def _unblock(self, result: object) -> None:
        self.blocked = False
        self._rate_start = NEVER
        self.wake()

    def _fail(self, failure: Failure) -> None:
        self.blocked = False
        self.failure = failure
        self.wake()

    def _check_rate(self, size: int, now: float) -> None:
        """`RequestError` if too little arrived in the last window."""
        rate = self.options.min_body_rate
        if not rate or not self.timeout:
            return
        if self._rate_start > now:
            self._rate_start = now
            self._rate_bytes = 0
        self._rate_bytes += size
        elapsed = now - self._rate_start
        if elapsed >= self.timeout:
            if self._rate_bytes < rate * elapsed and not self.reader.done:
                raise RequestError(408, "body too slow")
            self._rate_start = now
            self._rate_bytes = 0

    def discard(self) -> None:
        """Nobody wants the rest: free what was collected, tell a receiver."""
        receiver, self.receiver = self.receiver, None
        sink, self.sink = self.sink, None
        # What nobody reads is not inflated either (BP-16)
        self._inflater = None
        self._pieces = iter(())
        self.blocked = False
        if sink is not None:
            sink.close()
        if receiver is not None:
            try:
                receiver.on_connection_close()
            except Exception as error:
                self.request.connection.server.log_failure(self.request, error)


def _of_at_most(size: int, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at most ``size``."""
    for piece in pieces:
        if len(piece) <= size:
            yield piece
        else:
            for start in range(0, len(piece), size):
                yield piece[start : start + size]
