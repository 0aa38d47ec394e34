"""A browser's side of a stream of events, over the client of cyclone.testing."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from cyclone.testing import Client, ClientResponse, MemoryConnection
from cyclone.web import Application


@dataclasses.dataclass
class Event:
    """What an EventSource dispatches."""

    data: str
    type: str = "message"
    last_event_id: str = ""


@dataclasses.dataclass
class EventSource:
    """Reads a stream as WHATWG HTML, section 9.2.6 says; nothing of it is our own code."""

    events: list[Event] = dataclasses.field(default_factory=list)
    comments: int = 0
    retry: int | None = None
    _rest: str = ""
    _data: list[str] = dataclasses.field(default_factory=list)
    _type: str = ""
    _id: str = ""

    def feed(self, data: bytes) -> list[Event]:
        """Read more; returns all events so far."""
        *lines, self._rest = re.split("\r\n|\n|\r", self._rest + data.decode())
        for line in lines:
            self._line(line)
        return self.events

    def _line(self, line: str) -> None:
        if not line:
            if self._data:
                event = Event("\n".join(self._data), self._type or "message", self._id)
                self.events.append(event)
            self._data, self._type = [], ""
            return
        name, colon, value = line.partition(":")
        if not name and colon:
            self.comments += 1
            return
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._type = value
        elif name == "id" and "\0" not in value:
            self._id = value
        elif name == "retry" and value.isascii() and value.isdigit():
            self.retry = int(value)


class Connection:
    """The connection of one stream."""

    def __init__(self, connection: MemoryConnection) -> None:
        self.memory = connection
        self.lose = connection.lose

    @property
    def protocol(self) -> Any:
        return self.memory.transport.protocol

    @property
    def received(self) -> bytes:
        return self.memory.received

    @property
    def closed(self) -> bool:
        return self.memory.closed

    @property
    def response(self) -> ClientResponse:
        """The answer, as far as it came."""
        (response,) = self.memory.responses()
        return response

    @property
    def head(self) -> str:
        return self.received.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def status(self) -> int:
        return self.response.code

    @property
    def body(self) -> bytes:
        """What came so far; chunked framing is taken off."""
        return self.response.body

    @property
    def ended(self) -> bool:
        """Whether the last chunk came."""
        return self.received.endswith(b"\r\n0\r\n\r\n")

    @property
    def events(self) -> list[Event]:
        return EventSource().feed(self.body)

    @property
    def comments(self) -> int:
        source = EventSource()
        source.feed(self.body)
        return source.comments


class Site:
    """An application whose time stands still."""

    def __init__(self, handler: Any, **settings: Any) -> None:
        application = handler
        if not isinstance(handler, Application):
            application = Application([(r"/(\w*)", handler)], **settings)
        self.application: Application = application
        self.client = Client(application, host="example.com", keep_cookies=False)
        self.clock = self.client.clock

    def get(
        self,
        path: str = "/",
        method: str = "GET",
        version: str = "HTTP/1.1",
        headers: Mapping[str, str] | None = None,
    ) -> Connection:
        return Connection(self.client.start(method, path, version=version, headers=headers))

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.advance(seconds)
