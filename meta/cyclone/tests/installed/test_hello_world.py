"""The README's first example, from an installation that has only the wheels."""

import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"


def first_example() -> str:
    match = re.search(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert match is not None
    return match[1]


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def fetch(url: str, process: "subprocess.Popen[bytes]") -> bytes:
    """The body at the URL, asked for until the server listens or has ended."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                body: bytes = response.read()
                return body
        except urllib.error.URLError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            # Not a wait for a result: only a pause between two tries to connect.
            time.sleep(0.05)


def test_the_readme_says_hello() -> None:
    port = unused_port()
    source = first_example().replace("8888", str(port))
    command = [sys.executable, "-W", "error::DeprecationWarning", "-c", source]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            assert fetch(f"http://127.0.0.1:{port}/", process) == b"Hello, world"
        finally:
            process.terminate()
        assert process.stderr is not None
        assert process.stderr.read() == b""
