"""``twistd cyclone``."""

from __future__ import annotations

import logging
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import globalLogPublisher
from twisted.python import usage

from cyclone.cli._options import RunOptions
from cyclone.cli._plugin import Options, ToTwisted

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


def test_an_application_for_tls_alone() -> None:
    options = Options()
    options.parseOptions(["--ssl-app", "m.B", "--ssl-appopts", "y", "--ssl-port", "9"])
    (only,) = options.run_options()
    assert (only.target, only.port, only.ssl_port, only.appopts) == ("m.B", None, 9, "y")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["a.py", "-r", "b"],
        ["a.py", "b.py"],
        ["a.py", "--nonsense"],
        ["a.py", "-p", "x"],
        ["a.py", "-p", "99999"],
        ["a.py", "--ssl-port", "-1"],
        ["a.py", "--workers", "-1"],
        ["a.py", "--max-requests", "5"],
        ["a.py", "--workers", "2", "--max-requests", "0"],
        ["a.py", "--workers", "2", "--max-requests-jitter", "-1"],
        ["a.py", "--workers", "x"],
        ["a.py", "--workers", "2", "--reload"],
        ["a.py", "--access-log", "loud"],
    ],
)
def test_usage_errors(arguments: list[str]) -> None:
    with pytest.raises(usage.UsageError):
        Options().parseOptions(arguments)


TWIST = "import sys; from twisted.application.twist._twist import Twist; Twist.main(sys.argv)"


LATER = """
from twisted.internet import reactor, task

def at_once():
    raise OSError("no database")

async def later():
    await task.deferLater(reactor, 0.01)
    raise OSError("no database")
"""


@pytest.mark.parametrize("workers", [(), ("--workers", "1")], ids=["one process", "workers"])
@pytest.mark.parametrize("name", ["at_once", "later"])
def test_one_that_cannot_start_ends(tmp_path: Path, name: str, workers: tuple[str, ...]) -> None:
    (tmp_path / "site4.py").write_text(LATER)
    command = [sys.executable, "-c", TWIST, "cyclone", f"site4.py:{name}", "-p", "0", *workers]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "OSError: no database" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_what_the_supervisor_says_is_in_twisteds_log() -> None:
    seen: Any = []
    observe: Any = seen.append
    globalLogPublisher.addObserver(observe)
    try:
        for fields in (
            {"levelno": 20, "msg": "%d", "args": (1,)},
            {"levelno": 40, "msg": "bad {x}"},
            {"levelno": 40, "event": {}},
        ):
            ToTwisted().handle(logging.makeLogRecord({"name": "n", **fields}))
    finally:
        globalLogPublisher.removeObserver(observe)
    found = [(event["log_level"].name, event["text"]) for event in seen]
    assert found == [("info", "1"), ("error", "bad {x}")]


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
