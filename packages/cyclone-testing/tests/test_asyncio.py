"""The core of this suite once more, on Twisted's asyncio reactor, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CORE = ["reactor", "drive", "gen", "loop", "case", "httpcase", "client", "websocket", "server"]
CORE += ["cyclonecase", "clock", "pump", "stream"]


@pytest.mark.skipif("CYCLONE_TEST_REACTOR" in os.environ, reason="this is that process")
def test_the_core_on_the_asyncio_reactor() -> None:
    folder = Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    command += ["-p", "cyclone.testing._plugin"]
    command += [str(folder / f"test_{name}.py") for name in CORE]
    env = dict(os.environ, CYCLONE_TEST_REACTOR="asyncio", PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=folder, env=env, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
