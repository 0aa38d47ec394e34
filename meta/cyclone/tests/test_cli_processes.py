"""`cyclone run` with real processes: what happens when they are killed, told to stop, or hang."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Self

import pytest
from ports import free_port

APP = '''
import os, sys, subprocess, threading, time
from twisted.internet import reactor, task, threads
from cyclone.web import Application, RequestHandler
from cyclone.websocket import WebSocketHandler
from cyclone.sse import SSEHandler
from cyclone.cli import HealthHandler, is_draining

class Pid(RequestHandler):
    def get(self):
        self.write(str(os.getpid()))
    def post(self):
        self.write(str(len(self.request.body)))

class Slow(RequestHandler):
    """Takes so many seconds, with ``drain`` from when the server begins to stop."""
    running = 0
    async def get(self):
        Slow.running += 1
        self.write("begun ")
        if self.get_argument("flush", ""):
            self.flush()
        while self.get_argument("drain", "") and not is_draining():
            await task.deferLater(reactor, 0.01)
        await task.deferLater(reactor, float(self.get_argument("s")))
        self.write("done")

class State(RequestHandler):
    def get(self):
        connections = len(self.application.connections)
        self.write({"slow": Slow.running, "threads": Thread.working, "connections": connections})

class Block(RequestHandler):
    def get(self):
        os.write(2, b"blocking\\n")
        time.sleep(60)

class Nap(RequestHandler):
    def get(self):
        time.sleep(0.3)

class Descriptors(RequestHandler):
    def get(self):
        code = """import os, stat
for fd in range(3, 64):
    try:
        print(fd, stat.S_ISSOCK(os.fstat(fd).st_mode))
    except OSError:
        pass"""
        command = [sys.executable, "-c", code]
        self.write(subprocess.run(command, close_fds=False, stdout=subprocess.PIPE).stdout)

class Child(RequestHandler):
    """Starts a process that lives on, and gets all that it can inherit."""
    def get(self):
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        out = subprocess.DEVNULL
        child = subprocess.Popen(command, close_fds=False, stdin=out, stdout=out, stderr=out)
        self.write(str(child.pid))

class Thread(RequestHandler):
    """Lets a thread work for so long, waited for or not."""
    working = 0
    async def get(self):
        Thread.working += 1
        seconds = float(self.get_argument("s"))
        if self.get_argument("kind") == "pool":
            await threads.deferToThread(time.sleep, seconds)
        else:
            threading.Thread(target=time.sleep, args=[seconds], name="own").start()
        self.write("done")

class Dying(RequestHandler):
    async def get(self):
        def die():
            raise {"error": ValueError, "exit": SystemExit, "interrupt": KeyboardInterrupt}[kind]
        kind = self.get_argument("kind")
        await threads.deferToThread(die)

class Socket(WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)

class Events(SSEHandler):
    def bind(self):
        self.sendEvent("hello")

application = Application([
    (r"/", Pid), (r"/slow", Slow), (r"/block", Block), (r"/fds", Descriptors),
    (r"/ws", Socket), (r"/sse", Events), (r"/health", HealthHandler), (r"/state", State),
    (r"/nap", Nap), (r"/child", Child), (r"/thread", Thread), (r"/dying", Dying),
], spool_threshold=65536)
'''


class Cli:
    """A `cyclone run` in a process of its own."""

    def __init__(
        self,
        folder: Path,
        *options: str,
        stderr: IO[bytes] | int | None = None,
        prefix: tuple[str, ...] = (),
    ) -> None:
        self.folder = folder
        self.log_path = folder / "log"
        self._sockets: list[socket.socket] = []
        command = [*prefix, sys.executable, "-m", "cyclone.cli", "run", "app.py", "--port", "0"]
        command += options
        with self.log_path.open("wb") as log:
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                stdout=subprocess.PIPE,
                stderr=log if stderr is None else stderr,
            )

    def url(self) -> str:
        """The first line is printed once all is ready; it has the address."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline().decode()
        match = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        assert match, f"{line!r}\n{self.log()}"
        self.port = int(match[1])
        return match[0]

    def log(self) -> str:
        return self.log_path.read_text("utf-8", "replace")

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def get(self, path: str = "/") -> tuple[int, str]:
        connection = self.connect()
        with contextlib.closing(connection):
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()

    def state(self) -> dict[str, int]:
        found: dict[str, int] = json.loads(self.get("/state")[1])
        return found

    def raw(self, request: str) -> socket.socket:
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=60)
        self._sockets.append(sock)
        sock.sendall(request.replace("\n", "\r\n").encode())
        return sock

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 60) -> int:
        return self.process.wait(seconds)

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


