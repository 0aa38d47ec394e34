"""Mixed traffic for a while: nothing stays of it, and nobody is served worse (F-08, F-51).

``CYCLONE_SOAK_SECONDS`` sets how long (default 6): half an hour makes about a million requests, a
day is the soak of a release. At the end the server is compared with one that has just started, both
under the same load at the same time, since how busy the machine is changes meanwhile; from ten
minutes on it has to answer as soon. ``CYCLONE_FUZZ_SEED`` repeats the order of things.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import re
import socket
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import wire

SECONDS = float(os.environ.get("CYCLONE_SOAK_SECONDS", "6"))
SEED = int(os.environ.get("CYCLONE_FUZZ_SEED", str(random.randrange(1 << 32))))
CLIENTS = 8
SERVER = """
import collections, gc, logging, os, sys, threading, time, types
logging.basicConfig(level=logging.ERROR)
from twisted.internet import defer, reactor, task
from cyclone.sse import SSEHandler
from cyclone.web import Application, RequestHandler, stream_request_body
from cyclone.websocket import WebSocketHandler

class Plain(RequestHandler):
    def get(self):
        self.get_signed_cookie("user")
        self.set_signed_cookie("user", "somebody")
        self.write({"said": self.get_argument("say", "")})

    def post(self):
        files = self.request.files.get("f", ())
        self.write(str(sum(len(file.body) for file in files) or len(self.request.body)))

class Later(RequestHandler):
    async def get(self):
        await task.deferLater(reactor, 0.01)
        self.write("later")

class Never(RequestHandler):
    async def get(self):
        await defer.Deferred()

class Boom(RequestHandler):
    def get(self):
        raise ValueError("on purpose")

class Break(RequestHandler):
    async def get(self):
        self.write("begun")
        await self.flush()
        raise ValueError("on purpose")

class Stream(RequestHandler):
    async def get(self):
        for _ in range(50):
            self.write(bytes(20_000))
            await self.flush()

@stream_request_body
class Upload(RequestHandler):
    def prepare(self):
        self.size = 0

    async def data_received(self, chunk):
        self.size += len(chunk)

    def post(self):
        self.write(str(self.size))

class Echo(WebSocketHandler):
    def get_compression_options(self):
        return {}

    def on_message(self, message):
        return self.write_message(message)

class Events(SSEHandler):
    def bind(self):
        self.sendEvent("hello")

class State(RequestHandler):
    def get(self):
        for _ in range(3):
            gc.collect()
        live = collections.Counter(
            kind.__qualname__ for kind in map(type, gc.get_objects())
            if str(kind.__module__).partition(".")[0] in ("cyclone", "__main__")
            or kind in (defer.Deferred, types.CoroutineType)
        )
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[1])
        self.write({
            "live": live, "garbage": len(gc.garbage), "threads": threading.active_count(),
            "files": len(os.listdir("/proc/self/fd")), "timers": len(reactor.getDelayedCalls()),
            "resident": pages * os.sysconf("SC_PAGESIZE"), "cpu": time.process_time(),
        })

