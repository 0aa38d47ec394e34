"""Whole servers in trouble: a full disk, a closed log, a stopped process, clients that vanish."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

SERVER = """
import logging, os, resource, sys
logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(message)s")
from twisted.internet import defer, reactor, task
from cyclone.web import Application, RequestHandler, stream_request_body

class Main(RequestHandler):
    def get(self):
        self.write("fine")
    def post(self):
        files = self.request.files.get("f")
        self.write(str(files[0].size if files else len(self.request.body)))

class Slow(RequestHandler):
    async def get(self):
        await task.deferLater(reactor, 0.3)
        self.write("slow")

class Stream(RequestHandler):
    async def get(self):
        for _ in range(4000):
            self.write(bytes(65536))
            await self.flush()

class State(RequestHandler):
    def get(self):
        with open("/proc/self/statm") as statm:
            pages = int(statm.read().split()[1])
        self.write({"cpu": sum(os.times()[:2]), "files": len(os.listdir("/proc/self/fd")),
                    "rss": pages * os.sysconf("SC_PAGE_SIZE"), "taken": Gated.taken})

@stream_request_body
class Gated(RequestHandler):  # takes a piece of its body, and the others when it is told to
    gate, taken = defer.Deferred(), 0
    async def data_received(self, chunk):
        Gated.taken += len(chunk)
        if not Gated.gate.called:
            waiting = defer.Deferred()
            Gated.gate.addCallback(lambda _: waiting.callback(None))
            await waiting
    def post(self):
        self.write(str(Gated.taken))
    def get(self):
        Gated.gate.callback(None)

class Memory(RequestHandler):
    def get(self):
        bytearray(1 << 46)

class Deep(RequestHandler):
    def get(self):
        self.get()

    def post(self):
        self.get_json()

class Name(RequestHandler):
    def get(self):
        self.write(self.request.headers["X-ITEM-ID"] + self.request.headers["content-id"])

class Secret(RequestHandler):
    def get(self):
        secret = "hunter2"
        raise ValueError("<b>" + secret)

