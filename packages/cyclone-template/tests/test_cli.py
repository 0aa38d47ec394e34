"""python -m cyclone.template."""

import subprocess
import sys
from io import BytesIO
from pathlib import Path

import pytest

from cyclone.template._cli import main


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "page.txt").write_text("{% include sub/part.txt %} {{ x }}", "utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "part.txt").write_text("{% raw 'é' %}", "utf-8")
    (tmp_path / "data.json").write_text('{"x": "<json>"}')
    (tmp_path / "data.toml").write_text('x = "<toml>"')
    return tmp_path


def _run(*arguments: object, stdin: bytes = b"") -> tuple[int, str]:
    output = BytesIO()
    status = main([str(argument) for argument in arguments], BytesIO(stdin), output)
    return status, output.getvalue().decode()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["data.json"], "é &lt;json&gt;"),
        (["data.toml"], "é &lt;toml&gt;"),
        (["-"], "é &lt;stdin&gt;"),
        (["--define", "x=<d=1>"], "é &lt;d=1&gt;"),
        (["data.json", "-D", "x=y"], "é y"),
        (["data.json", "--autoescape", "None"], "é <json>"),
        (["data.json", "--autoescape", "url_escape"], "é %3Cjson%3E"),
    ],
    ids=" ".join,
)
def test_rendering(
    root: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: str
) -> None:
    monkeypatch.chdir(root)
    assert _run("page.txt", *arguments, stdin=b'{"x": "<stdin>"}') == (0, expected)


def test_path_is_the_root_of_names(root: Path) -> None:
    (root / "sub" / "child.txt").write_text("{% include ../page.txt %}")
    assert _run(root / "sub" / "child.txt", "-D", "x=1")[0] == 1
    assert _run(root / "sub" / "child.txt", "-D", "x=1", "--path", root) == (0, "é 1")


def test_whitespace(root: Path) -> None:
    (root / "w.txt").write_text("a   b")
    assert _run(root / "w.txt", "--whitespace", "oneline") == (0, "a b")


def test_show_python(root: Path) -> None:
    status, output = _run(root / "page.txt", "--show-python")
    assert status == 0
    assert "# sub/part.txt:1 (via page.txt:1)" in output


def test_check(root: Path) -> None:
    assert _run("--check", root) == (0, "2 templates, 0 with errors\n")
    (root / "bad.html").write_text("\n{{ x")
    (root / "worse.html").write_text("{% include none.html %}")
    (root / "image.png").write_bytes(b"\xff{{")
    status, output = _run("--check", root)
    assert status == 1
    assert output.splitlines() == [
        "bad.html:2: Missing end expression }}",
        "worse.html:1: template 'none.html' does not exist",
        "4 templates, 2 with errors",
    ]
    assert _run("--check", root / "bad.html")[0] == 1
    assert _run("--check", root / "page.txt")[0] == 0


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("\n{{ 1/0 }}", "ZeroDivisionError: division by zero at t.txt:2"),
        ("{{ nothing }}", "NameError: name 'nothing' is not defined at t.txt:1"),
        ("\n{% if %}", "if missing expression at t.txt:2"),
        ("{% extends gone %}", "template 'gone' does not exist at t.txt:1"),
        ("{{ await x }}", "the template awaits at t.txt:1"),
    ],
)
def test_a_template_that_fails_is_status_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], source: str, message: str
) -> None:
    (tmp_path / "t.txt").write_text(source)
    assert _run(tmp_path / "t.txt") == (1, "")
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.txt"], "no such template: none.txt"),
        (["page.txt", "none.json"], "cannot read none.json"),
        (["page.txt", "bad.json"], "bad.json: Expecting"),
        (["page.txt", "list.json"], "must be an object"),
        (["page.txt", "--define", "x"], "--define wants NAME=VALUE"),
        (["page.txt", "--define", "1=2"], "--define wants NAME=VALUE"),
        (["page.txt", "--path", "sub"], "page.txt is not below sub"),
        (["--check", "none"], "no such file or folder: none"),
    ],
    ids=" ".join,
)
def test_a_wrong_command_is_status_2(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(root)
    (root / "bad.json").write_text("{")
    (root / "list.json").write_text("[]")
    assert _run(*arguments) == (2, "")
    assert message in capsys.readouterr().err


def test_unknown_options_are_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as info:
        main(["x", "--nope"])
    assert info.value.code == 2
    assert "--nope" in capsys.readouterr().err


def test_as_a_command(root: Path) -> None:
    command = [sys.executable, "-m", "cyclone.template", str(root / "page.txt"), "-"]
    result = subprocess.run(command, input=b'{"x": 1}', capture_output=True, check=False)
    assert (result.returncode, result.stdout.decode(), result.stderr) == (0, "é 1", b"")
