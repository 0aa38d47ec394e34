"""What the tests share: a folder of its own, and a command that runs in a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from cyclone.web import Application

Fetch = Callable[..., tuple[int, str]]
Cyclone = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        found = getattr(sys.modules[name], "__file__", None)
        if found is not None and found.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def fetch() -> Fetch:
    """Asks an application, in memory: gives the status and the body."""

    def ask(application: Application, path: str = "/", verb: str = "GET", **headers: str) -> Any:
        protocol = application.buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        transport: Any = StringTransport()  # type: ignore[no-untyped-call]
        protocol.makeConnection(transport)
        lines = [f"{verb} {path} HTTP/1.1", "Host: x", "Content-Length: 0"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        protocol.dataReceived("\r\n".join([*lines, "", ""]).encode())
        head, _, body = transport.value().partition(b"\r\n\r\n")
        protocol.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]
        return int(head.split()[1]), body.decode()

    return ask


@pytest.fixture
def cyclone(folder: Path) -> Cyclone:
    """Runs the command to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cyclone.cli", *arguments]
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=30, check=False
        )

    return run