application = Application(
    [("/", Plain), ("/later", Later), ("/never", Never), ("/boom", Boom), ("/break", Break),
     ("/stream", Stream), ("/upload", Upload), ("/echo", Echo), ("/events", Events),
     ("/state", State)],
    static_path=sys.argv[1], cookie_secret="0123456789abcdef" * 4, gzip=True,
    decompress_request=True, spool_threshold=50_000,
)
reactor.suggestThreadPoolSize(4)
port = reactor.listenTCP(0, application, interface="127.0.0.1")
print(f"http://127.0.0.1:{port.getHost().port}", flush=True)
reactor.run()
"""
fuzz: Any = wire.load("test_fuzz")
FORM = (
    b'--B\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\n%b\r\n--B--\r\n',
    {"Content-Type": "multipart/form-data; boundary=B"},
)


def ask(
    client: http.client.HTTPConnection,
    path: str,
    status: int = 200,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
) -> bytes:
    client.request(method, path, body, headers or {})
    response = client.getresponse()
    assert response.status == status, (path, response.status)
    return response.read()


class Traffic:
    """One client that does now this, now that."""

    def __init__(self, url: str, seed: int) -> None:
        self.url = url
        self.random = random.Random(seed)
        #: How long each answer took, if that is wanted.
        self.times: list[float] | None = None
        self.done = 0
        # The rare ones are those that cost a connection
        self.kinds = [*self.kept() * 6, self.uploads, self.forms, *self.cut_off()]

    def kept(self) -> list[Callable[[http.client.HTTPConnection], object]]:
        return [
            lambda client: ask(client, f"/?say={self.random.random()}"),
            lambda client: ask(client, "/later"),
            lambda client: ask(client, "/nowhere", 404),
            lambda client: ask(client, "/boom", 500),
            lambda client: ask(client, "/static/file.txt"),
            lambda client: ask(client, "/stream", headers={"Accept-Encoding": "gzip"}),
        ]

    def cut_off(self) -> list[Callable[[http.client.HTTPConnection], object]]:
        return [self.leave, self.broken, self.half_an_upload, self.echo, self.events, self.hostile]

    def run(self, until: float) -> None:
        client = wire.keep_alive(self.url)
        with closing(client):
            while (start := time.monotonic()) < until:
                kind = self.random.choice(self.kinds)
                kind(client)
                if self.times is not None:
                    self.times.append(time.monotonic() - start)
                self.done += 1

    def uploads(self, client: http.client.HTTPConnection) -> None:
        size = self.random.choice((10, 40_000, 200_000))
        for path in ("/", "/upload"):
            assert ask(client, path, method="POST", body=bytes(size)) == b"%d" % size

    def forms(self, client: http.client.HTTPConnection) -> None:
        size = self.random.choice((10, 200_000))
        answer = ask(client, "/", method="POST", body=FORM[0] % bytes(size), headers=FORM[1])
        assert answer == b"%d" % size

    def leave(self, _: object) -> None:
        """Hang up on an answer that comes late, never, or in many parts."""
        path = self.random.choice(("/later", "/never", "/stream"))
        with closing(wire.connect(self.url)) as client:
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            if self.random.random() < 0.5:
                time.sleep(0.005)
            if self.random.random() < 0.5:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, wire.ABORT)

    def broken(self, _: object) -> None:
        with closing(wire.connect(self.url)) as client:
            client.sendall(b"GET /break HTTP/1.1\r\nHost: x\r\n\r\n")
            assert not wire.read_to_end(client).endswith(b"0\r\n\r\n")

    def half_an_upload(self, _: object) -> None:
        path = self.random.choice(("/", "/upload"))
        with closing(wire.connect(self.url)) as client:
            head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n"
            client.sendall(head.encode() + bytes(60_000))

    def echo(self, _: object) -> None:
        with closing(wire.upgrade(self.url, "/echo")) as client:
            client.sendall(wire.frame(1, b"x" * 100))
            assert client.recv(2) == b"\x81\x64"
            if self.random.random() < 0.5:
                client.sendall(wire.frame(8, b"\x03\xe8"))
                wire.read_to_end(client)

    def events(self, _: object) -> None:
        with closing(wire.connect(self.url)) as client:
            client.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
            wire.read_head(client)

    def hostile(self, _: object) -> None:
        with closing(wire.connect(self.url)) as client, suppress(OSError):
            client.sendall(fuzz.mutate(self.random))
            client.shutdown(socket.SHUT_WR)
            wire.read_to_end(client)


def state(url: str) -> dict[str, Any]:
    """The server's, when it is done with what was asked of it."""
    previous: dict[str, Any] = {}
    for _ in range(40):
        with closing(wire.keep_alive(url)) as client:
            found: dict[str, Any] = json.loads(
                ask(client, "/state", headers={"Connection": "close"})
            )
        if found["live"] == previous.get("live"):
            break
        previous = found
        time.sleep(0.1)
    return found


