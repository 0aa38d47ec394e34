"""The command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cyclone.cli import _run, main
from cyclone.cli._errors import StartError
from cyclone.cli._options import RunOptions

APP = "from cyclone.web import Application\napplication = Application()\n"


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(main, list(arguments))


def recorder(seen: list[RunOptions], code: int) -> Callable[[RunOptions], int]:
    def run(options: RunOptions) -> int:
        seen.append(options)
        return code

    return run


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["a.py"], RunOptions("a.py")),
        (["-r", "m.App", "-c", "text"], RunOptions("m.App", appopts="text")),
        (["a.py", "-p", "1", "-l", "::"], RunOptions("a.py", port=1, listen="::")),
        (["a.py", "-u", "s", "--unix-mode", "660"], RunOptions("a.py", unix="s", unix_mode=0o660)),
        (["a.py", "--workers", "3"], RunOptions("a.py", workers=3)),
        (
            ["a.py", "--endpoint", "tcp:1", "--endpoint", "tcp:2"],
            RunOptions("a.py", endpoints=("tcp:1", "tcp:2")),
        ),
        (
            ["a.py", "--ssl-port", "1", "--ssl-cert", "c", "--ssl-key", "k"],
            RunOptions("a.py", ssl_port=1, ssl_cert="c", ssl_key="k"),
        ),
        (
            ["a.py", "--debug", "--reload", "--xheaders", "--reactor", "asyncio"],
            RunOptions("a.py", debug=True, reload=True, xheaders=True, reactor="asyncio"),
        ),
        (
            ["a.py", "-w", "2", "--max-requests", "9", "--max-requests-jitter", "3"],
            RunOptions("a.py", workers=2, max_requests=9, max_requests_jitter=3),
        ),
        (["a.py", "--worker-timeout", "0"], RunOptions("a.py", worker_timeout=0.0)),
        (
            ["a.py", "--access-log", "json", "--pidfile", "p", "--drain-timeout", "3"],
            RunOptions("a.py", access_log="json", pidfile="p", drain_timeout=3.0),
        ),
    ],
)
def test_run_options(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: RunOptions
) -> None:
    seen: list[RunOptions] = []
    monkeypatch.setattr(_run, "run", recorder(seen, 7))
    assert invoke("run", *arguments).exit_code == 7
    assert seen == [expected]


def test_workers_auto(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[RunOptions] = []
    monkeypatch.setattr(_run, "run", recorder(seen, 0))
    for number in ("auto", "0"):
        invoke("run", "a.py", "--workers", number)
    assert all(options.workers is not None and options.workers >= 1 for options in seen)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "name one application"),
        (["run", "a.py", "-r", "b"], "name one application"),
        (["run", "a.py", "--workers", "many"], "'many' is no number of workers"),
        (["run", "a.py", "--workers", "5000"], "no number of workers"),
        (["run", "a.py", "--port", "70000"], "70000 is not in the range"),
        (["run", "a.py", "--unix-mode", "9"], "'9' is no mode"),
        (["run", "a.py", "--workers", "2", "--reload"], "--reload is for one process"),
        (["run", "a.py", "--workers", "2", "--endpoint", "tcp:1"], "cannot share"),
        (["run", "a.py", "--access-log", "loud"], "loud"),
        (["run", "a.py", "--ssl-cert", "c"], "--ssl-cert is for --ssl-port"),
        (["run", "a.py", "--ssl-key", "k"], "--ssl-key is for --ssl-port"),
        (["run", "a.py", "--drain-timeout", "nan"], "'nan' is no number of seconds"),
        (["run", "a.py", "--drain-delay", "-1"], "-1.0 is not in the range"),
        (["run", "a.py", "--worker-timeout", "0.5"], "at least a second"),
        (["run", "a.py", "--max-requests", "5"], "--max-requests is for --workers"),
        (["run", "a.py", "--workers", "2", "--max-requests", "0"], "x>=1"),
        (["app"], "--new or --project"),
        (["nonsense"], "No such command"),
    ],
)
def test_usage_errors(arguments: list[str], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_start_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(options: RunOptions) -> int:
        raise StartError("no luck", 1)

    monkeypatch.setattr(_run, "run", fail)
    result = invoke("run", "a.py")
    assert (result.exit_code, result.output) == (1, "Error: no luck\n")


def test_secret() -> None:
    first, second = invoke("secret").output, invoke("secret").output
    assert len(first.strip()) == 64
    assert first != second
    assert len(invoke("secret", "--bytes", "32").output.strip()) == 43
    assert invoke("secret", "--bytes", "8").exit_code == 2


def test_routes_and_check(folder: Path) -> None:
    (folder / "a1.py").write_text(APP)
    assert invoke("routes", "a1.py").output == "no routes\n"
    assert invoke("check", "a1.py").output == "0 errors, 0 warnings\n"
    (folder / "a2.py").write_text(APP.replace("n()", "n(debug=True)"))
    assert invoke("check", "a2.py").exit_code == 0
    assert invoke("check", "--strict", "a2.py").exit_code == 1
    (folder / "a3.py").write_text(APP.replace("n()", "n(static_path='none')"))
    result = invoke("check", "a3.py")
    assert (result.exit_code, result.output.splitlines()[0][:6]) == (1, "error:")
    assert invoke("check", "none.py").exit_code == 2
    assert invoke("routes", "none.py").exit_code == 2


def test_new(folder: Path) -> None:
    assert "cyclone run app.py" in invoke("new", "one").output
    assert (folder / "one" / "app.py").exists()
    assert invoke("app", "-p", "two", "-t", "three").exit_code == 0
    assert (folder / "three" / "app.py").exists()
    assert invoke("new", "one").exit_code == 1
    assert "Application" in invoke("app", "-n").output


def test_as_a_program(cyclone: Callable[..., Any]) -> None:
    done = cyclone("--version")
    assert (done.returncode, done.stdout[:8], done.stderr) == (0, "cyclone ", "")
    assert "--drain-timeout" in cyclone("run", "-h").stdout
