"""Forking, under Tornado's names."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cyclone.cli import process

FORKS = """
import os, sys
from cyclone.cli.process import fork_processes, task_id
marker = sys.argv[1]
number = fork_processes(3, max_restarts=1)
if number == 1 and not os.path.exists(marker):
    open(marker, "w").close()
    os._exit(3)
os.write(1, f"{number} {task_id()}\\n".encode())
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )


def test_fork(tmp_path_factory: pytest.TempPathFactory) -> None:
    done = run(FORKS, str(tmp_path_factory.mktemp("fork") / "marker"))
    assert (done.returncode, sorted(done.stdout.split("\n"))) == (0, ["", "0 0", "1 1", "2 2"])


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("fork_processes(1, max_restarts=2); os._exit(1)", "too many child restarts"),
        ("from twisted.internet import reactor; fork_processes(1)", "before the reactor"),
        ("fork_processes(1, 0); fork_processes(1)", "cannot be called twice"),
    ],
)
def test_errors(code: str, message: str) -> None:
    done = run(f"import os\nfrom cyclone.cli.process import fork_processes\n{code}")
    assert done.returncode == 1
    assert message in done.stderr


def test_task_id(monkeypatch: pytest.MonkeyPatch) -> None:
    assert process.task_id() is None
    monkeypatch.setenv(process.TASK_VARIABLE, "2")
    assert process.task_id() == 2
    assert process.cpu_count() >= 1
