"""Choosing the reactor."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
from cyclone.cli._reactors import install, installed
from cyclone.cli._errors import StartError
import sys
try:
    for name in sys.argv[1:]:
        install(name)
    print(installed())
except StartError as error:
    print(error.exit_code, error)
"""


@pytest.mark.parametrize(
    ("names", "answer"),
    [
        (("asyncio",), "asyncio"),
        (("select", "select", "default"), "select"),
        (("poll", "asyncio"), "1 cannot use the asyncio reactor: the poll one is in use already"),
        (("nonsense",), "2 cannot use a reactor 'nonsense'"),
    ],
)
def test_install(names: tuple[str, ...], answer: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", CODE, *names], stdout=subprocess.PIPE, text=True, check=True
    )
    assert done.stdout.startswith(answer)
