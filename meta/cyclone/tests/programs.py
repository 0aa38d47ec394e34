"""Programs of the system that tests need."""

import os
import shutil
from typing import NoReturn

import pytest

#: Where Debian puts servers, which the path of an ordinary user lacks.
SYSTEM = "/usr/sbin:/sbin"


def find_program(name: str) -> str:
    """The path of a system program; its absence skips the test, or fails it in CI."""
    path = shutil.which(name) or shutil.which(name, path=SYSTEM)
    if path is None:
        missing(f"{name} is not installed")
    return path


def missing(what: str) -> NoReturn:
    """Skip the test that lacks something, or fail it where ``CYCLONE_REQUIRE_PROGRAMS`` is set."""
    if os.environ.get("CYCLONE_REQUIRE_PROGRAMS"):
        pytest.fail(what)
    pytest.skip(what)
