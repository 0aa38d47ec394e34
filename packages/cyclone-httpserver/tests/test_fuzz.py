"""Mutated traffic, for a while: nothing escapes, every connection is answered or closed.

``CYCLONE_FUZZ_SECONDS`` sets how long (default 20); ``CYCLONE_FUZZ_SEED`` repeats a run.
"""

from __future__ import annotations

import gc
import gzip
import logging
import os
import random
import time
from typing import Any

from http_support import HEADERS, PROBES, Client, statuses
from twisted.internet.defer import Deferred

from cyclone.httpserver import HTTPRequest
from cyclone.httputil import HTTPHeaders, HTTPInputError, ResponseStartLine

SECONDS = float(os.environ.get("CYCLONE_FUZZ_SECONDS", "20"))
SEED = int(os.environ.get("CYCLONE_FUZZ_SEED", str(random.randrange(1 << 32))))

BOUNDARY = (
    b"POST /form HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=B\r\n"
    b"Content-Length: 93\r\n\r\n"
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\n'
    b"0123456789012345678\r\n--B--\r\n"
)
PACKED = gzip.compress(b"hello" * 100)
CORPUS = [
    *(data for data, _ in PROBES.values() if len(data) < 10_000),
    BOUNDARY,
    b"POST /stream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n0\r\n\r\n",
    b"POST /gz HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
    % (len(PACKED), PACKED),
    b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /raise HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /stream HTTP/1.0\r\n\r\n",
]
TOKENS = [
    b"\r\n", b"\r", b"\n", b"\0", b" ", b":", b";", b",", b"0", b"9" * 20, b"chunked", b"\xff",
    b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Host: y\r\n", b"\r\n\r\n",
    b"Connection: close\r\n", b"Expect: 100-continue\r\n", b"HTTP/1.1", b"HTTP/1.0", b"\t",
]  # fmt: skip


class Streaming:
    """A receiver that sometimes makes the client wait."""

    def __init__(self, request: HTTPRequest, world: World) -> None:
        self.request = request
        self.world = world
        self.ends = 0

    def data_received(self, chunk: bytes) -> Deferred[None] | None:
        if self.world.random.random() < 0.3:
            waiting: Deferred[None] = Deferred()
            self.world.later.append(lambda: waiting.callback(None))
            return waiting
        return None

    def finish(self) -> None:
        self.ends += 1
        self.world.answer(self.request)

    def on_connection_close(self) -> None:
        self.ends += 1


class World:
    """The application under attack."""

    def __init__(self, rng: random.Random) -> None:
        self.random = rng
        self.later: list[Any] = []
        self.receivers: list[Streaming] = []

    def __call__(self, request: HTTPRequest) -> None:
        for name in ("headers", "host", "query_arguments", "cookies", "arguments", "files"):
            try:
                getattr(request, name)
            except HTTPInputError:
                request.connection.write_response(request, 400, None, HEADERS, b"bad")
                return
        if request.path == "/raise":
            raise ValueError
        if request.path == "/slow":
            self.later.append(lambda: self.answer(request))
        else:
            self.answer(request)

    def headers_received(self, request: HTTPRequest) -> Any:
        if request.path != "/stream":
            return None
        receiver = Streaming(request, self)
        self.receivers.append(receiver)
        if self.random.random() < 0.5:
            return receiver
        decided: Deferred[Any] = Deferred()
        self.later.append(lambda: decided.callback(receiver))
        return decided

    def answer(self, request: HTTPRequest) -> None:
        connection = request.connection
        if connection.request is not request or connection.closed:
            return
        if request.path == "/stream":
            start = ResponseStartLine("HTTP/1.1", 200, "OK")
            for result in (
                connection.write_headers(start, HTTPHeaders()),
                connection.write(b"abc"),
                connection.finish(),
            ):
                result.addErrback(lambda failure: None)
        else:
            connection.write_response(request, 200, None, HEADERS, b"fine")


def mutate(rng: random.Random) -> bytes:
    data = b"".join(rng.choice(CORPUS) for _ in range(rng.choice((1, 1, 1, 2, 3))))
    for _ in range(rng.choice((0, 1, 1, 2, 4))):
        at, to = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        match rng.randrange(5):
            case 0:
                data = data[:at] + rng.choice(TOKENS) + data[at:]
            case 1:
                data = data[:at] + data[min(to, at + rng.randrange(1, 12)) :]
            case 2:
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
            case 3:
                data = data[:to] + data[at:to] + data[to:]
            case 4:
                data = data[:to]
        data = data[:20_000] or b"G"
    return data


def cut(rng: random.Random, data: bytes) -> list[bytes]:
    pieces = []
    style = rng.choice((1, 7, 100, 100_000))
    while data:
        size = rng.randrange(1, style + 1)
        pieces.append(data[:size])
        data = data[size:]
    return pieces


def attack(rng: random.Random) -> None:
    world = World(rng)
    client = Client(world, decompress_request=True, spool_threshold=20)
    for piece in cut(rng, mutate(rng)):
        client.send(piece)
        if world.later and rng.random() < 0.5:
            world.later.pop(0)()
    ending = rng.randrange(4)
    if ending == 0:
        client.connection.readConnectionLost()
    elif ending == 1:
        client.hang_up(clean=False)
    while world.later:
        world.later.pop(0)()
    client.advance(120)
    if not client.lost:
        # Answered and kept, or closed: nothing hangs
        assert client.wire.closing or not client.connection.request
        assert client.wire.closing or client.server.options.idle_connection_timeout
    assert client.wire.closing or client.lost
    assert all(200 <= code <= 599 or code == 100 for code in statuses(client.received))
    if not client.lost:
        client.hang_up()
    assert not client.server.connections
    assert all(receiver.ends == 1 for receiver in world.receivers)
    assert not client.clock.getDelayedCalls()


def test_fuzz() -> None:
    logging.getLogger("cyclone").setLevel(logging.CRITICAL)
    try:
        deadline = time.monotonic() + SECONDS
        runs = 0
        gc.collect()
        before = len(gc.get_objects())
        while time.monotonic() < deadline:
            seed = SEED + runs
            try:
                attack(random.Random(seed))
            except BaseException as error:
                raise AssertionError(f"CYCLONE_FUZZ_SEED={seed}") from error
            runs += 1
        gc.collect()
        assert len(gc.get_objects()) - before < 2000, "something is kept"
        assert runs > 100
    finally:
        logging.getLogger("cyclone").setLevel(logging.NOTSET)
