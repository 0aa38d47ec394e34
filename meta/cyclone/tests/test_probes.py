"""The wire probes against an Application: each way a handler can answer, each way bytes can be cut.

The probes and the mutations are those of cyclone-httpserver's tests, which try them on the bare
server. ``CYCLONE_FUZZ_SECONDS`` sets how long the last test goes on (default 5).
"""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import random
import re
import time
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure
from wire import load

from cyclone.web import Application, HTTPError, RequestHandler, stream_request_body

SECONDS = float(os.environ.get("CYCLONE_FUZZ_SECONDS", "5"))
SEED = int(os.environ.get("CYCLONE_FUZZ_SEED", str(random.randrange(1 << 32))))


support = load("http_support")
fuzz = load("test_fuzz")
Waiting = list[Deferred[None]]


class Base(RequestHandler):
    def prepare(self) -> Any:
        self.settings["seen"].append(self.request.path)

    async def wait(self) -> None:
        waiting: Deferred[None] = Deferred()
        self.settings["waiting"].append(waiting)
        await waiting


class Plain(Base):
    def get(self) -> None:
        self.get_cookie("a")
        self.get_signed_cookie("s")
        self.locale.translate("x")
        self.write("plain " + self.get_argument("a", ""))

    def post(self) -> None:
        self.write({"size": len(self.request.body), "files": len(self.request.files)})

    delete = options = head = get
    put = patch = post


class Async(Base):
    async def get(self) -> None:
        await self.wait()
        self.write("async")

    async def post(self) -> None:
        await self.wait()
        self.write(str(len(self.request.body)))

    options = head = get


class Flushing(Base):
    async def get(self) -> None:
        for _ in range(3):
            self.write("x" * 10)
            await self.flush()
            await self.wait()
        if self.get_argument("raise", ""):
            raise ValueError("after the head")

    post = options = head = get


@stream_request_body
class Stream(Base):
    size = 0

    async def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)
        await self.wait()

    def get(self) -> None:
        self.write(str(self.size))

    post = options = head = get


class Early(Base):
    def prepare(self) -> None:
        super().prepare()
        self.set_status(403)
        self.finish("no")


@stream_request_body
class EarlyStream(Early):
    def data_received(self, chunk: bytes) -> None:
        raise AssertionError("nobody wants it")


class LateStream(Stream):
    async def prepare(self) -> None:
        super().prepare()
        await self.wait()
        raise HTTPError(403)


class Boom(Base):
    def get(self) -> None:
        raise ValueError("boom")

    post = options = head = get


PATHS = {
    "/plain": Plain,
    "/async": Async,
    "/flushing": Flushing,
    "/stream": Stream,
    "/early": Early,
    "/earlystream": EarlyStream,
    "/latestream": LateStream,
    "/boom": Boom,
}
# What these paths do with a good request for them
REFUSING = {"/early", "/earlystream", "/latestream", "/boom"}


