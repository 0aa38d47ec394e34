"""The examples of the README run."""

from __future__ import annotations

import re
import sys
import types
import unittest
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

README = Path(__file__).resolve().parent.parent / "README.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def load(number: int, monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """The example as a module."""
    module = types.ModuleType(f"readme_{number}")
    del module.__spec__, module.__loader__  # a traceback warns of the empty ones from 3.15 on
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(BLOCKS[number], str(README), "exec"), vars(module))
    return module


def test_all_are_here() -> None:
    assert len(BLOCKS) == 6


@pytest.mark.cyclone
@pytest.mark.parametrize(
    "name", ["test_hello", "test_a_client_that_says_nothing", "test_over_a_socket"]
)
async def test_pytest(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    test: Callable[..., Any] = getattr(load(0, monkeypatch), name)
    code = test.__code__
    wanted = code.co_varnames[: code.co_argcount]
    await test(*(FOUND[name] for name in wanted))


FOUND: dict[str, Any] = {}


@pytest.fixture(autouse=True)
def _fixtures(cyclone_client: Any, cyclone_server: Any, cyclone_clock: Any) -> None:
    FOUND.update(
        cyclone_client=cyclone_client, cyclone_server=cyclone_server, cyclone_clock=cyclone_clock
    )


@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_client(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    load(number, monkeypatch)


@pytest.mark.parametrize(("number", "count"), [(4, 3), (5, 2)])
def test_the_test_cases(number: int, count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    case = load(number, monkeypatch).TestHello
    suite = unittest.defaultTestLoader.loadTestsFromTestCase(case)
    result = unittest.TestResult()
    suite.run(result)
    assert (result.testsRun, result.errors, result.failures) == (count, [], [])
