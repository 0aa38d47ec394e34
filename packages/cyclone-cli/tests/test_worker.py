"""A worker process that its parent leaves alone."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cyclone.cli._options import RunOptions
from cyclone.cli._worker import VARIABLE, count_requests, task
from cyclone.httpserver import HTTPRequest, HTTPServer

APP = "from cyclone.web import Application\napplication = Application()\n"


@contextmanager
def worker(folder: Path, source: str) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """A worker: the process, our end of its control pipe, and of its status pipe."""
    (folder / "site2.py").write_text(source)
    control_read, control = os.pipe()
    status, status_write = os.pipe()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        told = task(RunOptions("site2.py", worker_timeout=0.3), 1, [False])
        fds = [control_read, status_write, sock.fileno()]
        code = f"""import os, runpy
for place, fd in enumerate([os.dup(fd) for fd in {fds}], 103):
    os.dup2(fd, place)
for place in (3, 4, 5):
    os.dup2(place + 100, place)
runpy.run_module("cyclone.cli._worker", run_name="__main__")"""
        process = subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=folder,
            pass_fds=fds,
            env={**os.environ, VARIABLE: told},
            stderr=subprocess.PIPE,
        )
        os.close(control_read)
        os.close(status_write)
        try:
            yield process, control, status
        finally:
            process.kill()
            process.communicate()
            os.close(status)


def read(status: int, words: bytes) -> bytes:
    data = b""
    while words not in data:
        piece = os.read(status, 4096)
        if not piece:
            break
        data += piece
    return data


def test_f02_the_parent_is_gone(tmp_path: Path) -> None:
    with worker(tmp_path, APP) as (process, control, status):
        assert read(status, b"beat\nbeat\n").startswith(b"ready\nbeat\n")
        process.send_signal(signal.SIGINT)
        process.send_signal(signal.SIGHUP)
        read(status, b"beat\n")
        os.close(control)
        assert b"drained 0\n" in read(status, b"drained 0\n")
        assert process.wait(10) == 0


@pytest.mark.parametrize(("jitter", "limits"), [(0, {3}), (2, {3, 4, 5})])
def test_requests_are_counted(jitter: int, limits: set[int]) -> None:
    answered: list[object] = []
    seen = set()
    for _ in range(100):
        server = HTTPServer(answered.append)
        spent: list[int] = []
        options = RunOptions("x", max_requests=3, max_requests_jitter=jitter)
        count_requests(server, options, lambda: spent.append(len(answered)))  # noqa: B023
        answered.clear()
        for _ in range(11):
            server.request_callback(HTTPRequest("GET", "/"))
        assert len(answered) == 11
        seen.add(spent[0])
        assert spent[1] == 2 * spent[0]
    assert seen == limits


@pytest.mark.parametrize(("receiver", "had"), [(None, 0), (object(), 1)], ids=["whole", "streamed"])
def test_a_streamed_request_is_counted(receiver: object, had: int) -> None:
    class Callback:
        def __call__(self, request: HTTPRequest) -> None: ...

        def headers_received(self, request: HTTPRequest) -> object:
            return receiver

    server = HTTPServer(Callback())
    spent: list[bool] = []
    count_requests(server, RunOptions("x", max_requests=1), lambda: spent.append(True))
    assert server.headers_received is not None
    assert server.headers_received(HTTPRequest("POST", "/")) is receiver
    assert len(spent) == had


def test_f06_it_says_why_it_cannot_start(tmp_path: Path) -> None:
    with worker(tmp_path, "1 / 0") as (process, control, status):
        text = read(status, b"\n")
        reason = b"ZeroDivisionError: division by zero (site2.py, line 1)"
        assert text == b"failed cannot import 'site2.py': " + reason + b"\n"
        assert process.wait(10) == 1
        os.close(control)
