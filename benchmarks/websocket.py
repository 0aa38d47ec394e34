"""WebSocket servers side by side: echo, streamed echo, large messages, broadcast, idle memory.

python benchmarks/websocket.py [--rounds 5] [--seconds 1.5] [--servers cyclone,...] [SCENE ...]

Each server runs in a process of its own on one core, the client on the other. Rounds are
interleaved: every server once in each round; medians and ratios of one run are what counts. Each
server is first checked for the right answer. The load comes from a small C program (a compiler is
needed), so that it is never what is measured. Besides messages per second, what the server's
process used of its core is taken: messages for each second of CPU time, which other load on the
machine, and the time a server waits for its client, do not change.
"""

import argparse
import base64
import functools
import os
import select
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

SERVERS = ("cyclone", "tornado", "uvicorn", "aiohttp")
CORES = sorted(os.sched_getaffinity(0))  # the first is the server's, the last the client's
MASK = b"\x11\x22\x33\x44"


# --- the servers ----------------------------------------------------------------------------


def serve_cyclone(port: int) -> None:
    from twisted.internet import reactor

    from cyclone.web import Application
    from cyclone.websocket import WebSocketHandler, broadcast

    clients: set[WebSocketHandler] = set()

    class Echo(WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            self.write_message(message, isinstance(message, bytes))

    class Hub(WebSocketHandler):
        def open(self) -> None:
            clients.add(self)

        def on_message(self, message: str | bytes) -> None:
            broadcast(clients, message)

        def on_close(self) -> None:
            clients.discard(self)

    Application([("/echo", Echo), ("/hub", Hub)]).listen(port, "127.0.0.1")
    reactor.run()


def serve_tornado(port: int) -> None:
    import asyncio

    from tornado.web import Application
    from tornado.websocket import WebSocketHandler

    clients: set[WebSocketHandler] = set()

    class Echo(WebSocketHandler):
        def on_message(self, message: str | bytes) -> None:
            self.write_message(message, isinstance(message, bytes))

    class Hub(WebSocketHandler):
        def open(self) -> None:
            clients.add(self)

        def on_message(self, message: str | bytes) -> None:
            for client in clients:
                client.write_message(message)

        def on_close(self) -> None:
            clients.discard(self)

    async def main() -> None:
        Application([("/echo", Echo), ("/hub", Hub)]).listen(port, "127.0.0.1")
        await asyncio.Event().wait()

    asyncio.run(main())


def serve_uvicorn(port: int) -> None:
    import uvicorn

    clients: set[Any] = set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "websocket":
            return
        await receive()
        await send({"type": "websocket.accept"})
        hub = scope["path"] == "/hub"
        clients.add(send)
        try:
            while True:
                event = await receive()
                if event["type"] == "websocket.disconnect":
                    return
                text = event.get("text")
                answer: dict[str, Any] = {"type": "websocket.send"}
                answer |= {"bytes": event["bytes"]} if text is None else {"text": text}
                if hub:
                    for other in list(clients):
                        await other(answer)
                else:
                    await send(answer)
        finally:
            clients.discard(send)

    uvicorn.run(
        app,
        host="127.0.0.1",
        port=port,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        log_level="error",
        ws_ping_interval=None,
    )


def serve_aiohttp(port: int) -> None:
    from aiohttp import WSMsgType, web

    clients: set[Any] = set()

    async def handle(request: web.Request) -> web.WebSocketResponse:
        ws = web.WebSocketResponse(compress=False, max_msg_size=16 << 20)
        await ws.prepare(request)
        hub = request.path == "/hub"
        clients.add(ws)
        try:
            async for message in ws:
                if hub:
                    for other in clients:
                        await other.send_str(message.data)
                elif message.type == WSMsgType.TEXT:
                    await ws.send_str(message.data)
                else:
                    await ws.send_bytes(message.data)
        finally:
            clients.discard(ws)
        return ws

    app = web.Application()
    app.router.add_get("/echo", handle)
    app.router.add_get("/hub", handle)
    web.run_app(app, host="127.0.0.1", port=port, print=None, access_log=None)


def serve_bare(port: int) -> None:
    """Twisted and nothing else, an upper bound for anything on it.

    It sends on the socket itself, answers as many bytes as arrived (less the mask) with a frame
    made before, and neither looks at what it is sent nor unmasks or decodes it.
    """
    from twisted.internet import protocol, reactor

    handshake = b"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: x\r\n\r\n"

    class Bare(protocol.Protocol):
        transport: Any
        missing = frame = 0
        answer = b""

        def connectionMade(self) -> None:
            self.send = self.transport.getHandle().send
            self.transport.bufferSize = 65536 + 4096

        def dataReceived(self, data: bytes) -> None:
            if not self.frame:
                if data.startswith(b"GET"):
                    self.send(handshake)
                    return
                kind = data[1] & 127
                size = kind if kind < 126 else int.from_bytes(data[2 : 4 if kind == 126 else 10])
                self.answer = unmasked_frame(size)
                self.missing = self.frame = len(self.answer) + len(MASK)
            self.missing -= len(data)
            while self.missing <= 0:
                self.missing += self.frame
                self.send(self.answer)

    factory: Any = protocol.ServerFactory.forProtocol(Bare)
    reactor.listenTCP(port, factory)
    reactor.run()


# --- the client -----------------------------------------------------------------------------


def masked_frame(payload: bytes) -> bytes:
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x81, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x81, 0xFE, size)
    else:
        head = struct.pack("!BBQ", 0x81, 0xFF, size)
    key = (MASK * (size // 4 + 1))[:size]
    body = (int.from_bytes(payload) ^ int.from_bytes(key)).to_bytes(size)
    return head + MASK + body


def unmasked_frame(size: int) -> bytes:
    head = masked_frame(bytes(size))[: answer_size(size) - size]
    return bytes((head[0], head[1] & 0x7F)) + head[2:] + bytes(size)


def answer_size(size: int) -> int:
    return size + (2 if size < 126 else 4 if size < 65536 else 10)


def connect(port: int, path: str) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
        f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        data = sock.recv(4096)
        if not data:
            raise SystemExit("the server closed during the handshake")
        head += data
    if b" 101 " not in head.partition(b"\r\n")[0]:
        raise SystemExit(f"no WebSocket: {head!r}")
    return sock


def receive_exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        if not piece:
            raise SystemExit("the server closed")
        data += piece
    return data


def check(port: int) -> None:
    """The right answer to a short and to a long message."""
    sock = connect(port, "/echo")
    for payload in (b"hello", b"x" * 70000):
        sock.sendall(masked_frame(payload))
        answer = receive_exactly(sock, answer_size(len(payload)))
        if not answer.endswith(payload) or answer[0] != 0x81:
            raise SystemExit("wrong answer")
    sock.close()


def load(port: int, size: int, connections: int, window: int, seconds: float) -> float:
    """Messages per second on some connections, with ``window`` of them under way on each."""
    arguments = map(str, (port, size, connections, window, seconds))
    return float(subprocess.check_output([build_load(), *arguments], text=True))


@functools.cache
def build_load() -> str:
    """Compile the load generator: one written in Python would be what is measured."""
    folder = tempfile.mkdtemp()
    binary = os.path.join(folder, "websocket_load")
    source = os.path.join(os.path.dirname(__file__), "websocket_load.c")
    subprocess.check_call(["cc", "-O2", "-o", binary, source])
    return binary


def broadcasts(port: int, clients: int, seconds: float) -> float:
    """Messages delivered per second, each to all of some thousand clients."""
    socks = [connect(port, "/hub") for _ in range(clients)]
    poll = select.epoll()
    by_number = {sock.fileno(): sock for sock in socks}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    frame = masked_frame(b"y" * 64)
    expected = answer_size(64) * clients
    rounds = 0
    start = time.perf_counter()
    end = start + seconds
    while (now := time.perf_counter()) < end:
        socks[0].sendall(frame)
        missing = expected
        while missing:
            for number, _ in poll.poll(1, 1000):
                missing -= len(by_number[number].recv(4096))
        rounds += 1
    for sock in socks:
        sock.close()
    return rounds * clients / (now - start)


def resident(pid: int) -> int:
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
    raise SystemExit("no VmRSS")


def idle(port: int, pid: int, clients: int) -> float:
    """KiB of the server's memory for each idle WebSocket."""
    warm = [connect(port, "/hub") for _ in range(200)]
    for sock in warm:
        sock.close()
    time.sleep(0.5)
    before = resident(pid)
    socks = [connect(port, "/hub") for _ in range(clients)]
    time.sleep(0.5)
    after = resident(pid)
    for sock in socks:
        sock.close()
    return (after - before) / clients / 1024


# --- running it -----------------------------------------------------------------------------


class Server:
    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--serve", name, "--port", str(port)],
            stderr=subprocess.DEVNULL,  # clients that leave in the middle are no news
            preexec_fn=lambda: os.sched_setaffinity(0, CORES[:1]),
        )
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
            except OSError:
                time.sleep(0.1)
            else:
                break
        if name != "bare":
            check(port)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def run(scene: str, server: Server, options: argparse.Namespace) -> float:
    seconds = options.seconds
    scenes: dict[str, Callable[[], float]] = {
        "echo": lambda: load(server.port, 32, 16, 1, seconds),
        "streamed": lambda: load(server.port, 32, 1, 2000, seconds),
        "large": lambda: load(server.port, 65536, 8, 1, seconds),
        "broadcast": lambda: broadcasts(server.port, options.clients, seconds),
        "idle": lambda: idle(server.port, server.process.pid, options.idle),
    }
    return scenes[scene]()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    ticks: int = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks


def compare(scene: str, names: list[str], options: argparse.Namespace) -> None:
    rates: dict[str, list[float]] = {name: [] for name in names}
    per_cpu: dict[str, list[float]] = {name: [] for name in names}
    servers = [Server(name, free_port()) for name in names]
    try:
        for _ in range(1 if scene == "idle" else options.rounds):
            for server in servers:
                before = cpu_seconds(server.process.pid)
                start = time.perf_counter()
                rate = run(scene, server, options)
                elapsed = time.perf_counter() - start
                used = cpu_seconds(server.process.pid) - before
                rates[server.name].append(rate)
                # A broadcast's clients connect within that time: that is counted for all alike
                per_cpu[server.name].append(rate * min(options.seconds, elapsed) / used)
    finally:
        for server in servers:
            server.stop()
    if scene == "idle":
        report(f"{scene} (KiB each)", rates)
    else:
        report(f"{scene} (messages per second)", rates)
        report(f"{scene} (messages per second of CPU)", per_cpu)


def report(title: str, results: dict[str, list[float]]) -> None:
    medians = {name: statistics.median(values) for name, values in results.items()}
    first = next(iter(medians))
    print(title)
    for name, values in results.items():
        spread = f"({min(values):,.1f} - {max(values):,.1f})"
        ratio = medians[first] / medians[name]
        print(f"  {name:10} {medians[name]:12,.1f}  {spread:28} {first} / {name} = {ratio:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenes", nargs="*")
    parser.add_argument("--serve", help="run one server (internal)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.5)
    parser.add_argument("--clients", type=int, default=5000, help="of a broadcast")
    parser.add_argument("--idle", type=int, default=10000, help="idle WebSockets")
    parser.add_argument("--servers", default=",".join(SERVERS))
    options = parser.parse_args()
    if options.serve:
        globals()[f"serve_{options.serve}"](options.port)
        return
    import resource

    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, CORES[-1:])
    if len(CORES) < 2:
        sys.exit("This needs two cores: on one, the client is measured with the server.")
    for scene in options.scenes or ("echo", "streamed", "large", "broadcast", "idle"):
        compare(scene, options.servers.split(","), options)


if __name__ == "__main__":
    main()
