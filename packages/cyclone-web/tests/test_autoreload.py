"""The reloader without a reactor, and a program that really restarts."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from cyclone.web import _autoreload, autoreload
from cyclone.web._autoreload import Reloader


@pytest.fixture
def restarts() -> list[str]:
    return []


@pytest.fixture
def reloader(restarts: list[str]) -> Reloader:
    return Reloader(lambda: restarts.append("restart"))


def test_a_change_restarts_after_the_hooks(
    reloader: Reloader, restarts: list[str], tmp_path: Path
) -> None:
    reloader.hooks.append(lambda: restarts.append("hook"))
    file = tmp_path / "a.py"
    file.write_text("x = 1\n")
    reloader.files.add(str(file))
    assert reloader.look() == []
    file.write_text("x = 100\n")
    assert reloader.look() == [str(file)]
    assert reloader.changed([str(file)])
    assert restarts == ["hook", "restart"]


def test_templates_are_watched(reloader: Reloader, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text("one")
    reloader.folders.add(str(tmp_path))
    reloader.look()
    (tmp_path / "page.html").write_text("other")
    (tmp_path / "new.html").write_text("new")
    assert reloader.look() == [str(tmp_path / "page.html")]


def test_translations_in_use_are_watched(
    reloader: Reloader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "es.csv"
    file.write_text("a,b")
    monkeypatch.setattr(_autoreload, "get_loaded_files", lambda: (str(file),))
    reloader.look()
    file.write_text("a,other")
    assert reloader.look() == [str(file)]


def test_what_pages_are_made_of_needs_no_restart(
    reloader: Reloader, restarts: list[str], tmp_path: Path
) -> None:
    (tmp_path / "style.css").write_text("one")
    reloader.page_folders.add(str(tmp_path))
    reloader.page_hooks.append(lambda: restarts.append("page"))
    assert reloader.look_at_pages() == []
    (tmp_path / "style.css").write_text("other")
    assert reloader.look() == []
    assert reloader.look_at_pages() == [str(tmp_path / "style.css")]
    reloader.pages_changed()
    assert restarts == ["page"]


def test_a_syntax_error_is_survived_and_told(
    reloader: Reloader, restarts: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    bad.write_text("def (\n")
    good.write_text("x = 1\n")
    assert not reloader.changed([str(bad)])
    assert "bad.py, line 1" in caplog.text
    assert "keeps running" in caplog.text
    caplog.clear()
    assert not reloader.changed([str(good)])  # the bad one would end the new process
    assert not caplog.records
    bad.write_text("def f(): pass\n")
    assert reloader.changed([str(bad)])
    assert restarts == ["restart"]


def test_public_names(monkeypatch: pytest.MonkeyPatch, reloader: Reloader) -> None:
    monkeypatch.setattr(_autoreload, "reloader", reloader)
    hook = lambda: None  # noqa: E731
    autoreload.add_reload_hook(hook)
    autoreload.watch("file")
    assert (reloader.hooks, reloader.files) == ([hook], {"file"})


@pytest.mark.parametrize(
    ("settings", "folders"),
    [
        ({"template_path": "t"}, {"t"}),
        ({"template_path": "t", "compiled_template_cache": False}, set()),
        ({}, set()),
    ],
)
def test_templates_of_an_application(
    settings: dict[str, Any], folders: set[str], monkeypatch: pytest.MonkeyPatch, reloader: Reloader
) -> None:
    monkeypatch.setattr(_autoreload, "reloader", reloader)
    monkeypatch.setattr(_autoreload, "start", lambda: None)
    _autoreload.start_for(settings)
    assert reloader.folders == folders


def run(folder: Path, *command: str, **files: str) -> subprocess.CompletedProcess[str]:
    """Run a program in *folder* until it ends; its files may not be written twice in one tick."""
    for name, text in files.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(text))
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"},
    )


PROGRAM = """
    import pathlib, sys
    import helper
    from twisted.internet import reactor
    from cyclone.web import Application, autoreload

    path = pathlib.Path("helper.py")
    print("run", helper.NUMBER, sys.argv[1:], flush=True)
    if helper.NUMBER == 2:
        sys.exit(0)

    class Quick(Application):
        pass

    application = Quick(debug=True)
    port = reactor.listenTCP(0, application, interface="127.0.0.1")
    autoreload.add_reload_hook(lambda: print("hook", flush=True))
    reactor.callLater(0.1, path.write_text, "def (")
    reactor.callLater(0.2, lambda: print("alive", flush=True))
    def mend():
        from cyclone.web import _autoreload
        if any(_autoreload.reloader._pending.values()):
            print("told", flush=True)
            path.write_text("NUMBER = 2")
        else:
            reactor.callLater(0.05, mend)
    reactor.callLater(0.2, mend)
    reactor.run()
"""


@pytest.mark.parametrize("watchfiles", [True, False], ids=["watchfiles", "polling"])
def test_a_program_that_restarts(tmp_path: Path, watchfiles: bool) -> None:
    if watchfiles:
        pytest.importorskip("watchfiles")
    else:
        (tmp_path / "watchfiles.py").write_text("raise ImportError")
    done = run(tmp_path, "program.py", "argument", program=PROGRAM, helper="NUMBER = 1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.split("\n")
    assert lines[0] == "run 1 ['argument']"
    assert lines[-2] == "run 2 ['argument']"
    assert sorted(lines[1:-2]) == ["alive", "hook", "told"]


def test_main_runs_again_after_a_failure_at_import(tmp_path: Path) -> None:
    program = """
        import pathlib, threading, time
        path = pathlib.Path("helper.py")
        if "mended" not in path.read_text():
            def mend():
                time.sleep(1)
                path.write_text("mended = True\\n")
            threading.Thread(target=mend).start()
        import helper
        print("mended", helper.mended)
    """
    done = run(
        tmp_path,
        "-m",
        "cyclone.web.autoreload",
        "--until-success",
        "program.py",
        program=program,
        helper="def (",
    )
    assert (done.returncode, done.stdout) == (0, "mended True\n"), done.stderr


def test_main_runs_modules(tmp_path: Path) -> None:
    program = "import sys; print(__name__, sys.argv[1:]); sys.exit(0)"
    done = run(
        tmp_path,
        "-m",
        "cyclone.web.autoreload",
        "--until-success",
        "-m",
        "program",
        "-x",
        program=program,
    )
    assert (done.returncode, done.stdout) == (0, "__main__ ['-x']\n"), done.stderr


def test_main_needs_a_program(tmp_path: Path) -> None:
    assert run(tmp_path, "-m", "cyclone.web.autoreload").returncode == 2