Run = Callable[..., Cli]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    started: list[Cli] = []

    def start(*options: str, app: str = APP, ready: bool = True, **rest: Any) -> Cli:
        (tmp_path / "app.py").write_text(app, "utf-8")
        cli = Cli(tmp_path, *options, **rest)
        started.append(cli)
        if ready:
            cli.url()
        return cli

    yield start
    for cli in started:
        cli.close()


def until(condition: Callable[[], bool], seconds: float = 60) -> bool:
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True


def edit(path: Path, text: str) -> None:
    """Change a file at once: nobody sees half of it."""
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)


def children(pid: int) -> list[int]:
    """The processes that *pid* started."""
    # Not with `ps`, which small systems do not have
    everything = (int(path.name) for path in Path("/proc").glob("[0-9]*"))
    return [each for each in everything if _parent(each) == pid and _is_worker(each)]


def _parent(pid: int) -> int | None:
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        return int(stat.rpartition(")")[2].split()[1])
    return None


def _is_worker(pid: int) -> bool:
    with contextlib.suppress(OSError):
        return b"cyclone.cli._worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    return False


class Load:
    """Requests from some threads over connections that are kept, until it is stopped."""

    def __init__(self, cli: Cli, threads: int = 6) -> None:
        self.cli = cli
        self.answers: list[str] = []
        self.failures: list[Exception] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        assert until(lambda: len(self.answers) > 50)
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self) -> None:
        connection = self.cli.connect()
        while not self._over.is_set():
            try:
                connection.request("GET", "/")
                self.answers.append(connection.getresponse().read().decode())
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(error)
                connection.close()
            time.sleep(0.002)
        connection.close()

    def pids(self, last: int = 200) -> set[int]:
        return {int(answer) for answer in self.answers[-last:]}


def test_workers_are_replaced_and_reloaded_under_load(run: Run) -> None:
    """F-01, F-05: kill -9 costs the requests in that worker; a reload costs none."""
    cli = run("--workers", "4", "--access-log", "off")
    before = children(cli.process.pid)
    assert len(before) == 4
    with Load(cli) as load:
        victim = int(load.answers[-1])
        os.kill(victim, signal.SIGKILL)
        assert until(lambda: victim not in children(cli.process.pid))
        assert until(lambda: cli.log().count("is ready") == 5)
        assert len(load.failures) <= 6, load.failures  # what was in flight
        assert not any(isinstance(error, ConnectionRefusedError) for error in load.failures)

        now = set(children(cli.process.pid))
        assert len(now) == 4
        load.failures.clear()
        cli.signal(signal.SIGHUP)
        assert until(lambda: "reloaded" in cli.log()), cli.log()
        assert until(lambda: not now & set(children(cli.process.pid)))
        answered = len(load.answers)
        assert until(lambda: len(load.answers) > answered + 20)
    assert load.failures == []
    assert len(children(cli.process.pid)) == 4
    assert load.pids(10) <= set(children(cli.process.pid))
    cli.signal(signal.SIGTERM)
    assert cli.wait() == 0
    assert "0 connections were cut" in cli.log()


def test_a_unix_socket_outlives_its_workers(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "s"
    cli = run("--unix", str(path), "--unix-mode", "600", "--workers", "1")
    (before,) = children(cli.process.pid)
    cli.signal(signal.SIGHUP)
    assert until(lambda: before not in children(cli.process.pid) and "reloaded" in cli.log())
    assert path.stat().st_mode & 0o777 == 0o600
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(path))
        sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert read_all(sock).endswith(str(*children(cli.process.pid)).encode())
    cli.signal(signal.SIGTERM)
    assert cli.wait() == 0
    assert not path.exists()


