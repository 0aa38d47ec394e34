"""New projects."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cyclone.cli import _new
from cyclone.cli._errors import StartError


def test_a_project_is_whole_and_passes_its_test(folder: Path) -> None:
    made = _new.make_project("my-site")
    assert made == Path("my-site")
    assert {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()} == {
        *_new.FILES,
        "secret.key",
    }
    assert stat.S_IMODE((made / "secret.key").stat().st_mode) == 0o600
    assert len((made / "secret.key").read_text().strip()) == 64
    assert all("@NAME@" not in path.read_text() for path in made.rglob("*") if path.is_file())
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=made,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_secrets_differ(folder: Path) -> None:
    keys = {(_new.make_project(name) / "secret.key").read_text() for name in ("a", "b")}
    assert len(keys) == 2


@pytest.mark.parametrize("name", ["", "1a", "a b", "../a", "a/b", "-a", 'a"', "a" * 101, "a\n"])
def test_bad_names(folder: Path, name: str) -> None:
    with pytest.raises(StartError, match="no name for a project"):
        _new.make_project(name)


def test_nothing_is_overwritten(folder: Path) -> None:
    (folder / "a").mkdir()
    (folder / "a" / "precious").write_text("x")
    with pytest.raises(StartError, match="a is there already"):
        _new.make_project("a")
    with pytest.raises(StartError, match="cannot make"):
        _new.make_project("b", "a/precious/b")
    assert _new.make_project("a", "elsewhere") == Path("elsewhere")


def test_the_sample_is_an_application(folder: Path) -> None:
    names: dict[str, object] = {}
    exec(_new.sample_source(), names)
    assert type(names["application"]).__name__ == "Application"