class World:
    """An application and what happens in it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        (folder / "file.txt").write_text("static " * 100)
        self.seen: list[str] = []
        self.waiting: Waiting = []
        self.application = Application(
            [*PATHS.items(), ("/smug", Plain), ("/", Plain)],
            static_path=str(folder),
            compress_response=True,
            decompress_request=True,
            cookie_secret="s" * 40,
            spool_threshold=20,
            seen=self.seen,
            waiting=self.waiting,
            **settings,
        )
        # An application takes its clock from the reactor it is given
        clock = support.Clock()
        self.application.reactor = clock
        self.application.monotonic = clock.seconds
        self.clock = clock

    def connect(self) -> Any:
        client = support.Client(server=self.application)
        client.clock = self.clock
        return client

    def step(self) -> None:
        """One of those who wait goes on."""
        if self.waiting:
            self.waiting.pop(0).callback(None)

    def settle(self) -> None:
        """All of them, and whoever waits next."""
        while self.waiting:
            self.step()


@contextlib.contextmanager
def watched() -> Iterator[list[BaseException]]:
    """The exceptions that were logged, by the framework or by Twisted (a Deferred's)."""
    found: list[BaseException] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.exc_info and record.exc_info[1]:
                found.append(record.exc_info[1])

    class Unhandled(Logger):
        def failure(self, format: str, failure: Failure | None = None, *_: Any, **__: Any) -> None:
            if failure is not None and failure.value is not None:
                found.append(failure.value)

    cyclone = logging.getLogger("cyclone")
    handler = Handler(logging.INFO)
    cyclone.addHandler(handler)
    # Pytest keeps what it sees, unless this is done while the test runs
    cyclone.propagate = False
    try:
        # Nor is an observer added to Twisted's log, which keeps what comes before it begins
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(defer, "log", Unhandled())
            yield found
    finally:
        cyclone.propagate = True
        cyclone.removeHandler(handler)


def verdicts(data: bytes) -> list[int]:
    return [code for code in support.statuses(data) if code >= 200]


@pytest.mark.parametrize("path", [*PATHS, "/static/file.txt", "/nowhere"])
@pytest.mark.parametrize("split", support.SPLITS)
def test_probes_F34(path: str, split: str, tmp_path: Path) -> None:
    with watched() as errors:
        try_probes(path, split, World(tmp_path))
        gc.collect()
    assert {str(error) for error in errors} <= {"boom"}


def try_probes(path: str, split: str, world: World) -> None:
    for name, (probe, verdict) in support.PROBES.items():
        if split == "bytewise" and len(probe) > 1000:
            continue
        data = re.sub(rb"^((?:\r\n)*[A-Z]+) / ", rb"\1 " + path.encode() + b" ", probe)
        world.seen.clear()
        client = world.connect()
        client.send(*support.SPLITS[split](data))
        world.settle()
        served = verdicts(client.received)
        smuggled = "/smug" in world.seen
        if verdict == support.REJECT:
            before = support.served_before(name)
            assert len(served) == before + 1, (name, client.received)
            assert served[-1] >= 400, (name, client.received)
            assert client.wire.closing, name
            assert not smuggled, name
        elif verdict == support.NEVER:
            assert not world.seen, name
        elif name in ("S19", "H37", "H38"):
            # The second is a request of its own; an early answer may have ended the connection
            assert len(served) in (1, 2), (name, client.received)
        else:
            assert len(served) == verdict or (path in REFUSING and client.wire.closing), (
                name,
                client.received,
            )
            assert not smuggled, name
        client.hang_up()
    assert not world.application.connections
    assert not world.application.open_requests()


CORPUS = [
    b"GET /async HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /flushing HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /flushing?raise=1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /flushing HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /boom HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET /static/file.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=0-5, 7-9\r\n"
    b'If-Range: "x"\r\nAccept-Encoding: gzip\r\n\r\n',
    b"GET /plain?a=%41&a=%ff&b=;;&%zz HTTP/1.1\r\nHost: x\r\nCookie: a=1; s=2|1:0|10:1|1:s|4:YQ==|b"
    b'\r\nAccept-Language: de;q=x, en\r\nIf-None-Match: "abc", W/"x"\r\n'
    b"Accept-Encoding: gzip;q=0.5, *;q=0\r\nX-Forwarded-For: 1, ::1\r\n\r\n",
    b"POST /stream HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + b"y" * 100,
    b"POST /earlystream HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
    b"Expect: 100-continue\r\n\r\nyyyyyyyyy",
    b"POST /latestream HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n0\r\n\r\n",
    b"POST /plain HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 20\r\n\r\na=1&b=%ff&c=%zz&&==&",
    fuzz.BOUNDARY.replace(b"/form", b"/plain"),
    b"POST /plain HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
    % (len(fuzz.PACKED), fuzz.PACKED),
]


def attack(rng: random.Random, world: World) -> None:
    client = world.connect()
    for piece in fuzz.cut(rng, fuzz.mutate(rng)):
        client.send(piece)
        if rng.random() < 0.3:
            world.step()
    ending = rng.randrange(4)
    if ending == 0:
        client.connection.readConnectionLost()
    elif ending == 1:
        client.hang_up(clean=False)
    world.settle()
    client.advance(120)
    assert client.wire.closing or client.lost, client.received
    assert all(200 <= code <= 599 or code == 100 for code in support.statuses(client.received))
    if not client.lost:
        client.hang_up()
    world.settle()
    assert not world.application.connections
    assert not world.application.open_requests()


def test_mutations(tmp_path: Path) -> None:
    world = World(tmp_path)
    fuzz.CORPUS.extend(CORPUS)
    deadline = time.monotonic() + SECONDS
    runs = 0
    try:
        with watched() as errors:
            while time.monotonic() < deadline:
                if runs == 500:
                    gc.collect()
                    before = len(gc.get_objects())
                seed = SEED + runs
                try:
                    attack(random.Random(seed), world)
                    assert {str(error) for error in errors} <= {"boom", "after the head"}
                except BaseException as error:
                    raise AssertionError(f"CYCLONE_FUZZ_SEED={seed}") from error
                errors.clear()
                world.seen.clear()
                runs += 1
    finally:
        del fuzz.CORPUS[-len(CORPUS) :]
    assert runs > 500
    gc.collect()
    assert len(gc.get_objects()) - before < 2000, "something is kept"


def test_nothing_is_remembered_of_what_clients_send_CN14(tmp_path: Path) -> None:
    world = World(tmp_path)

    def flood(start: int, count: int) -> None:
        client = world.connect()
        for number in range(start, start + count):
            client.send(
                b"G%d /%d?q%d=%d HTTP/1.1\r\nHost: h%d.example\r\nX-%d: 1\r\nCookie: c%d=1\r\n"
                b"Accept-Language: x%d\r\nAccept-Encoding: y%d\r\nX-Forwarded-For: %d\r\n\r\n"
                % ((number,) * 10)
            )
            client.send(
                b"GET /plain?a=%d HTTP/1.1\r\nHost: x\r\nAccept-Language: l%d\r\n\r\n"
                % (number, number)
            )
            client.wire.clear()
        assert not client.wire.closing
        client.hang_up()
        world.seen.clear()

    with watched():
        flood(0, 1000)
        gc.collect()
        before = len(gc.get_objects())
        tracemalloc.start()
        try:
            flood(1000, 3000)
            gc.collect()
            size, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert len(gc.get_objects()) - before < 500
    assert size < 1_000_000
