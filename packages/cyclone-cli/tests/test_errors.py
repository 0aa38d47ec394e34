"""Errors, in one line."""

from __future__ import annotations

import importlib
import sys
import zlib
from pathlib import Path

import pytest

from cyclone.cli._errors import StartError, in_one_line, with_place


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError("a\n b"), "ValueError: a b"),
        (OSError(), "OSError"),
        (KeyError("k"), "'k'"),
        (zlib.error("odd"), "zlib.error: odd"),
    ],
)
def test_in_one_line(error: Exception, text: str) -> None:
    assert text in in_one_line(error)


def test_the_place_is_the_programs_own(folder: Path) -> None:
    (folder / "own.py").write_text("import json\ndef work():\n    json.loads('x')\n")
    sys.path.insert(0, str(folder))
    own = importlib.import_module("own")
    with pytest.raises(ValueError, match="Expecting") as caught:
        own.work()
    assert with_place(caught.value).endswith(" (own.py, line 3)")
    assert with_place(ValueError("x")) == "ValueError: x"
    with pytest.raises(SyntaxError) as broken:
        compile("1 +", "own.py", "exec")
    assert with_place(broken.value).count("line 1") == 1


def test_exit_code() -> None:
    assert (StartError("x").exit_code, StartError("x", 2).exit_code) == (1, 2)
