"""systemd: sockets and notices."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from cyclone.cli import _systemd

ACTIVATED = """
import os, socket
from cyclone.cli._systemd import take_sockets
os.environ["LISTEN_PID"] = str(os.getpid())
found = take_sockets()
print([(one.tls, one.made, one.url) for one in found], [n for n in os.environ if "LISTEN" in n])
for one in found:
    one.close()
"""


def test_sockets_are_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        code = f"import os; os.dup2({sock.fileno()}, 3); os.dup2(3, 4)\n{ACTIVATED}"
        environ = {**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "web:https"}
        done = subprocess.run(
            [sys.executable, "-c", code],
            pass_fds=[sock.fileno()],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        address = f"127.0.0.1:{sock.getsockname()[1]}"
    expected = [(False, False, f"http://{address}"), (True, False, f"https://{address}")]
    assert done.stdout == f"{expected} []\n"


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "x"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
    ],
)
def test_sockets_of_others_are_left(environ: dict[str, str]) -> None:
    assert _systemd.take_sockets(environ) == []
    assert environ == {}


def test_notify(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert _systemd.notify_ready()
        assert sock.recv(100) == b"READY=1"
        assert _systemd.notify_reloading()
        assert sock.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert _systemd.notify_stopping()
        assert sock.recv(100) == b"STOPPING=1"


@pytest.mark.parametrize("address", ["", "relative", "/no/such/socket"])
def test_nobody_to_notify(address: str) -> None:
    assert not _systemd.notify("READY=1", environ={"NOTIFY_SOCKET": address})


def test_keep_watchdog(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(tmp_path / "notify"))
        sock.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        _systemd.keep_watchdog(clock)
        assert clock.getDelayedCalls() == []
        monkeypatch.setenv("WATCHDOG_USEC", "4000000")
        _systemd.keep_watchdog(clock)
        clock.advance(2)
        assert [sock.recv(100) for _ in range(2)] == [b"WATCHDOG=1"] * 2


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "10000000"}, 5.0),
        ({"WATCHDOG_USEC": "10000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
    ],
)
def test_watchdog(environ: dict[str, str], interval: float | None) -> None:
    assert _systemd.watchdog_interval(environ) == interval
