"""`cyclone run` with real processes, briefly. What happens under load is tested with the whole."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

APP = """
import os
from cyclone.web import Application, RequestHandler
from cyclone.cli.process import task_id

class Main(RequestHandler):
    def get(self):
        from twisted.internet import reactor
        request = self.request
        self.write({"reactor": type(reactor).__name__, "ip": request.remote_ip,
                    "task": task_id(), "debug": self.settings.get("debug"),
                    "secret": self.settings.get("option")})

class Mine(Application):
    def __init__(self, option=None):
        super().__init__([(r"/", Main)], option=option)

async def later():
    return Mine("later")
"""

Start = Callable[..., "Served"]


class Served:
    """A running `cyclone run`."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "cyclone.cli", "run", *arguments],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.line = self.process.stdout.readline()
        self.urls = re.findall(r"http://[\d.:]+|unix:\S+", self.line)

    def get(self, **headers: str) -> str:
        request = urllib.request.Request(self.urls[0] + "/", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as response:
            text: str = response.read().decode()
            return text

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=15)
        return self.process.returncode, log


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "site1.py").write_text(APP)
    started: list[Served] = []

    def run(*arguments: str) -> Served:
        served = Served(tmp_path, *arguments)
        started.append(served)
        return served

    yield run
    for served in started:
        if served.process.poll() is None:
            served.process.kill()
            served.process.communicate()


def test_one_process(start: Start, tmp_path: Path) -> None:
    served = start(
        "site1.py", "-p", "0", "--xheaders", "--debug", "--reactor", "asyncio", "--pidfile", "pid"
    )
    assert served.line == f"site1.py is served on {served.urls[0]}\n"
    answer = served.get(**{"X-Real-IP": "192.0.2.7"})
    assert '"reactor": "AsyncioSelectorReactor", "ip": "192.0.2.7"' in answer
    assert '"task": null, "debug": true' in answer
    assert (tmp_path / "pid").read_text() == f"{served.process.pid}\n"
    code, log = served.stop()
    assert code == 0
    assert '"GET / HTTP/1.1" 200' in log
    assert "everything was answered" in log
    assert not (tmp_path / "pid").exists()


def test_workers(start: Start) -> None:
    served = start("site1:Mine", "-p", "0", "--workers", "1", "-c", "text", "--access-log", "off")
    assert served.line.endswith(" by 1 workers\n")
    answer = served.get()
    assert '"task": 0' in answer
    assert '"secret": "text"' in answer
    code, log = served.stop(signal.SIGINT)
    assert code == 0
    assert "GET" not in log
    assert "Traceback" not in log


def test_endpoint_unix_and_a_coroutine(start: Start, tmp_path: Path) -> None:
    served = start(
        "site1:later", "--endpoint", "tcp:0:interface=127.0.0.1", "--unix", str(tmp_path / "s")
    )
    unix, tcp = served.urls[::-1] if served.urls[0].startswith("http") else served.urls
    assert unix.startswith(f"unix:{tmp_path}/s")
    served.urls = [tcp]
    assert '"secret": "later"' in served.get()
    assert served.stop()[0] == 0
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.py"], 2, "there is no file 'none.py'"),
        (["site1.py", "--endpoint", "nonsense:1"], 2, "'nonsense:1' is no endpoint"),
        (["site1.py", "--ssl-port", "0", "--ssl-cert", "none.crt"], 1, "TLS"),
        (["site1.py", "-p", "0", "--pidfile", "/no/such/pid"], 1, "cannot write /no/such/pid"),
        (["site1:os", "-p", "0"], 2, "'site1:os' is an object of type module"),
    ],
)
def test_errors(start: Start, arguments: list[str], code: int, message: str) -> None:
    served = start(*arguments)
    _, log = served.process.communicate(timeout=15)
    assert served.process.returncode == code
    assert log.startswith("Error: ")
    assert log.count("\n") == 1
    assert message in log


ACTIVATE = """
import os, sys
os.dup2(int(sys.argv[1]), 3, inheritable=True)
os.set_inheritable(3, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
os.execv(sys.executable, [sys.executable, "-m", "cyclone.cli", "run", "site1:Mine", *sys.argv[2:]])
"""


def test_a_socket_of_systemd(tmp_path: Path) -> None:
    """It is used as it is: the connection that waited in it since before the start is served."""
    (tmp_path / "site1.py").write_text(APP)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        address = sock.getsockname()
        with socket.create_connection(address, timeout=15) as early:
            early.sendall(b"GET / HTTP/1.0\r\nHost: x\r\n\r\n")
            process = subprocess.Popen(
                [sys.executable, "-c", ACTIVATE, str(sock.fileno()), "--workers", "1"],
                cwd=tmp_path,
                pass_fds=[sock.fileno()],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            try:
                assert early.recv(4096).startswith(b"HTTP/1.1 200 OK\r\n")
                assert process.stdout is not None
                assert f"http://127.0.0.1:{address[1]}" in process.stdout.readline()
                process.send_signal(signal.SIGTERM)
                assert process.wait(15) == 0
            finally:
                process.kill()
                process.communicate()
