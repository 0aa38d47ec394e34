"""A file as part of a response, over real sockets."""

# mypy: allow-untyped-calls

from __future__ import annotations

import os
import tempfile
from typing import Any

from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.trial.unittest import TestCase

from cyclone.httpserver import HTTPServer, StreamClosedError
from cyclone.httputil import HTTPHeaders, ResponseStartLine

reactor: Any = _reactor
DATA = bytes(range(256)) * 20_000  # 5 MB: more than the kernel takes at once


class Client(Protocol):
    """Sends one request and keeps what comes back, as slowly as it is told."""

    def __init__(self, request: bytes, stop_at: int | None) -> None:
        self.request = request
        self.received: list[bytes] = []
        self.stop_at = stop_at
        self.done: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self.request)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.received.append(data)
        if self.stop_at is not None and sum(map(len, self.received)) > self.stop_at:
            self.transport.abortConnection()  # type: ignore[union-attr]
            return
        self.transport.pauseProducing()  # type: ignore[union-attr]
        reactor.callLater(0, self.transport.resumeProducing)  # type: ignore[union-attr]

    def connectionLost(self, reason: Any = None) -> None:
        self.done.callback(b"".join(self.received))


class SendFileTests(TestCase):
    def setUp(self) -> None:
        handle, self.path = tempfile.mkstemp()
        os.write(handle, DATA)
        os.close(handle)
        self.addCleanup(os.unlink, self.path)
        self.descriptor = os.open(self.path, os.O_RDONLY)
        self.addCleanup(os.close, self.descriptor)
        self.result: Deferred[list[Any]] = Deferred()

    async def fetch(
        self, serve: Any, *, stop_at: int | None = None, version: bytes = b"1.1", **options: Any
    ) -> bytes:
        port = reactor.listenTCP(0, HTTPServer(serve, **options), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        line = b"GET / HTTP/" + version + b"\r\nHost: x\r\nConnection: close\r\n\r\n"
        client = Client(line, stop_at)
        factory = ClientFactory()
        factory.protocol = lambda: client
        factory.noisy = False
        reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        return await client.done

    def serve(self, length: int | None, *spans: tuple[int, int]) -> Any:
        async def respond(request: Any) -> None:
            headers = HTTPHeaders()
            if length is not None:
                headers["Content-Length"] = str(length)
            connection = request.connection
            connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), headers)
            for start, count in spans:
                await connection.send_file(self.descriptor, start, count)
            await connection.finish()

        def callback(request: Any) -> None:
            Deferred.fromCoroutine(respond(request)).addBoth(
                lambda outcome: self.result.callback([outcome])
            )

        return callback

    async def test_a_whole_file(self) -> None:
        answer = await self.fetch(self.serve(len(DATA), (0, len(DATA))))
        assert answer.partition(b"\r\n\r\n")[2] == DATA
        assert await self.result == [None]

    async def test_parts_and_nothing(self) -> None:
        answer = await self.fetch(self.serve(2_000_003, (5, 2_000_000), (9, 0), (0, 3)))
        assert answer.partition(b"\r\n\r\n")[2] == DATA[5:2_000_005] + DATA[:3]

    async def test_without_a_length(self) -> None:
        answer = await self.fetch(self.serve(None, (0, 100_000)), version=b"1.0")
        assert answer.partition(b"\r\n\r\n")[2] == DATA[:100_000]

    async def test_the_file_ends_early(self) -> None:
        promised = len(DATA) + 10
        answer = await self.fetch(self.serve(promised, (0, promised)))
        assert len(answer.partition(b"\r\n\r\n")[2]) < promised
        (failure,) = await self.result
        assert isinstance(failure.value, EOFError)

    async def test_the_file_ends_early_while_it_is_copied(self) -> None:
        promised = len(DATA) + 10
        await self.fetch(self.serve(None, (0, promised)), version=b"1.0")
        (failure,) = await self.result
        assert isinstance(failure.value, EOFError)

    async def test_the_client_goes_away(self) -> None:
        await self.fetch(self.serve(len(DATA), (0, len(DATA))), stop_at=100_000)
        (failure,) = await self.result
        assert isinstance(failure.value, StreamClosedError)
