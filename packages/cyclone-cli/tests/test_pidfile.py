"""The file with the process id."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cyclone.cli._errors import StartError
from cyclone.cli._pidfile import PidFile


def test_written_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    pidfile = PidFile(str(path))
    pidfile.write()
    assert path.read_text() == f"{os.getpid()}\n"
    pidfile.remove()
    assert not path.exists()
    pidfile.remove()


@pytest.mark.parametrize("content", ["", "x", "99999999\n", "-5"])
def test_what_is_stale_is_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "pid"
    path.write_text(content)
    PidFile(str(path)).write()
    assert path.read_text() == f"{os.getpid()}\n"


def test_a_process_that_lives_is_respected(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    path.write_text(f"{os.getppid()}\n")
    with pytest.raises(StartError, match=f"process {os.getppid()} is running already"):
        PidFile(str(path)).write()
    PidFile(str(path)).remove()
    assert path.exists()


def test_that_of_another_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "pid"
    pidfile = PidFile(str(path))
    pidfile.write()
    path.write_text("1\n")
    pidfile.remove()
    assert path.exists()


def test_no_such_folder() -> None:
    with pytest.raises(StartError, match="cannot write /no/such/folder"):
        PidFile("/no/such/folder/pid").write()


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(StartError, match="it is no file"):
            PidFile(str(path)).write()
