"""The public names of cyclone.cli."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import cyclone.cli
import cyclone.cli.process


def test_version_is_the_distributions() -> None:
    assert cyclone.cli.__version__ == version("cyclone-cli")


def test_names() -> None:
    assert cyclone.cli.__all__ == ["HealthHandler", "__version__", "is_draining", "main", "process"]
    assert cyclone.cli.process.__all__ == ["Subprocess", "cpu_count", "fork_processes", "task_id"]
    for name in cyclone.cli.__all__:
        assert getattr(cyclone.cli, name) is not None


def test_importing_is_cheap() -> None:
    """No reactor, and not even Twisted, until something is asked for."""
    code = "import sys, cyclone.cli, cyclone.cli.process; print('twisted' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_help_lists_what_loads_when_it_is_first_used() -> None:
    assert set(cyclone.cli.__all__) <= set(dir(cyclone.cli))
    assert set(cyclone.cli.process.__all__) <= set(dir(cyclone.cli.process))
