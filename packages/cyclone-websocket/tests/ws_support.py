"""Frames by hand, and a peer in memory: bytes in, frames out, a clock that stands still."""

from __future__ import annotations

import dataclasses
import logging
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Self

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from websockets.utils import apply_mask

from cyclone.testing import Client
from cyclone.web import Application
from cyclone.websocket import WebSocketHandler

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
MASK = b"\x37\xfa\x21\x3d"

HANDSHAKE = {
    "Host": "example.com",
    "Upgrade": "websocket",
    "Connection": "Upgrade",
    "Sec-WebSocket-Key": KEY,
    "Sec-WebSocket-Version": "13",
}


def frame(first: int, payload: bytes = b"", mask: bytes | None = MASK) -> bytes:
    """One frame, masked unless ``mask`` is None."""
    size = len(payload)
    bit = 0 if mask is None else 0x80
    if size < 126:
        head = struct.pack("!BB", first, bit | size)
    elif size < 65536:
        head = struct.pack("!BBH", first, bit | 126, size)
    else:
        head = struct.pack("!BBQ", first, bit | 127, size)
    return head + (payload if mask is None else mask + apply_mask(payload, mask))


def text(message: str) -> bytes:
    return frame(0x81, message.encode())


def close(code: int | None = None, reason: str = "") -> bytes:
    return frame(0x88, b"" if code is None else struct.pack("!H", code) + reason.encode())


def parse_frames(data: bytes) -> list[tuple[int, bytes]]:
    """Frames of a server: (first byte, payload)."""
    frames = []
    while data:
        first, size = data[0], data[1]
        start = 2
        assert size < 128, "a server does not mask"
        if size == 126:
            size, start = int.from_bytes(data[2:4], "big"), 4
        elif size == 127:
            size, start = int.from_bytes(data[2:10], "big"), 10
        assert len(data) >= start + size, "an incomplete frame"
        frames.append((first, data[start : start + size]))
        data = data[start + size :]
    return frames


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


class Peer:
    """A client of one connection of an application, in memory, that speaks in frames."""

    def __init__(
        self,
        handler: type[WebSocketHandler] | Application,
        headers: Mapping[str, str] | None = None,
        *,
        path: str = "/ws",
        clock: Clock | None = None,
        open: bool = True,
        **settings: Any,
    ) -> None:
        if isinstance(handler, Application):
            self.application = handler
        else:
            settings.setdefault("websocket_ping_interval", 0)
            self.application = Application([("/ws", handler), ("/ws/(.*)", handler)], **settings)
        client = Client(self.application, clock)
        self.clock: Any = client.clock
        self.connection = client.connect()
        self._forgotten = 0
        self.feed = self.connection.send
        self.lose = self.connection.lose
        self.advance = self.clock.advance
        if open:
            self.request({**HANDSHAKE, **(headers or {})}, path=path)

    def request(
        self,
        headers: Mapping[str, str],
        method: str = "GET",
        path: str = "/ws",
        version: str = "HTTP/1.1",
        after: bytes = b"",
    ) -> Answer:
        lines = [f"{method} {path} {version}", *(f"{k}: {v}" for k, v in headers.items())]
        self.feed("\r\n".join(lines).encode() + b"\r\n\r\n" + after)
        return self.answer if self.received else Answer(0, {}, b"")

    @property
    def transport(self) -> Any:
        """The server's."""
        return self.connection.transport

    @property
    def paused(self) -> Any:
        """Whether the server has stopped reading."""
        return self.connection.server_paused

    @property
    def lost(self) -> Any:
        """Whether the connection is gone."""
        return self.connection.closed

    @property
    def received(self) -> bytes:
        return self.connection.received[self._forgotten :]

    def forget(self) -> None:
        """What came so far is of no interest any more."""
        self._forgotten = len(self.connection.received)

    @property
    def answer(self) -> Answer:
        head, _, body = self.received.partition(b"\r\n\r\n")
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = dict(field.split(": ", 1) for field in fields)
        return Answer(int(line.split()[1]), {k.lower(): v for k, v in headers.items()}, body)

    def frames(self) -> list[tuple[int, bytes]]:
        """The frames of the server so far."""
        return parse_frames(self.received.partition(b"\r\n\r\n")[2])

    def messages(self) -> list[str | bytes]:
        return [
            payload.decode() if first == 0x81 else payload
            for first, payload in self.frames()
            if first in (0x81, 0x82)
        ]

    def close_frame(self) -> tuple[int | None, str] | None:
        """Code and reason of the server's close frame, if there is one."""
        found = [payload for first, payload in self.frames() if first == 0x88]
        assert len(found) < 2, "closed twice"
        if not found:
            return None
        payload = found[0]
        code = int.from_bytes(payload[:2], "big") if payload else None
        return code, payload[2:].decode()


class Recorder(WebSocketHandler):
    """Notes what happens; ``events`` is shared by all of a class."""

    events: ClassVar[list[Any]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.events = []

    def on_close(self) -> None:
        self.events.append(("close", self.close_code, self.close_reason))


class Echo(Recorder):
    events: ClassVar[list[Any]] = []

    def on_message(self, message: str | bytes) -> Any:
        self.write_message(message, isinstance(message, bytes))


SPLITS: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "whole": lambda data: iter((data,)),
    "bytes": lambda data: (data[i : i + 1] for i in range(len(data))),
    "threes": lambda data: (data[i : i + 3] for i in range(0, len(data), 3)),
}


class Log(logging.Handler):
    """Collects the records of a logger, as a context."""

    def __init__(self, name: str = "cyclone.application") -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self._logger = logging.getLogger(name)

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def __enter__(self) -> Self:
        self._logger.addHandler(self)
        self._propagate, self._logger.propagate = self._logger.propagate, False
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagate


class Slow(Recorder):
    """Works on each message until a Deferred fires."""

    waiting: list[Deferred[None]]

    def initialize(self) -> None:
        self.waiting = type(self).gates
        self.events.clear()
        self.waiting.clear()

    gates: ClassVar[list[Deferred[None]]] = []

    async def on_message(self, message: str | bytes) -> None:
        self.events.append(message)
        gate: Deferred[None] = Deferred()
        self.waiting.append(gate)
        await gate
        await self.write_message(f"done {message!r}")

    def on_ping(self, data: bytes) -> None:
        self.events.append(("ping", data))


class Closer(Recorder):
    handler: ClassVar[WebSocketHandler]

    def open(self) -> None:
        type(self).handler = self

    def on_message(self, message: str | bytes) -> None:
        self.events.append(message)


def closer(**settings: Any) -> tuple[Peer, WebSocketHandler]:
    Closer.events.clear()
    peer = Peer(Closer, **settings)
    return peer, Closer.handler