def test_workers_have_their_shares(run: Run) -> None:
    cli = run("--workers", "2", "--access-log", "off")

    def share() -> int:
        """What the worker with fewer of 64 connections has: 32 at most."""
        socks = [cli.raw("GET / HTTP/1.1\nHost: x\n\n") for _ in range(64)]
        pids = [sock.recv(4096).rpartition(b"\n")[2] for sock in socks]
        for sock in socks:
            sock.close()
        return min(pids.count(pid) for pid in workers)

    workers = [str(pid).encode() for pid in children(cli.process.pid)]
    assert until(lambda: share() >= 24)  # of a busy machine a worker may get no time for long


def test_workers_that_had_their_requests_are_replaced(run: Run) -> None:
    options = ["--max-requests", "150", "--max-requests-jitter", "50", "--access-log", "off"]
    cli = run("--workers", "2", *options)
    before = set(children(cli.process.pid))
    with Load(cli) as load:
        assert until(lambda: cli.log().count("is ready") >= 6), cli.log()
        assert until(lambda: not before & set(children(cli.process.pid)))
    assert load.failures == []
    assert "worker 0 has had its requests" in cli.log()
    assert "worker 1 has had its requests" in cli.log()
    cli.signal(signal.SIGTERM)
    assert cli.wait() == 0
    assert "0 connections were cut" in cli.log()


def test_f02_workers_stop_when_their_supervisor_is_killed(run: Run) -> None:
    cli = run("--workers", "2")
    workers = children(cli.process.pid)
    slow = [cli.raw("GET /slow?drain=1&s=0.3&flush=1 HTTP/1.1\nHost: x\n\n") for _ in range(4)]
    begun = [sock.recv(4096) for sock in slow]
    cli.signal(signal.SIGKILL)
    cli.wait()
    # What was begun is answered to its end
    assert [
        (had + read_all(sock)).count(b"done") for had, sock in zip(begun, slow, strict=True)
    ] == ([1] * 4)
    assert until(lambda: not any(map(_is_worker, workers)))
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("127.0.0.1", cli.port))
        sock.listen()
    assert "the supervisor is gone" in cli.log()


WEBSOCKET = """GET /ws HTTP/1.1
Host: x
Upgrade: websocket
Connection: Upgrade
Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==
Sec-WebSocket-Version: 13

"""


