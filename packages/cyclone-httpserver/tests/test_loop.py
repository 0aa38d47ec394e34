"""Servers in a program that asyncio runs: each program in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

MAIN = """
import asyncio, sys
from cyclone.httpserver import HTTPServer
from cyclone.httputil import HTTPHeaders

async def answer(request):
    from twisted.internet.threads import deferToThread
    body = await deferToThread(lambda: b"from a thread")
    request.connection.write_response(request, 200, None, HTTPHeaders(), body)

async def main():
    server = HTTPServer(answer)
    port = server.listen("0", "127.0.0.1").getHost().port
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n")
    print((await reader.read()).rpartition(b"\\r\\n")[2].decode())
    print(type(server.reactor).__name__)

asyncio.run(main())
print("the end")
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )


def test_asyncio_runs_main() -> None:
    done = run(MAIN)
    assert done.stderr == ""
    assert done.stdout.split("\n")[:3] == ["from a thread", "AsyncioSelectorReactor", "the end"]
    assert done.returncode == 0


@pytest.mark.parametrize(
    "installed",
    [
        "from twisted.internet import reactor",
        "from twisted.internet import asyncioreactor; asyncioreactor.install()",
    ],
    ids=["another", "on another loop"],
)
def test_a_reactor_that_would_never_run_is_refused(installed: str) -> None:
    done = run(installed + MAIN)
    assert "RuntimeError: an asyncio event loop runs here, but the reactor" in done.stderr
    assert "the end" not in done.stdout


def test_without_a_loop_the_reactor_is_the_installed_one() -> None:
    done = run(
        "from cyclone.httpserver import HTTPServer\n"
        "reactor = HTTPServer(print).reactor\n"
        "from twisted.internet import reactor as installed\n"
        "assert reactor is installed and not reactor.running\n"
        "HTTPServer(print).listen(0, '127.0.0.1')\n"
    )
    assert (done.returncode, done.stderr) == (0, "")
