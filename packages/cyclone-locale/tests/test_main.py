"""``python -m cyclone.locale``."""

import subprocess
import sys
from pathlib import Path

import pytest

from cyclone.locale.__main__ import main


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text("_('Sign out')\ntr('extra')\n")
    (tmp_path / "page.html").write_text("{{ _('%(n)d file', '%(n)d files', n) }}")
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "es.csv").write_text('"Sign out","Salir"\n')
    (tmp_path / "csv" / "ja.csv").write_text("")
    return tmp_path


def test_extract(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["extract", ".", "--csv", "csv", "--csv", "de.csv", "--pot", "app.pot"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.splitlines() == [
        "csv/es.csv: 3 new rows, 0 messages not in the source (written)",
        "csv/ja.csv: 2 new rows, 0 messages not in the source (written)",
        "de.csv: 3 new rows, 0 messages not in the source (written)",
        "app.pot: 2 messages (written)",
    ]
    assert (project / "csv/es.csv").read_text().startswith('"Sign out","Salir"\n"%(n)d file"')
    assert (project / "de.csv").read_text().startswith('"Sign out",""\n')
    before = {path: path.stat().st_mtime_ns for path in project.rglob("*.csv")}
    assert main([*arguments, "--check"]) == 0
    assert main(arguments) == 0
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*.csv")} == before


def test_check_writes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["extract", ".", "--csv", "de.csv", "--check"]) == 1
    assert "de.csv: 3 new rows, 0 messages not in the source (out of date)" in (
        capsys.readouterr().out
    )
    assert not (project / "de.csv").exists()


def test_options(project: Path) -> None:
    arguments = ["--keyword", "tr:1", "--exclude", "*.html", "--template-suffix", ".html"]
    arguments += ["--comment-tag", "T:", "--encoding", "utf-8", "--project", "P"]
    assert main(["extract", ".", "--csv", "de.csv", *arguments]) == 0
    assert (project / "de.csv").read_text() == '"Sign out",""\n"extra",""\n'


@pytest.mark.parametrize(
    ("path", "message"),
    [("none", "no such file or folder: none"), ("broken.html", "broken.html:2: {{ is not closed")],
)
def test_a_broken_source_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], path: str, message: str
) -> None:
    (project / "broken.html").write_text("\n{{ x")
    assert main(["extract", "app.py", path, "--csv", "de.csv", "--pot", "a.pot"]) == 1
    assert capsys.readouterr().err == f"error: {message}\n"
    assert not (project / "de.csv").exists()
    assert not (project / "a.pot").exists()


def test_a_broken_translation_file_writes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "csv" / "ja.csv").write_text('"open')
    assert main(["extract", ".", "--csv", "csv"]) == 1
    assert "ja.csv:1: a quoted field is not closed" in capsys.readouterr().err
    assert (project / "csv/es.csv").read_text() == '"Sign out","Salir"\n'


@pytest.mark.parametrize("arguments", [[], ["extract"], ["extract", "."], ["translate", "."]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_as_a_command(project: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cyclone.locale", "extract", "app.py", "--csv", "de.csv"],
        capture_output=True,
        text=True,
        check=False,
        cwd=project,
    )
    assert (run.returncode, run.stderr) == (0, "")
    assert (project / "de.csv").read_text() == '"Sign out",""\n'