def is_refused(port: int) -> bool:
    """Whether nobody listens there."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=60).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        pass
    return False


def read_all(sock: socket.socket) -> bytes:
    data = b""
    with contextlib.closing(sock), contextlib.suppress(ConnectionResetError):
        while piece := sock.recv(65536):
            data += piece
    return data


@pytest.mark.parametrize("workers", [(), ("--workers", "1")], ids=["one process", "workers"])
def test_f03_everything_open_at_sigterm(run: Run, workers: tuple[str, ...]) -> None:
    cli = run("--drain-timeout", "40", *workers)
    idle = cli.connect()
    idle.request("GET", "/")
    idle.getresponse().read()
    slow = cli.raw("GET /slow?drain=1&s=0.6 HTTP/1.1\nHost: x\n\n")
    download = cli.raw("GET /slow?drain=1&s=0.6&flush=1 HTTP/1.1\nHost: x\n\n")
    pipelined = cli.raw(
        "GET /slow?drain=1&s=0.4 HTTP/1.1\nHost: x\n\nGET /slow?s=0.1 HTTP/1.1\nHost: x\n\n"
    )
    upload = cli.raw("POST / HTTP/1.1\nHost: x\nContent-Length: 10\n\n12345")
    websocket = cli.raw(WEBSOCKET)
    assert b" 101 " in websocket.recv(4096)
    events = cli.raw("GET /sse HTTP/1.1\nHost: x\n\n")
    assert b" 200 " in events.recv(4096)
    # These seven, and the one that asks
    assert until(lambda: cli.state() == {"slow": 3, "threads": 0, "connections": 8})

    cli.signal(signal.SIGTERM)
    assert until(lambda: is_refused(cli.port))
    upload.sendall(b"67890")
    assert read_all(upload).endswith(b"\r\n\r\n10")
    assert read_all(slow).endswith(b"begun done")
    assert read_all(download).endswith(b"0\r\n\r\n")
    assert read_all(pipelined).count(b"begun done") >= 1
    frame = websocket.recv(127)
    assert (frame[0], frame[2:4]) == (0x88, b"\x03\xe9")  # 1001
    websocket.sendall(b"\x88\x82\0\0\0\0\x03\xe9")
    assert read_all(websocket) == b""
    read_all(events)
    assert cli.wait() == 0
    assert "everything was answered" in cli.log()
    idle.close()
    assert "Traceback" not in cli.log()
    assert "Unhandled" not in cli.log()


def test_f03_what_does_not_end_is_cut_at_the_deadline(run: Run) -> None:
    cli = run("--drain-timeout", "0.5")
    sock = cli.raw("GET /slow?s=60&flush=1 HTTP/1.1\nHost: x\n\n")
    sock.recv(4096)
    cli.signal(signal.SIGINT)
    assert cli.wait() == 0
    assert not read_all(sock).endswith(b"0\r\n\r\n")
    assert "1 connections were cut" in cli.log()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_f04_a_second_signal_stops_at_once(run: Run, number: signal.Signals) -> None:
    cli = run()
    sock = cli.raw("GET /slow?s=60&flush=1 HTTP/1.1\nHost: x\n\n")
    sock.recv(4096)
    cli.signal(number)
    assert until(lambda: "stopping" in cli.log())
    cli.signal(number)
    assert cli.wait() == 128 + number
    sock.close()
    assert "Traceback" not in cli.log()


def test_f04_a_signal_to_all_processes_asks_the_workers_once(run: Run) -> None:
    """systemd's KillMode=control-group and `timeout` signal the workers, too."""
    cli = run("--workers", "1")
    sock = cli.raw("GET /slow?s=1&flush=1 HTTP/1.1\nHost: x\n\n")
    sock.recv(4096)
    for pid in [cli.process.pid, *children(cli.process.pid)]:
        os.kill(pid, signal.SIGTERM)
    assert read_all(sock).endswith(b"0\r\n\r\n")
    assert cli.wait() == 0
    assert "again" not in cli.log()


def test_a_program_that_runs_the_reactor_by_itself_is_told(run: Run) -> None:
    app = (
        "from twisted.internet import reactor\nreactor.callLater(0, reactor.stop)\nreactor.run()\n"
    )
    cli = run(
        app=app + "from cyclone.web import Application\napplication = Application()\n", ready=False
    )
    assert cli.wait() == 1
    assert "'app.py' runs the reactor when it is imported" in cli.log()
    assert "Traceback" not in cli.log()


def test_f04_a_signal_at_once(run: Run) -> None:
    cli = run("--workers", "2", ready=False)
    cli.signal(signal.SIGTERM)
    assert cli.wait() in (0, -signal.SIGTERM)
    assert "Traceback" not in cli.log()


def test_f04_a_signal_while_the_workers_start(run: Run) -> None:
    cli = run("--workers", "2", ready=False)
    assert until(lambda: len(children(cli.process.pid)) == 2)
    cli.signal(signal.SIGTERM)
    assert cli.wait() == 0
    assert "Traceback" not in cli.log()


IMPORTING = """
import time
open("starting", "w").close()
time.sleep(600)
"""
MAKING = """
from twisted.internet import defer
async def application():
    open("starting", "w").close()
    await defer.Deferred()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("app", [IMPORTING, MAKING], ids=["import", "factory"])
@pytest.mark.parametrize("options", [(), ("--workers", "1")], ids=["one process", "workers"])
def test_f04_a_signal_during_the_start(
    run: Run, app: str, options: tuple[str, ...], number: signal.Signals
) -> None:
    cli = run(*options, app=app, ready=False)
    assert until((cli.folder / "starting").exists)
    cli.signal(number)
    # Before there is a reactor a signal does what it does to any Python program
    assert cli.wait() in ((0,) if options or app is MAKING else (-signal.SIGTERM, 1))
    assert "Traceback" not in cli.log()


BROKEN = """
from cyclone.web import Application
class application(Application):
    def __init__(self):
        raise OSError("no database")
