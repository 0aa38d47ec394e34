"""Many connections on which nothing happens: what they cost, and what is left of them (F-16).

There are 10000 of each kind, or as many as the limit of open files has room for;
``CYCLONE_IDLE_CONNECTIONS`` sets another number.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import wire

_SOFT, _HARD = resource.getrlimit(resource.RLIMIT_NOFILE)
NUMBER = min(int(os.environ.get("CYCLONE_IDLE_CONNECTIONS", "10000")), _HARD - 300)
#: So many connect at a time, and are read from then.
CROWD = 500
#: Bytes that Python allocates for a connection between two requests, and for a quiet WebSocket.
HTTP_BYTES, SOCKET_BYTES = 4 * 1024, 8 * 1024
SERVER = """
import gc, os, resource, sys, time, tracemalloc
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
from twisted.internet import reactor
from cyclone.web import Application, RequestHandler
from cyclone.websocket import WebSocketHandler

class Main(RequestHandler):
    def get(self):
        self.write("fine")

class Socket(WebSocketHandler):
    pass

class State(RequestHandler):
    def get(self):
        gc.collect()
        self.write({
            "memory": tracemalloc.get_traced_memory()[0],
            "blocks": sys.getallocatedblocks(),
            "files": len(os.listdir("/proc/self/fd")),
            "timers": len(reactor.getDelayedCalls()),
            "processor": time.process_time(),
        })

application = Application(
    [("/", Main), ("/socket", Socket), ("/state", State)],
    idle_connection_timeout=600, websocket_ping_interval=600,
)
port = reactor.listenTCP(0, application, interface="127.0.0.1", backlog=2048)
print(f"http://127.0.0.1:{port.getHost().port}", flush=True)
tracemalloc.start()
reactor.run()
"""


@pytest.fixture
def url(start_program: Any) -> str:
    found: str = start_program(sys.executable, "-c", SERVER).url
    return found


@pytest.fixture(autouse=True)
def many_files() -> Iterator[None]:
    """As many open files as the system allows; skips the test if they are too few."""
    if NUMBER < 100:
        pytest.skip(f"{_HARD} open files are not enough")
    resource.setrlimit(resource.RLIMIT_NOFILE, (_HARD, _HARD))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (_SOFT, _HARD))


def state(url: str) -> dict[str, float]:
    with closing(wire.keep_alive(url)) as client:
        client.request("GET", "/state", headers={"Connection": "close"})
        found: dict[str, float] = json.loads(client.getresponse().read())
        return found


def latency(url: str) -> float:
    """Seconds that a new client waits for its answer, in the middle."""

    def once() -> float:
        start = time.perf_counter()
        with closing(wire.connect(url)) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            assert wire.read_to_end(client).endswith(b"fine")
        return time.perf_counter() - start

    return statistics.median(once() for _ in range(50))


REQUESTS = {
    "http": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"fine", HTTP_BYTES),
    "websocket": (
        b"GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        b"\r\n\r\n",
        SOCKET_BYTES,
    ),
}


def connect(url: str, request: bytes, end: bytes, clients: ExitStack) -> None:
    """Make all the connections; each has had its answer then."""
    for first in range(0, NUMBER, CROWD):
        crowd = [
            clients.enter_context(closing(wire.connect(url)))
            for _ in range(min(CROWD, NUMBER - first))
        ]
        for client in crowd:
            client.sendall(request)
        for client in crowd:
            received = b""
            while not received.endswith(end):
                piece = client.recv(4096)
                assert piece, received
                received += piece
            assert received.startswith((b"HTTP/1.1 200 ", b"HTTP/1.1 101 "))


@pytest.mark.parametrize(("request_", "end", "most"), REQUESTS.values(), ids=list(REQUESTS))
def test_f_16_idle_connections(url: str, request_: bytes, end: bytes, most: int) -> None:
    latency(url)
    before = state(url)
    with ExitStack() as clients:
        connect(url, request_, end, clients)
        during = state(url)
        assert during["files"] >= NUMBER
        assert (during["memory"] - before["memory"]) / NUMBER < most
        assert during["timers"] < 10
        assert latency(url) < 0.01

        rest = state(url)["processor"]
        time.sleep(1)
        assert state(url)["processor"] - rest < 0.05 + NUMBER / 50_000

    # Tables that have grown stay as large, but each is one block: nothing is left of a connection
    most_left = before["blocks"] + 1000 + NUMBER // 20
    limit = time.monotonic() + 20
    while (after := state(url))["blocks"] > most_left:
        assert time.monotonic() < limit, (before, during, after)
        time.sleep(0.1)
    assert after["files"] <= before["files"] + 3  # what the server keeps itself
    assert after["memory"] - before["memory"] < 300_000 + 300 * NUMBER
