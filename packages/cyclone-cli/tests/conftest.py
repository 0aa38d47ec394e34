"""What the tests share: a folder of its own, and a command that runs in a process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Cyclone = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current directory; what is imported from it is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    path, modules = list(sys.path), set(sys.modules)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - modules:
        found = getattr(sys.modules[name], "__file__", None)
        if found is not None and found.startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def cyclone(folder: Path) -> Cyclone:
    """Runs the command to its end."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cyclone.cli", *arguments]
        return subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=30, check=False
        )

    return run
