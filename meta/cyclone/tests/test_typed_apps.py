"""Applications as their authors check them: ``mypy --strict`` over ``typed_apps``, without plugins.

There is to be no error but those that a line asks for: ``# expect: CODE``.
"""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")

APPS = Path(__file__).parent / "typed_apps"
Finding = tuple[str, int, str]


@functools.cache
def report() -> str:
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--no-pretty"]
    command += ["--show-error-codes", f"--cache-dir={os.devnull}", "."]
    done = subprocess.run(
        command, cwd=APPS, capture_output=True, text=True, timeout=300, check=False
    )
    assert not done.stderr
    return done.stdout


def found() -> set[Finding]:
    lines = re.finditer(r"^(\S+\.py):(\d+): error: .*\[([\w-]+)\]$", report(), re.MULTILINE)
    return {(line[1], int(line[2]), line[3]) for line in lines}


def expected() -> set[Finding]:
    return {
        (path.name, number, mark[1])
        for path in APPS.glob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if (mark := re.search(r"  # expect: ([\w-]+)$", line))
    }


def test_no_false_alarms() -> None:
    wrong = found() - expected()
    files = {name for name, _, _ in wrong}
    lines = [line for line in report().splitlines() if line.partition(":")[0] in files]
    assert not wrong, "\n".join(lines)
    assert "errors prevented further checking" not in report()
    assert f"(checked {len(list(APPS.glob('*.py')))} source files)" in report()


def test_mistakes_are_found() -> None:
    assert expected() - found() == set()
    assert len(expected()) > 90