def send(clients: list[Traffic], seconds: float) -> None:
    """Let them all send for so long."""
    until = time.monotonic() + seconds
    with ThreadPoolExecutor(len(clients)) as pool:
        list(pool.map(lambda client: client.run(until), clients))


class Served:
    """How a server has served: its processor time for each request, and when answers came."""

    def __init__(self, cpu: float, times: list[float]) -> None:
        self.cpu = cpu / len(times)
        quantiles = statistics.quantiles(times, n=100)
        self.median, self.slow = quantiles[49], quantiles[98]

    def __repr__(self) -> str:
        return f"{self.cpu * 1e3:.3f} ms CPU, {self.median * 1e3:.1f}, {self.slow * 1e3:.1f} ms"

    def is_worse_than(self, other: Served) -> bool:
        """By more than chance does, where the machine is busy with other things, too.

        That changes when answers come much more than what they cost.
        """
        return (
            self.cpu > 1.1 * other.cpu
            or self.median > 1.5 * other.median + 0.002
            or self.slow > 1.5 * other.slow + 0.01
        )


def compared(urls: list[str], seconds: float) -> list[Served]:
    """How each server serves, with the same asked of all at the same time."""
    sides = [[Traffic(url, SEED + n) for n in range(CLIENTS // 2)] for url in urls]
    clients = [client for side in sides for client in side]
    send(clients, seconds / 4)  # what is done for the first time takes longer
    before = [state(url)["cpu"] for url in urls]
    for client in clients:
        client.times = []
    send(clients, seconds)
    return [
        Served(state(url)["cpu"] - cpu, [each for client in side for each in client.times or ()])
        for url, cpu, side in zip(urls, before, sides, strict=True)
    ]


def test_what_is_worse() -> None:
    chance = random.Random(SEED)
    times = [chance.expovariate(100) for _ in range(10_000)]
    fresh = Served(10, times)
    later = {
        "a tenth": [each * 1.1 for each in times],
        "all": [each * 2 for each in times],
        "some": [each + 0.1 * (n % 50 == 0) for n, each in enumerate(times)],
    }
    assert not Served(10.5, later["a tenth"]).is_worse_than(fresh)
    assert Served(11.5, times).is_worse_than(fresh)
    assert Served(10, later["all"]).is_worse_than(fresh)
    assert Served(10, later["some"]).is_worse_than(fresh)


def test_f_08_f_51_soak(start_program: Any, tmp_path: Path) -> None:
    (tmp_path / "file.txt").write_text("static " * 1000)
    program = [sys.executable, "-W", "default::ResourceWarning", "-c", SERVER, tmp_path]
    server = start_program(*program)
    clients = [Traffic(server.url, SEED + number) for number in range(CLIENTS)]

    def soak(seconds: float) -> dict[str, Any]:
        send(clients, seconds)
        return state(server.url)

    before = soak(SECONDS / 2)
    after = soak(SECONDS / 2)

    assert after["garbage"] == 0
    grown = {
        name: number - before["live"].get(name, 0)
        for name, number in after["live"].items()
        if number > before["live"].get(name, 0) + 2
    }
    assert not grown, SEED
    for name in ("files", "threads", "timers"):
        assert after[name] <= before[name] + 2, name
    assert after["resident"] - before["resident"] < 4_000_000

    log = server.log()
    assert "Unhandled" not in log
    assert "ResourceWarning" not in log
    assert "Exception ignored" not in log
    errors = set(re.findall(r"^(\w+(?:Error|Exception|Cancelled)\b.*)$", log, re.MULTILINE))
    assert errors <= {"ValueError: on purpose"}, SEED
    assert sum(client.done for client in clients) > 100 * SECONDS / 6

    urls = [server.url, start_program(*program).url]
    aged, fresh = compared(urls, min(60, SECONDS / 12))
    if SECONDS >= 600:
        assert not aged.is_worse_than(fresh), (aged, fresh, SEED)
