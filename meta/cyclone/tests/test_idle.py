"""Many connections on which nothing happens: what they cost, and what is left of them (F-16).

``CYCLONE_IDLE_CONNECTIONS`` sets how many of each kind (default 400). The nightly figure is 10000,
for which the limit of open files has to be above 20100.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Any

import pytest
import wire

NUMBER = int(os.environ.get("CYCLONE_IDLE_CONNECTIONS", "400"))
#: Bytes that Python allocates for a connection between two requests, and for a quiet WebSocket.
HTTP_BYTES, SOCKET_BYTES = 4 * 1024, 8 * 1024
SERVER = """
import gc, os, resource, time, tracemalloc
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
            "files": len(os.listdir("/proc/self/fd")),
            "timers": len(reactor.getDelayedCalls()),
            "processor": time.process_time(),
        })

application = Application(
    [("/", Main), ("/socket", Socket), ("/state", State)],
    idle_connection_timeout=600, websocket_ping_interval=600,
)
port = reactor.listenTCP(0, application, interface="127.0.0.1")
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
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * NUMBER + 100:
        pytest.skip(f"{hard} open files are not enough")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


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


def idle_client(url: str) -> socket.socket:
    client = wire.connect(url)
    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    wire.read_head(client)
    assert client.recv(4) == b"fine"
    return client


@pytest.mark.parametrize(
    ("begin", "most"),
    [
        pytest.param(idle_client, HTTP_BYTES, id="http"),
        pytest.param(lambda url: wire.upgrade(url, "/socket"), SOCKET_BYTES, id="websocket"),
    ],
)
def test_f_16_idle_connections(url: str, begin: Callable[[str], socket.socket], most: int) -> None:
    latency(url)
    before = state(url)
    with ExitStack() as clients:
        for _ in range(NUMBER):
            clients.enter_context(closing(begin(url)))
        during = state(url)
        assert during["files"] >= NUMBER
        assert (during["memory"] - before["memory"]) / NUMBER < most
        assert during["timers"] < 10
        assert latency(url) < 0.01

        rest = state(url)["processor"]
        time.sleep(1)
        assert state(url)["processor"] - rest < 0.05 + NUMBER / 50_000

    # The tables that have grown stay as large; the second time nothing is added
    after = when_closed(url, before)
    with ExitStack() as clients:
        for _ in range(NUMBER):
            clients.enter_context(closing(begin(url)))
    assert when_closed(url, before)["memory"] - after["memory"] < 50_000 + 10 * NUMBER


def when_closed(url: str, before: dict[str, float]) -> dict[str, float]:
    """The state once no more files are open than before, but those that the server keeps."""
    limit = time.monotonic() + 20
    while (found := state(url))["files"] > before["files"] + 3:
        assert time.monotonic() < limit, found
        time.sleep(0.05)
    return found