exec(sys.argv[1])
application = Application(
    [("/", Main), ("/slow", Slow), ("/stream", Stream), ("/state", State), ("/memory", Memory),
     ("/deep", Deep), ("/name", Name), ("/secret", Secret), ("/gated", Gated)],
    **{"spool_threshold": 100_000, **eval(sys.argv[2])}
)
port = reactor.listenTCP(0, application, interface="127.0.0.1")
print(port.getHost().port, flush=True)
reactor.run()
"""
LAST = b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
#: What newer Pythons end with when the last words of standard error could not be written
UNWRITTEN = 120
ABORT = b"\1\0\0\0\0\0\0\0"


class Server:
    """A server in a process of its own."""

    def __init__(
        self,
        errors: Any,
        *flags: str,
        setup: str = "",
        settings: dict[str, Any] | None = None,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *flags, "-c", SERVER, setup, repr(settings or {})],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **(environment or {})},
        )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline() or 0)
        self.endings = {0}

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), 60)

    def talk(self, *data: bytes, half_close: bool = False) -> bytes:
        """Send, and read to the end."""
        with self.connect() as client:
            for each in data:
                client.sendall(each)
            if half_close:
                client.shutdown(socket.SHUT_WR)
            received = b""
            with contextlib.suppress(ConnectionError):
                while piece := client.recv(65536):
                    received += piece
            return received

    def get(self, path: str) -> tuple[int, bytes]:
        return parsed(self.talk(b"GET " + path.encode() + LAST))

    def post(
        self, body: bytes, kind: bytes = b"text/plain", path: bytes = b"/"
    ) -> tuple[int, bytes]:
        head = b"Content-Type: %b\r\nContent-Length: %d\r\n\r\n" % (kind, len(body))
        return parsed(self.talk(b"POST " + path + LAST[:-2] + head + body))

    def state(self) -> dict[str, float]:
        found: dict[str, float] = eval(self.get("/state")[1], {"__builtins__": {}})
        return found

    def close(self) -> int:
        """Terminate it; its exit status."""
        self.process.terminate()
        with self.process:
            return self.process.wait(60)


def parsed(answer: bytes) -> tuple[int, bytes]:
    """The status and the body of the last answer; 0 without one."""
    head, _, body = answer.partition(b"\r\n\r\n")
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", head)
    return (int(match[1]) if match else 0), body


Start = Callable[..., Server]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def start(log: Path) -> Iterator[Start]:
    """Starts servers, and sees that each ends as it should and without a traceback."""
    servers: list[Server] = []

    def run(*flags: str, errors: Any = None, **options: Any) -> Server:
        if errors is None:
            with log.open("ab") as own:
                server = Server(own, *(flags or ("-X", "dev", "-W", "error")), **options)
        else:
            server = Server(errors, *flags, **options)
            server.endings.add(UNWRITTEN)
        servers.append(server)
        return server

    yield run
    for server in servers:
        if server.process.poll() is None:
            assert server.close() in server.endings


def form(size: int) -> tuple[bytes, bytes]:
    return (
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="n"\r\n\r\n'
        + bytes(size)
        + b"\r\n--B--\r\n",
        b"multipart/form-data; boundary=B",
    )


def test_a_full_disk_F09(start: Start, log: Path, tmp_path: Path) -> None:
    # No file of the process may grow beyond 1 MiB: write() fails as on a full disk
    server = start(
        setup="resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))",
        settings={"spool_dir": str(tmp_path)},
    )
    before = server.state()["files"]
    assert server.post(bytes(3_000_000))[0] == 507
    assert server.post(*form(3_000_000))[0] == 507
    assert server.post(bytes(600_000)) == (200, b"600000")
    assert server.post(*form(600_000)) == (200, b"600000")
    assert server.state()["files"] == before
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    assert log.read_text().count("ERROR refused a request") == 2
    assert "Traceback" not in log.read_text()


def test_no_folder_for_bodies_F10(start: Start, log: Path, tmp_path: Path) -> None:
    server = start(settings={"spool_dir": str(tmp_path / "missing")})
    assert "WARNING large bodies cannot be stored" in log.read_text()
    assert server.post(bytes(3_000_000))[0] == 500
    assert server.post(b"small") == (200, b"5")
    assert log.read_text().count("ERROR") == 1
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("sink", ["closed pipe", "full disk", "full pipe"])
def test_the_log_fails_F18(sink: str, start: Start) -> None:
    if sink == "full disk":
        with open("/dev/full", "wb") as full:
            server = start(errors=full)
    else:
        reader, writer = os.pipe()
        if sink == "full pipe":
            os.set_blocking(writer, False)
            with contextlib.suppress(BlockingIOError):
                while os.write(writer, bytes(4096)):
                    pass
        server = start(errors=writer)
        os.close(writer)
        if sink == "closed pipe":
            os.close(reader)
    for _ in range(5):
        assert server.get("/") == (200, b"fine")
        assert server.get("/memory")[0] == 500


def test_half_a_connection_F19(start: Start) -> None:
    server = start()
    assert parsed(server.talk(b"GET /slow" + LAST, half_close=True)) == (200, b"slow")
    # A body that was cut is nobody's request
    cut = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"
    assert server.talk(cut, half_close=True) == b""


def test_clients_that_vanish_F33_CN11(start: Start, log: Path) -> None:
    server = start()
    before = server.state()
    sent = [
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 3,
        b"GET /slow" + LAST,
        b"GET /stream" + LAST,
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n" + bytes(200_000),
        b"\x16\x03\x01\x00\xa5\x01\x00",
    ]
    for number in range(350):
        client = server.connect()
        client.sendall(sent[number % len(sent)])
        if number % 2:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        client.close()
    deadline = time.monotonic() + 60
    while (state := server.state())["files"] > before["files"]:
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
    # Nothing spins: in half a second of rest it takes next to no time of the processor
    time.sleep(0.5)
    assert server.state()["cpu"] - state["cpu"] < 0.25
    assert "Traceback" not in log.read_text()


def test_a_stopped_process_F48(start: Start) -> None:
    server = start(settings={"idle_connection_timeout": 1})
    idle = []
    for _ in range(50):
        client = server.connect()
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(1000)
        idle.append(client)
    server.process.send_signal(signal.SIGSTOP)
    waiting = server.connect()
    waiting.sendall(b"GET /" + LAST)
    time.sleep(1.5)  # so all are due at once
    server.process.send_signal(signal.SIGCONT)
    assert waiting.recv(1000).endswith(b"fine")
    for client in (waiting, *idle):
        assert client.recv(1000) == b""
        client.close()


@pytest.mark.parametrize(
    "environment",
    [
        {"LC_ALL": "tr_TR.UTF-8", "TZ": "Asia/Kathmandu"},
        {"LC_ALL": "de_DE.UTF-8", "TZ": "America/St_Johns"},
        {"PYTHONHASHSEED": "0", "PYTHONASYNCIODEBUG": "1", "LC_ALL": "C"},
    ],
    ids=["tr_TR", "de_DE", "C"],
)
def test_other_places_F42(environment: dict[str, str], start: Start) -> None:
    setup = """
import locale
try:
    locale.setlocale(locale.LC_ALL, "")
except locale.Error:
    pass
