"""A browser's side of a stream of events, and an application in memory."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

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


class Transport(StringTransport):
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        super().abortConnection()  # type: ignore[no-untyped-call]


class Connection:
    """One connection to an application."""

    def __init__(self, application: Application) -> None:
        peer = IPv4Address("TCP", "127.0.0.1", 40000)
        self.transport = Transport(peerAddress=peer)  # type: ignore[no-untyped-call]
        protocol = application.buildProtocol(peer)
        assert protocol is not None
        self.protocol = protocol
        protocol.makeConnection(self.transport)
        self.lost = False

    def send(self, head: str) -> None:
        self.protocol.dataReceived(head.replace("\n", "\r\n").encode("latin-1"))

    @property
    def received(self) -> bytes:
        data: bytes = self.transport.value()  # type: ignore[no-untyped-call]
        return data

    @property
    def closed(self) -> bool:
        closed = bool(self.transport.disconnecting or self.transport.aborted)
        if closed:
            self.lose(ConnectionLost if self.transport.aborted else ConnectionDone)
        return closed

    def lose(self, reason: type[Exception] = ConnectionDone) -> None:
        if not self.lost:
            self.lost = True
            self.protocol.connectionLost(Failure(reason()))  # type: ignore[no-untyped-call]

    @property
    def head(self) -> str:
        return self.received.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def status(self) -> int:
        return int(self.head.split(" ")[1])

    @property
    def body(self) -> bytes:
        """What came so far; chunked framing is taken off."""
        data = self.received.partition(b"\r\n\r\n")[2]
        if "Transfer-Encoding: chunked" not in self.head:
            return data
        body = b""
        while data:
            line, _, data = data.partition(b"\r\n")
            size = int(line, 16)
            if not size:
                break
            body, data = body + data[:size], data[size + 2 :]
        return body

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
        self.clock = Clock()
        self.application = Application(
            [(r"/(\w*)", handler)],
            reactor=self.clock,
            monotonic=self.clock.seconds,
            **settings,
        )

    def get(
        self,
        path: str = "/",
        method: str = "GET",
        version: str = "1.1",
        headers: Mapping[str, str] | None = None,
    ) -> Connection:
        connection = Connection(self.application)
        fields = {"Host": "example.com", **(headers or {})}
        lines = "".join(f"{name}: {value}\n" for name, value in fields.items())
        connection.send(f"{method} {path} HTTP/{version}\n{lines}\n")
        return connection

    def advance(self, seconds: float) -> None:
        """Let time pass, a second at a time as a reactor would."""
        for _ in range(int(seconds)):
            self.clock.advance(1)
