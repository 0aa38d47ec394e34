"""WebSockets over real sockets, server and peers in processes of their own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

SERVER = """
import os
import signal
from twisted.internet import reactor
from cyclone.web import Application, RequestHandler
from cyclone.websocket import WebSocketHandler, broadcast

members = set()

class Echo(WebSocketHandler):
    def get_compression_options(self):
        return {}
    async def on_message(self, message):
        await self.write_message(message, isinstance(message, bytes))

class Room(WebSocketHandler):
    def open(self):
        members.add(self)
    def on_message(self, message):
        broadcast(members, message)
    def on_close(self):
        members.discard(self)

class Firehose(WebSocketHandler):
    async def open(self):
        sent = 0
        with open(self.get_argument("count"), "w") as count:
            while True:
                await self.write_message(bytes(65536), binary=True)
                sent += 1
                count.seek(0)
                count.write(str(sent))
                count.flush()

answers = {"idle": 0, "told much": 0}
closes = []

class Watched(WebSocketHandler):
    ping_interval = 1
    async def open(self):
        self.name = self.get_argument("name")
        while self.name == "told much":
            await self.write_message(bytes(65536), binary=True)
    def on_pong(self, data):
        answers[self.name] += 1
    def on_close(self):
        closes.append([self.name, self.close_code])

class State(RequestHandler):
    def get(self):
        with open("/proc/self/statm") as statm:
            self.write({
                "memory": int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE"),
                "answers": answers,
                "closes": closes,
                "connections": len(server.connections),
            })

application = Application(
    [("/echo", Echo), ("/room", Room), ("/firehose", Firehose), ("/watched", Watched),
     ("/state", State)],
    websocket_max_message_size=1000000,
    max_buffer_size=1000000,
)
server = application.listen(0, "127.0.0.1")
(port,) = server.gate.ports

def stop(*_):
    reactor.callFromThread(lambda: server.stop(5).addCallback(lambda _: reactor.stop()))

reactor.callWhenRunning(lambda: signal.signal(signal.SIGTERM, stop))
reactor.callWhenRunning(print, port.getHost().port, flush=True)
reactor.run()
"""


@pytest.fixture
def server() -> Iterator[tuple[subprocess.Popen[str], int]]:
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SERVER)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield process, int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def raw(port: int, path: str, receive_buffer: int | None = None) -> socket.socket:
    """A WebSocket whose frames are written by hand."""
    sock = socket.socket()
    if receive_buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    sock.settimeout(20)
    sock.connect(("127.0.0.1", port))
    sock.sendall(
        f"GET {path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += sock.recv(1)
    assert b" 101 " in head
    return sock


def drain(sock: socket.socket) -> bytes:
    """Everything up to the end of the connection, which must be a proper one."""
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def test_another_make_of_client(server: tuple[subprocess.Popen[str], int]) -> None:
    with connect(f"ws://127.0.0.1:{server[1]}/echo", max_size=None) as ws:
        assert ws.response is not None
        assert "permessage-deflate" in ws.response.headers["Sec-WebSocket-Extensions"]
        for message in ("hello", b"\x00\xff", "x" * 500_000, os.urandom(500_000), ""):
            ws.send(message)
            assert ws.recv(10) == message
        ws.send(iter(["in ", "three ", "parts"]))
        assert ws.recv(10) == "in three parts"
        assert ws.ping().wait(10)
    assert ws.close_code == 1000


def state(port: int) -> dict[str, Any]:
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as client:
        client.request("GET", "/state")
        found: dict[str, Any] = json.loads(client.getresponse().read())
        return found


def pings(first: int, last: int) -> bytes:
    """Pings of 100 bytes, numbered, masked with zeros."""
    return b"".join(b"\x89\xe4\0\0\0\0%0100d" % number for number in range(first, last))


def test_ws10_a_flood_of_pings_by_a_client_that_reads_nothing(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    port = server[1]
    flood = raw(port, "/echo", receive_buffer=4096)
    with connect(f"ws://127.0.0.1:{port}/echo", compression=None) as ws:
        before = state(port)["memory"]
        slowest, sent, total, step = 0.0, 0, 300_000, 3000
        while sent < total:
            flood.sendall(pings(sent, sent := sent + step))
            start = time.monotonic()
            ws.send("alive?")
            assert ws.recv(10) == "alive?"
            slowest = max(slowest, time.monotonic() - start)
        grown = state(port)["memory"] - before
    assert slowest < 5
    assert grown < 8_000_000  # of 30 MB that were sent
    last = b"\x8a\x64%0100d" % (total - 1)
    received = bytearray()
    while not received.endswith(last):
        received += flood.recv(65536)
    assert len(received) < total * len(last) // 2  # most had no answer, the last has
    flood.close()


# Answers pings until it is stopped
CLIENT = """
import sys
from websockets.sync.client import connect
with connect(sys.argv[1], max_size=None) as ws:
    for message in ws:
        pass
