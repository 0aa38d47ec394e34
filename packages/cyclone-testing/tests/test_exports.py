"""The public names of cyclone.testing, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points, version

import pytest

import cyclone.testing

NAMES = [
    "AsyncHTTPSTestCase",
    "AsyncHTTPTestCase",
    "AsyncTestCase",
    "Client",
    "ClientResponse",
    "CycloneTestCase",
    "DecodingSimpleCookie",
    "Event",
    "EventStream",
    "ExpectLog",
    "MemoryConnection",
    "MemoryWebSocket",
    "ReactorLoop",
    "ServedApplication",
    "StreamedResponse",
    "VirtualClock",
    "__version__",
    "bind_unused_port",
    "gen_test",
    "get_async_test_timeout",
    "main",
    "run_sync",
    "setup_with_context_manager",
]


def python(code: str) -> str:
    """What a fresh interpreter prints."""
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def test_all_is_the_list_of_public_names() -> None:
    assert cyclone.testing.__all__ == NAMES
    assert set(NAMES) - set(dir(cyclone.testing)) <= {"__version__"}


def test_every_public_name_exists() -> None:
    for name in cyclone.testing.__all__:
        assert getattr(cyclone.testing, name) is not None


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        cyclone.testing.nothing  # type: ignore[attr-defined]  # noqa: B018


def test_version_is_the_distributions() -> None:
    assert cyclone.testing.__version__ == version("cyclone-testing")


def test_the_plugin_is_registered() -> None:
    (entry,) = [point for point in entry_points(group="pytest11") if point.name == "cyclone"]
    assert entry.value == "cyclone.testing._plugin"


def test_importing_the_package_and_its_plugin_loads_nothing_of_twisted() -> None:
    code = (
        "import sys, cyclone.testing._plugin; "
        "print([name for name in sys.modules if name.startswith('twisted')])"
    )
    assert python(code) == "[]"


def test_importing_every_name_installs_no_reactor() -> None:
    code = (
        "import sys; from cyclone.testing import *; "
        "print('twisted.internet.reactor' in sys.modules)"
    )
    assert python(code) == "False"