"""
    server = start(setup=setup, environment=environment)
    answer = server.talk(
        b"GET /name HTTP/1.1\r\nHOST: x\r\nx-item-id: 1\r\nCONTENT-ID: 2\r\n"
        b"CONNECTION: CLOSE\r\n\r\n"
    )
    assert parsed(answer) == (200, b"12")
    days, months = "Mon|Tue|Wed|Thu|Fri|Sat|Sun", "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
    date = re.search(rf"\r\nDate: (?:{days}), (\d\d) (?:{months}) \d{{4}} (\d\d):".encode(), answer)
    assert date is not None
    assert int(date[1]) in (time.gmtime().tm_mday, time.gmtime(time.time() - 60).tm_mday)
    assert int(date[2]) in (time.gmtime().tm_hour, time.gmtime(time.time() - 60).tm_hour)


def test_a_slow_reader_of_uploads_F25(start: Start) -> None:
    """A client is held back by the handler, whatever it has to send: nothing grows."""
    server = start()
    total = 64_000_000
    before = server.state()
    with server.connect() as client:
        client.sendall(b"POST /gated HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % total)
        client.settimeout(0)
        sent, seen = 0, -1
        while sent > seen:  # until nothing is taken any more
            seen = sent
            for _ in range(5):
                with contextlib.suppress(BlockingIOError):
                    while sent < total:
                        sent += client.send(bytes(65536))
                held = server.state()
        # What the buffers of the kernel have, on both sides
        assert sent < total // 2
        assert held["taken"] <= 1 << 20
        assert held["rss"] - before["rss"] < 10_000_000
        client.settimeout(60)
        assert server.get("/gated")[0] == 200
        while sent < total:
            sent += client.send(bytes(min(65536, total - sent)))
        answer = client.recv(1000)
    assert parsed(answer) == (200, b"%d" % total)
    assert server.state()["rss"] - before["rss"] < 10_000_000


@pytest.mark.parametrize("way", ["piece by piece", "at once"])
def test_no_memory_for_a_body_F49(way: str, start: Start, log: Path) -> None:
    """``ulimit -v``: the body that finds no room fails, alone; the process lives on."""
    room = 80_000_000
    server = start(
        "-X",
        "faulthandler",
        setup=f"""
with open("/proc/self/statm") as statm:
    used = int(statm.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
resource.setrlimit(resource.RLIMIT_AS, (used + {room}, used + {room}))
""",
        settings={"spool_threshold": 1 << 40, "max_body_size": 1 << 40},
    )
    total = 400_000_000 if way == "piece by piece" else 60_000_000
    answer = b""
    with server.connect() as client, contextlib.suppress(ConnectionError):
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % total)
        for _ in range(total // 1_000_000):
            client.sendall(bytes(1_000_000))
        answer = client.recv(1000)
    assert parsed(answer)[0] in (0, 413, 500, 503, 507)
    for _ in range(3):
        assert server.get("/") == (200, b"fine")
        assert server.post(bytes(300_000)) == (200, b"300000")


def test_no_memory_and_no_stack_F49_F50_BP19(start: Start) -> None:
    server = start()
    assert server.get("/memory")[0] == 500
    assert server.get("/deep")[0] == 500
    assert server.post(b"[" * 100_000, b"application/json", b"/deep")[0] == 400
    assert server.post(b"9" * 5000, b"application/json", b"/deep")[0] in (200, 400)
    assert server.get("/") == (200, b"fine")


def test_nothing_is_shown_of_an_error_LG09(start: Start) -> None:
    status, page = start().get("/secret")
    assert status == 500
    for word in (b"hunter2", b"Traceback", b"ValueError", b"<b>"):
        assert word not in page
    shown = start(settings={"serve_traceback": True}).talk(b"GET /secret" + LAST)
    assert b"ValueError" in shown
    assert b"Content-Type: text/plain" in shown


def test_a_fast_sender_starves_nobody_CN12(start: Start) -> None:
    server = start()
    body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 90000000\r\n\r\n"
    sender = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import socket, sys\n"
            f"s = socket.create_connection(('127.0.0.1', {server.port}))\n"
            f"s.sendall({body!r})\n"
            "for _ in range(90):\n    s.sendall(bytes(1000000))\n"
            "sys.stdout.buffer.write(s.recv(1000))\n",
        ],
        stdout=subprocess.PIPE,
    )
    times = []
    while sender.poll() is None:
        begun = time.monotonic()
        assert server.get("/") == (200, b"fine")
        times.append(time.monotonic() - begun)
    with sender:
        assert sender.stdout is not None
        assert parsed(sender.stdout.read()) == (200, b"90000000")
    assert sorted(times)[len(times) // 2] < 0.5, times


def test_a_burst_of_clients_CN13(start: Start) -> None:
    server = start()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(400)]
        for client in clients:
            client.sendall(b"GET /" + LAST)
        for client in clients:
            assert client.recv(1000).endswith(b"fine")


def test_no_check_is_an_assert_F43() -> None:
    """What keeps injections out and limits in holds under ``python -O`` as well (RI-10, R10)."""
    packages = Path(__file__).resolve().parents[3] / "packages"
    suites = [
        Path(__file__).parent / "test_probes.py::test_probes_F34",
        *(packages / f"cyclone-httputil/tests/test_{name}.py" for name in ("headers", "cookies")),
        *(packages / f"cyclone-httpserver/tests/test_{name}.py" for name in ("parser", "writer")),
        *(packages / f"cyclone-web/tests/test_{name}.py" for name in ("response", "output")),
    ]
    # Pytest takes assert statements apart itself: those of test modules still count
    command = [sys.executable, "-O", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    command += ["-W", "ignore::pytest.PytestConfigWarning", *map(str, suites)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=packages.parent)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