"""


@pytest.mark.parametrize(
    ("app", "workers", "code", "reason"),
    [
        ("import nothing_here", (), 1, "ModuleNotFoundError"),
        ("import nothing_here", ("--workers", "2"), 1, "ModuleNotFoundError"),
        (BROKEN, (), 1, "no database"),
        (BROKEN, ("--workers", "2"), 1, "no database"),
        ("def make_app():\n    raise OSError('no database')", ("--workers", "2"), 1, "no database"),
        ("x = 1", (), 2, "no application"),
    ],
    ids=["import", "import-workers", "init", "init-workers", "factory-workers", "nothing"],
)
def test_f06_a_broken_application(
    run: Run, app: str, workers: tuple[str, ...], code: int, reason: str
) -> None:
    cli = run(*workers, app=app, ready=False)
    assert cli.wait() == code
    lines = [line for line in cli.log().splitlines() if line.startswith("Error")]
    assert len(lines) == 1
    assert reason in lines[0]


def test_f06_workers_that_die_at_boot(run: Run) -> None:
    app = "import os; open('starts', 'a').write('.'); os._exit(9)"
    cli = run("--workers", "2", app=app, ready=False)
    assert cli.wait() == 1
    assert "die at start (exit code 9)" in cli.log()
    assert len((cli.folder / "starts").read_text()) < 12  # no storm of restarts


@pytest.mark.parametrize("workers", [(), ("--workers", "2")], ids=["one process", "workers"])
def test_f06_a_port_in_use(run: Run, workers: tuple[str, ...]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        cli = run("--port", port, *workers, ready=False)
        assert cli.wait() == 1
    assert cli.log() == f"Error: cannot listen on 127.0.0.1:{port}: address already in use\n"


def test_f07_a_worker_that_hangs_is_replaced(run: Run) -> None:
    cli = run("--workers", "2", "--worker-timeout", "3")
    blocked = cli.raw("GET /block HTTP/1.1\nHost: x\n\n")
    assert until(lambda: "blocking" in cli.log())
    assert cli.get()[0] == 200  # the other one
    assert until(lambda: cli.log().count("is ready") >= 3), cli.log()
    assert read_all(blocked) == b""
    assert "gave no sign of life" in cli.log()
    assert re.search(r'File ".*app\.py", line \d+ in get', cli.log())  # where it hung
    assert cli.get()[0] == 200


def test_a_reload_that_fails_leaves_the_old_workers(run: Run) -> None:
    cli = run("--workers", "1")
    pid = cli.get()[1]
    edit(cli.folder / "app.py", "1 +")
    cli.signal(signal.SIGHUP)
    assert until(lambda: "reload given up" in cli.log())
    assert "SyntaxError" in cli.log()
    assert cli.get()[1] == pid


def test_f09_the_disk_is_full(run: Run) -> None:
    """No file may grow beyond 200 kB: as a full disk, without having to be root."""
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))\n"
    cli = run(app=limit + APP)
    connection = cli.connect()
    connection.request("POST", "/", body=b"x" * 1_000_000)
    with contextlib.closing(connection):
        assert connection.getresponse().status in (500, 507)
    assert cli.get()[0] == 200
    connection = cli.connect()
    with contextlib.closing(connection):
        connection.request("POST", "/", body=b"x" * 150_000)
        assert connection.getresponse().read() == b"150000"


def test_f17_descriptors_run_out(run: Run) -> None:
    limit = "import resource\nresource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))\n"
    cli = run(app=limit + APP)
    first = cli.connect()
    first.request("GET", "/")
    first.getresponse().read()
    crowd = [cli.raw("") for _ in range(150)]
    first.request("GET", "/")
    assert first.getresponse().read()
    first.close()
    for sock in crowd:
        sock.close()
    assert cli.get()[0] == 200
    assert cli.log().count("accepting paused") <= 2
    # With all that still wait it can stop as well
    slow = cli.raw("GET /slow?drain=1&s=0.1 HTTP/1.1\nHost: x\n\n")
    assert until(lambda: cli.state()["slow"] == 1)
    for _ in range(150):
        cli.raw("")
    cli.signal(signal.SIGTERM)
    assert read_all(slow).endswith(b"begun done")
    assert cli.wait(20) == 0
    assert "Traceback" not in cli.log()


def test_f18_nobody_reads_the_log(run: Run) -> None:
    """F-18, LG-04."""
    reading, writing = os.pipe()
    with open(reading, "rb"), open(writing, "wb") as log:
        cli = run(stderr=log)
        connection = cli.connect()
        for _ in range(400):  # each line is longer than 1000 bytes: more than a pipe holds
            connection.request("GET", "/?" + "x" * 1000)
            assert connection.getresponse().read()
        connection.close()


@pytest.mark.parametrize("sink", ["closed pipe", "full disk", "closed"])
def test_f18_the_log_cannot_be_written(run: Run, sink: str) -> None:
    """F-18, LG-04: whatever became of it, it costs lines of the log and nothing else."""
    if sink == "closed pipe":
        reading, writing = os.pipe()
        os.close(reading)
        with open(writing, "wb") as log:
            cli = run(stderr=log)
    elif sink == "full disk":
        with open("/dev/full", "wb") as log:
            cli = run(stderr=log)
    else:
        cli = run(prefix=("sh", "-c", 'exec "$@" 0<&- 2>&-', "sh"))
        descriptors = Path(f"/proc/{cli.process.pid}/fd")
        for name in "02" if descriptors.is_dir() else "":
            # No socket has its number: what is logged would go to a client
            assert (descriptors / name).readlink() == Path(os.devnull)
    assert all(cli.get("/missing")[0] == 404 for _ in range(3))
    cli.signal(signal.SIGTERM)
    assert cli.wait() == 0


@pytest.mark.parametrize("workers", [(), ("--workers", "1")], ids=["one process", "workers"])
def test_f45_no_socket_reaches_a_child(run: Run, workers: tuple[str, ...]) -> None:
    cli = run(*workers)
    status, text = cli.get("/fds")
    assert status == 200
    assert "True" not in text


@pytest.mark.parametrize("workers", [(), ("--workers", "1")], ids=["one process", "workers"])
def test_f45_a_child_does_not_hold_the_port(run: Run, workers: tuple[str, ...]) -> None:
    cli = run(*workers)
    pids = [cli.process.pid, *children(cli.process.pid)]
    child = int(cli.get("/child")[1])
    try:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        cli.wait()
        assert until(lambda: is_refused(cli.port))
        with socket.create_server(("127.0.0.1", cli.port)):
            os.kill(child, 0)  # it lives
    finally:
        os.kill(child, signal.SIGKILL)


def test_f39_the_pool_of_threads_is_full(run: Run) -> None:
    """Nobody else waits for threads that are busy, nor does the end of the process."""
    cli = run("--drain-timeout", "1")
    waiting = [cli.raw("GET /thread?kind=pool&s=600 HTTP/1.1\nHost: x\n\n") for _ in range(15)]
    assert until(lambda: cli.state()["threads"] == len(waiting))
    assert cli.get()[0] == 200
    upload = cli.connect()
    with contextlib.closing(upload):
        upload.request("POST", "/", body=bytes(1_000_000))  # goes to a file, by a thread if it can
        assert upload.getresponse().read() == b"1000000"
    cli.signal(signal.SIGTERM)
    started = time.monotonic()
    assert cli.wait() == 0
    assert time.monotonic() - started < 25
    (line,) = [line for line in cli.log().splitlines() if "ending without the threads" in line]
    assert line.count("PoolThread") == 10
    assert all(read_all(sock) == b"" for sock in waiting)


@pytest.mark.parametrize(
    ("kind", "signals", "workers"),
    [
        pytest.param("pool", 1, (), id="pool"),
        pytest.param("own", 1, (), id="thread"),
        pytest.param("pool", 2, (), id="pool, two signals"),
        pytest.param("own", 2, (), id="thread, two signals"),
        pytest.param("pool", 1, ("--workers", "1"), id="pool, worker"),
        pytest.param("pool", 2, ("--workers", "1"), id="pool, worker, two signals"),
    ],
)
def test_f39_a_thread_is_busy_at_the_end(
    run: Run, kind: str, signals: int, workers: tuple[str, ...]
) -> None:
    cli = run("--drain-timeout", "0.5" if signals == 1 else "600", *workers)
    busy = cli.raw(f"GET /thread?kind={kind}&s=600 HTTP/1.1\nHost: x\n\n")
    assert until(lambda: cli.state()["threads"] == 1)
    cli.signal(signal.SIGTERM)
    if signals == 2:
        assert until(lambda: "stopping" in cli.log())
        cli.signal(signal.SIGTERM)
    assert cli.wait() == (0 if signals == 1 else 128 + signal.SIGTERM)
    if not (workers and signals == 2):  # which its supervisor has killed
        assert "ending without the threads that are busy: " in cli.log()
    read_all(busy)


@pytest.mark.parametrize("kind", ["error", "exit", "interrupt"])
def test_f39_a_thread_dies(run: Run, kind: str) -> None:
    cli = run()
    for _ in range(12):  # more than the pool has
        assert cli.get(f"/dying?kind={kind}")[0] == 500
    assert cli.get("/thread?kind=pool&s=0") == (200, "done")
    cli.signal(signal.SIGTERM)
    assert cli.wait() == 0


def test_f45_a_daemon(tmp_path: Path) -> None:
    """twistd forks twice once everything is imported, and closes what it does not need."""
    (tmp_path / "app.py").write_text(APP, "utf-8")
    port, pidfile = free_port(), tmp_path / "pid"
    twistd = [sys.executable, "-c", "from twisted.scripts.twistd import run; run()"]
    twistd += ["--pidfile", str(pidfile), "--logfile", str(tmp_path / "log"), "--rundir", "."]
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(
            [*twistd, "cyclone", "--port", str(port), "app.py"],
            cwd=tmp_path,
            stdout=out,
            stderr=out,
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, (tmp_path / "out").read_text()
    assert until(lambda: pidfile.exists() and bool(pidfile.read_text()))
    pid = int(pidfile.read_text())
    try:
        assert until(lambda: not is_refused(port))
        url = f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(url + "/") as answer:
            assert answer.read() == str(pid).encode()
        with urllib.request.urlopen(url + "/fds") as answer:
            assert b"True" not in answer.read()
        with urllib.request.urlopen(url + "/child") as answer:
            child = int(answer.read())
        try:
            os.kill(pid, signal.SIGTERM)
            assert until(lambda: not pidfile.exists())
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(("127.0.0.1", port))
                sock.listen()
        finally:
            os.kill(child, signal.SIGKILL)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    assert "Traceback" not in (tmp_path / "log").read_text()


def test_readiness_goes_before_the_port(run: Run) -> None:
    cli = run("--drain-delay", "60")
    assert cli.get("/health") == (200, '{"status": "ok", "checks": {}}')
    cli.signal(signal.SIGTERM)
    assert until(lambda: "stopping" in cli.log())
    assert cli.get("/health")[0] == 503
    cli.signal(signal.SIGTERM)
    assert cli.wait() == 128 + signal.SIGTERM


def test_debug_watches_the_reactor_of_a_ready_made_application(run: Run) -> None:
    cli = run("--debug")
    assert cli.get("/nap")[0] == 200
    assert until(lambda: "The reactor was blocked for" in cli.log()), cli.log()
    assert re.search(r"ms by app\.Nap", cli.log())


def test_reload_in_development(run: Run) -> None:
    """The port stays open; a syntax error and an error at import are survived."""
    cli = run("--reload", "--debug")
    assert cli.get()[0] == 200
    source = cli.folder / "app.py"

    edit(source, "1 +")
    assert until(lambda: "SyntaxError" in cli.log() or "invalid syntax" in cli.log()), cli.log()
    assert cli.get()[0] == 200  # the old code

    edit(source, "missing_name\n")
    assert until(lambda: "waiting for a change" in cli.log()), cli.log()
    assert "NameError" in cli.log()

    edit(source, APP.replace("str(os.getpid())", "'mended'"))
    assert cli.get() == (200, "mended")  # the connection waited in the socket