"""


def wait_for(port: int, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    limit = time.monotonic() + 20
    while not condition(found := state(port)):
        assert time.monotonic() < limit, found
        time.sleep(0.05)
    return found


def test_ws13_clients_that_are_stopped_are_noticed(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    port = server[1]
    urls = [f"ws://127.0.0.1:{port}/watched?name={name}" for name in ("idle", "told%20much")]
    clients = [
        subprocess.Popen(
            [sys.executable, "-c", CLIENT, url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for url in urls
    ]
    try:
        # As long as they answer they are kept
        found = wait_for(port, lambda found: all(found["answers"].values()))
        assert found["closes"] == []
        assert found["connections"] == 3  # with that of this question
        for client in clients:
            client.send_signal(signal.SIGSTOP)
        stopped = time.monotonic()
        found = wait_for(port, lambda found: found["connections"] == 1)
        assert time.monotonic() - stopped < 5  # interval and timeout are a second each
    finally:
        for client in clients:
            client.kill()
            client.wait()
    assert sorted(found["closes"]) == [["idle", 1006], ["told much", 1006]]


def test_ws08_the_close_frame_arrives_though_much_was_not_read(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    sock = raw(server[1], "/echo")
    # Announces more than is allowed, and sends it all the same
    sock.sendall(b"\x82\xff" + (10_000_000).to_bytes(8, "big") + b"mask")
    for _ in range(20):
        sock.sendall(bytes(50_000))
    assert drain(sock).startswith(b"\x88\x11\x03\xf1message too big")
    sock.close()


def test_ws17_a_reader_that_stops_delays_nobody_and_is_cut_off(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    port = server[1]
    stalled = raw(port, "/room", receive_buffer=4096)
    with connect(f"ws://127.0.0.1:{port}/room", compression=None) as ws:
        slowest = 0.0
        for number in range(200):
            start = time.monotonic()
            ws.send(f"{number:06}" * 10_000)
            received = ws.recv(10)
            slowest = max(slowest, time.monotonic() - start)
            assert received[:6] == f"{number:06}"
    assert slowest < 5
    with pytest.raises(ConnectionResetError):
        drain(stalled)
    stalled.close()


def test_ws17_a_writer_waits_for_its_reader(
    server: tuple[subprocess.Popen[str], int], tmp_path: os.PathLike[str]
) -> None:
    count = os.path.join(tmp_path, "count")
    sock = raw(server[1], f"/firehose?count={count}", receive_buffer=4096)
    sent = -1
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        time.sleep(0.2)
        with open(count) as file:
            now = int(file.read() or 0)
        if now == sent and now:
            break
        sent = now
    assert 0 < sent < 200, "it does not wait"
    for _ in range(300):
        assert sock.recv(65536)
    sock.close()


def test_f03_at_the_stop_of_the_server_clients_get_1001(
    server: tuple[subprocess.Popen[str], int],
) -> None:
    process, port = server
    with connect(f"ws://127.0.0.1:{port}/echo") as ws:
        process.send_signal(signal.SIGTERM)
        with pytest.raises(ConnectionClosed):
            ws.recv(10)
    assert ws.close_code == 1001
    assert process.wait(10) == 0
