"""``twistd cyclone``."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from twisted.python import usage

from cyclone.cli._options import RunOptions
from cyclone.cli._plugin import Options

APP = """
from cyclone.web import Application, RequestHandler

class Main(RequestHandler):
    def get(self):
        self.write(self.settings["text"])

class Mine(Application):
    def __init__(self, text="none"):
        super().__init__([(r"/", Main)], text=text)
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a.py"], {"target": "a.py", "port": 8888}),
        (["a.py", "-p", "1"], {"target": "a.py", "port": 1}),
        (["-r", "m.App", "-c", "x"], {"target": "m.App", "appopts": "x", "port": 8888}),
        (["-u", "s", "a.py"], {"target": "a.py", "unix": "s"}),
        (["a.py", "--endpoint", "tcp:1"], {"target": "a.py", "endpoints": ("tcp:1",)}),
        (["a.py", "--ssl-cert", "c"], {"target": "a.py", "port": 8888, "ssl_port": 8443}),
        (["a.py", "--workers", "2"], {"target": "a.py", "port": 8888, "workers": 2}),
        (["a.py", "--xheaders", "--debug"], {"xheaders": True, "debug": True, "port": 8888}),
    ],
)
def test_options(arguments: list[str], expected: dict[str, Any]) -> None:
    options = Options()
    options.parseOptions(arguments)
    (found,) = options.run_options()
    for name in ("target", "port", "unix", "endpoints", "workers", "xheaders", "appopts"):
        default = getattr(RunOptions("a.py"), name)
        assert getattr(found, name) == expected.get(name, default), name
    assert found.ssl_port == expected.get("ssl_port")
    assert found.listen == "127.0.0.1"


def test_another_application_for_tls() -> None:
    options = Options()
    options.parseOptions(["-r", "m.A", "--ssl-app", "m.B", "--ssl-appopts", "y"])
    first, second = options.run_options()
    assert (first.target, first.port, first.ssl_port) == ("m.A", 8888, None)
    assert (second.target, second.port, second.ssl_port) == ("m.B", None, 8443)
    assert second.appopts == "y"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.py", "-r", "b"],
        ["a.py", "b.py"],
        ["a.py", "--nonsense"],
        ["a.py", "-p", "x"],
        ["a.py", "--workers", "x"],
        ["a.py", "--workers", "2", "--reload"],
        ["a.py", "--access-log", "loud"],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    with pytest.raises(usage.UsageError):
        Options().parseOptions(arguments)


TWIST = "import sys; from twisted.application.twist._twist import Twist; Twist.main(sys.argv)"


@pytest.mark.parametrize("workers", [(), ("--workers", "1")])
def test_twist(tmp_path: Path, workers: tuple[str, ...]) -> None:
    (tmp_path / "site3.py").write_text(APP)
    port = "0"
    command = [sys.executable, "-c", TWIST, "cyclone", "-r", "site3.Mine", "-c", "given"]
    process = subprocess.Popen(
        [*command, "-p", port, *workers],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            match = re.search(r"starting on (\d+)|127\.0\.0\.1:(\d+)", line)
            if match:
                break
        assert match, process.stdout.read()
        url = f"http://127.0.0.1:{match[1] or match[2]}/"
        with urllib.request.urlopen(url, timeout=10) as response:
            assert response.read() == b"given"
        process.send_signal(signal.SIGTERM)
        text, _ = process.communicate(timeout=15)
        assert "Traceback" not in text
    finally:
        process.kill()
        process.communicate()
    assert process.returncode in (0, -signal.SIGTERM)
