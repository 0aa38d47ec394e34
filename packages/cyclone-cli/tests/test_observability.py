"""The debug mode of `cyclone run` watches the reactor."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

APP = """
import time
from cyclone.cli import observability
from cyclone.web import Application, RequestHandler

class Slow(RequestHandler):
    def get(self):
        time.sleep(0.5)

application = Application([(r"/", Slow)])
observability.trace(application)
"""


def test_a_handler_that_blocks_is_named(tmp_path: Path) -> None:
    (tmp_path / "site4.py").write_text(APP)
    command = [sys.executable, "-m", "cyclone.cli", "run", "site4.py", "-p", "0", "--debug"]
    process = subprocess.Popen(
        [*command, "--access-log", "json"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        request = urllib.request.Request(url, headers={"X-Request-ID": "abc-3"})
        with urllib.request.urlopen(request, timeout=10) as response:
            response.read()
        process.send_signal(signal.SIGTERM)
        log = process.communicate(timeout=15)[1]
    finally:
        process.kill()
        process.communicate()
    assert "by Slow.get (line 8)" in log
    assert '"request_id": "abc-3"' in log
