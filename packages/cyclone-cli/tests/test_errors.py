"""Errors, in one line."""

from __future__ import annotations

import pytest

from cyclone.cli._errors import StartError, in_one_line


@pytest.mark.parametrize(
    ("error", "text"),
    [(ValueError("a\n b"), "ValueError: a b"), (OSError(), "OSError"), (KeyError("k"), "'k'")],
)
def test_in_one_line(error: Exception, text: str) -> None:
    assert text in in_one_line(error)


def test_exit_code() -> None:
    assert (StartError("x").exit_code, StartError("x", 2).exit_code) == (1, 2)
