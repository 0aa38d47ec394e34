"""WebSockets over real sockets, server and peers in processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

SERVER = """
import signal
from twisted.internet import reactor
from cyclone.web import Application
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

application = Application(
    [("/echo", Echo), ("/room", Room), ("/firehose", Firehose)],
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
