"""Files over real sockets: by the kernel alone, at the pace of the client, hashed in a thread."""

from __future__ import annotations

import hashlib
import os
import tempfile
from typing import Any

import pytest
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.trial.unittest import TestCase

from cyclone.web import Application, StaticFileHandler
from cyclone.web._static_paths import Stamp
from cyclone.web._static_send import FileChanged, open_same, read_span

reactor: Any = _reactor
DATA = bytes(range(251)) * 24_000  # 6 MB, more than sockets hold


def test_open_same(tmp_path: Any) -> None:
    file = tmp_path / "a"
    file.write_text("one")
    stamp = Stamp.of(os.stat(file))
    os.close(open_same(str(file), stamp))
    file.write_text("other")
    for path in (file, tmp_path / "missing"):
        with pytest.raises(FileChanged):
            open_same(str(path), stamp)
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(FileChanged):
        open_same(str(tmp_path / "fifo"), stamp)  # ST-04: does not wait for a writer


def test_read_span(tmp_path: Any) -> None:
    (tmp_path / "a").write_bytes(DATA[:200_000])
    assert b"".join(read_span(str(tmp_path / "a"), 5, 150_000)) == DATA[5:150_000]
    assert b"".join(read_span(str(tmp_path / "a"), 199_999, 300_000)) == DATA[199_999:200_000]


class Client(Protocol):
    """Sends a request; reads slowly, or goes away, when told."""

    def __init__(self, data: bytes, *, stop_at: int | None = None, on_data: Any = None) -> None:
        self.data = data
        self.received: list[bytes] = []
        self.size = 0
        self.stop_at = stop_at
        self.on_data = on_data
        self.done: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self.data)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.received.append(data)
        self.size += len(data)
        if self.on_data is not None:
            self.on_data()
            self.on_data = None
        if self.stop_at is not None and self.size > self.stop_at:
            self.transport.abortConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Any = None) -> None:
        self.done.callback(b"".join(self.received))


class SendingTests(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "large")
        with open(self.path, "wb") as file:
            file.write(DATA)
        self.ended: list[int] = []
        ended = self.ended

        class Handler(StaticFileHandler):
            def on_finish(self) -> None:
                ended.append(self._body_bytes_written)

        routes = [("/(.*)", Handler, {"path": folder.name})]
        self.application = Application(routes)
        StaticFileHandler.reset()

    async def fetch(self, *headers: str, path: str = "/large", **options: Any) -> bytes:
        port = reactor.listenTCP(0, self.application, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        lines = [f"GET {path} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]
        client = Client("\r\n".join(lines).encode(), **options)
        factory = ClientFactory()
        factory.noisy = False
        factory.protocol = lambda: client
        reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        return await client.done

    async def test_a_large_file(self) -> None:
        answer = await self.fetch()
        head, _, body = answer.partition(b"\r\n\r\n")
        assert body == DATA
        assert hashlib.sha512(DATA).hexdigest().encode() in head
        assert self.ended == [len(DATA)]

    async def test_ranges_of_it(self) -> None:
        answer = await self.fetch("Range: bytes=100-4000099,-7")
        assert DATA[100:4000100] + b"\r\n--" in answer
        assert DATA[-7:] + b"\r\n--" in answer
        assert answer.endswith(b"--\r\n")

    async def test_a_conditional_request(self) -> None:
        etag = f'"{hashlib.sha512(DATA).hexdigest()}"'
        assert b" 304 " in await self.fetch(f"If-None-Match: {etag}")

    async def test_the_client_goes_away(self) -> None:
        await self.fetch(stop_at=100_000)
        while not self.ended:
            waiting: Deferred[None] = Deferred()
            reactor.callLater(0.01, waiting.callback, None)
            await waiting
        assert len(self.ended) == 1

    def is_open(self) -> bool:
        """Whether this process has the file, or what it was, open."""
        folder = "/proc/self/fd"
        names = os.listdir(folder) if os.path.isdir(folder) else ()
        return any(
            os.readlink(f"{folder}/{name}").startswith(self.path)
            for name in names
            if os.path.islink(f"{folder}/{name}")
        )

    async def cut(self, size: int, *headers: str) -> None:
        opened: list[bool] = []

        def truncate() -> None:
            opened.append(self.is_open())
            os.truncate(self.path, size)

        answer = await self.fetch(*headers, on_data=truncate)
        assert opened == [os.path.isdir("/proc/self/fd")]
        assert not self.is_open()
        assert len(answer) < len(DATA)
        assert len(self.ended) == 1

    async def test_st16_the_file_shrinks(self) -> None:
        """ST-16."""
        await self.cut(1000)

    async def test_st16_it_is_emptied(self) -> None:
        """ST-16."""
        await self.cut(0)

    async def test_st16_by_its_last_byte(self) -> None:
        """ST-16."""
        await self.cut(len(DATA) - 1)

    async def test_st16_a_part_of_it(self) -> None:
        """ST-16: a range that ends behind what is left."""
        await self.cut(len(DATA) - 5, f"Range: bytes=10-{len(DATA) - 2}")

    async def test_st16_it_is_replaced(self) -> None:
        """ST-16: what was begun is sent to its end, of the file that it was."""

        def replace() -> None:
            with open(self.path + "-new", "wb") as file:
                file.write(b"new")
            os.replace(self.path + "-new", self.path)

        answer = await self.fetch(on_data=replace)
        assert answer.endswith(b"\r\n\r\n" + DATA)
        assert not self.is_open()
        assert (await self.fetch()).endswith(b"\r\n\r\nnew")
