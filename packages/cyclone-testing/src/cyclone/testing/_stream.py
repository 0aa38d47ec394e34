"""Responses that are read while they come, and Server-Sent Events."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

from twisted.internet.defer import Deferred

from cyclone.httpclient import HTTPStreamClosedError

from ._connection import MAX_BODY, Exchange, MemoryConnection
from ._inbox import Inbox

if TYPE_CHECKING:
    from cyclone.httputil import HTTPHeaders

    from ._response import ClientResponse


class StreamedResponse:
    """A response whose head has come: `read` its body piece by piece, or ``async for``.

    ``code``, ``reason`` and ``headers`` are as in `ClientResponse`.
    """

    def __init__(self, connection: MemoryConnection, exchange: Exchange) -> None:
        self.connection = connection
        self._exchange = exchange
        self._inbox: Inbox[bytes] = Inbox(connection.soon)
        self._size = 0
        exchange.on_data = self._take
        exchange.on_end = lambda error: self._inbox.end(error or b"")
        exchange.done.addErrback(lambda _: None)

    def _take(self, data: bytes) -> None:
        self._size += len(data)
        if self._size > MAX_BODY:
            raise HTTPStreamClosedError(f"more than {MAX_BODY} bytes of a stream were not read")
        self._inbox.put(data)

    @property
    def response(self) -> ClientResponse:
        """The response without its body."""
        if self._exchange.response is None:
            raise RuntimeError("the head of the response has not come")
        return self._exchange.response

    @property
    def code(self) -> int:
        """The status code."""
        return self.response.code

    @property
    def reason(self) -> str:
        """The reason phrase."""
        return self.response.reason

    @property
    def headers(self) -> HTTPHeaders:
        """The headers."""
        return self.response.headers

    def read(self) -> Deferred[bytes]:
        """A Deferred for the next piece as it came; ``b""`` at the end.

        It fails with `cyclone.httpclient.HTTPStreamClosedError` if the response breaks off.
        """
        return self._inbox.get().addCallback(self._count)

    def _count(self, data: bytes) -> bytes:
        self._size -= len(data)
        return data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while data := await self.read():
            yield data

    def divert(
        self, take: Callable[[bytes], None], end: Callable[[Exception | None], None]
    ) -> None:
        """Give what came and was not read, and all that comes, to somebody else."""
        self._exchange.on_data, self._exchange.on_end = take, end
        for data in self._inbox.drain():
            take(data)
        if self._inbox.ended:
            failure = self._inbox.failure
            end(failure)

    def close(self) -> None:
        """Leave: the server sees that the client went away."""
        self.connection.close()


@dataclasses.dataclass(frozen=True)
class Event:
    """One of the Server-Sent Events; ``retry`` in milliseconds, if the server said it."""

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None


class EventStream:
    """The events of an open stream: `receive` them one by one, or ``async for``.

    ``comments`` holds the comments that came (keep-alives).
    """

    def __init__(self, stream: StreamedResponse) -> None:
        self.stream = stream
        self.comments: list[str] = []
        #: The id of the last event, as a browser would send it when it comes back.
        self.last_event_id: str = ""
        self._inbox: Inbox[Event | None] = Inbox(stream.connection.soon)
        self._buffer = b""
        self._data: list[str] = []
        self._kind = ""
        self._retry: int | None = None
        stream.divert(self._take, self._inbox.end)

    @property
    def code(self) -> int:
        """The status code."""
        return self.stream.code

    @property
    def headers(self) -> HTTPHeaders:
        """The headers."""
        return self.stream.headers

    @property
    def connection(self) -> MemoryConnection:
        """The connection below."""
        return self.stream.connection

    def receive(self) -> Deferred[Event | None]:
        """A Deferred for the next event, or None at the end of the stream."""
        return self._inbox.get()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self.receive()) is not None:
            yield event

    def close(self) -> None:
        """Leave: the server sees that the client went away."""
        self._inbox.end(None)
        self.stream.close()

    def _take(self, data: bytes) -> None:
        self._buffer = (self._buffer + data).replace(b"\r\n", b"\n")
        if len(self._buffer) > MAX_BODY:
            raise HTTPStreamClosedError(f"an event has more than {MAX_BODY} bytes")
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._line(line.decode())

    def _line(self, line: str) -> None:
        """HTML, section 9.2.6: interpreting an event stream."""
        if not line:
            self._dispatch()
            return
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not field:
            self.comments.append(value)
        elif field == "data":
            self._data.append(value)
        elif field == "event":
            self._kind = value
        elif field == "id" and "\0" not in value:
            self.last_event_id = value
        elif field == "retry" and value.isascii() and value.isdecimal():
            self._retry = int(value)

    def _dispatch(self) -> None:
        data, kind, retry = self._data, self._kind, self._retry
        self._data, self._kind, self._retry = [], "", None
        if data:
            self._inbox.put(Event("\n".join(data), kind or "message", self.last_event_id, retry))
