"""slowhttptest in its four modes: others are served within a second meanwhile."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from programs import find_program

SERVER = """
from twisted.internet import reactor
from cyclone.httpserver import HTTPServer
from cyclone.httputil import HTTPHeaders

headers = HTTPHeaders({"Content-Type": "text/plain"})
large = bytes(400_000)

def callback(request):
    body = large if request.path == "/large" else b"hello"
    request.connection.write_response(request, 200, None, headers, body)

server = HTTPServer(callback)
port = reactor.listenTCP(0, server, interface="127.0.0.1", backlog=2048)
print(port.getHost().port, flush=True)
reactor.run()
"""

MODES = {
    "slow headers": ["-H", "-i", "1"],
    "slow body": ["-B", "-i", "1", "-s", "8192"],
    "apache range": ["-R"],
    "slow read": ["-X", "-w", "1", "-y", "2", "-n", "1", "-z", "1"],
}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline())
    finally:
        server.terminate()
        server.wait(10)
        server.stdout.close()


@pytest.mark.parametrize("mode", MODES)
def test_others_are_served(mode: str, port: int) -> None:
    path = "large" if mode == "slow read" else ""
    seconds = os.environ.get("CYCLONE_SLOWHTTPTEST_SECONDS", "3")
    load = ["-c", "400", "-r", "400", "-l", seconds, "-p", "3"]
    command = [find_program("slowhttptest"), *load, *MODES[mode]]
    attack = subprocess.Popen(
        [*command, "-u", f"http://127.0.0.1:{port}/{path}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    slowest = 0.0
    asked = 0
    try:
        while attack.poll() is None:
            started = time.monotonic()
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as client:
                client.request("GET", "/")
                assert client.getresponse().read() == b"hello"
            slowest = max(slowest, time.monotonic() - started)
            asked += 1
            time.sleep(0.02)
    finally:
        if attack.poll() is None:
            attack.kill()
            attack.wait()
    assert asked > 10
    assert slowest < 1
