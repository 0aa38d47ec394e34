"""The examples of the README run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cyclone.cli import main
from cyclone.cli._plugin import Options
from cyclone.web import Application

README = (Path(__file__).resolve().parent.parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("code", BLOCKS)
def test_example(code: str) -> None:
    names: dict[str, Any] = {"__name__": "readme"}
    exec(compile(code, "README.md", "exec"), names)
    assert isinstance(names["application"], Application)


def test_every_option_is_in_the_table() -> None:
    """And no other: what the README names exists."""
    table = README.partition("## cyclone run")[2].partition("Exit codes")[0]
    named = set(re.findall(r"`(--[a-z-]+)`", table))
    known = set(re.findall(r"(--[a-z-]+)", CliRunner().invoke(main, ["run", "-h"]).output))
    assert named == known - {"--help"}


def test_every_option_of_the_plugin_is_named() -> None:
    text = README.partition("## twistd")[2]
    named = {word.lstrip("-") for word in re.findall(r"--[a-z-]+", text)}
    known = {name.rstrip("=") for name in Options().longOpt} - {"help", "version"}
    assert known - named == {"port", "listen", "unix", "app", "appopts"}
    assert named <= known
