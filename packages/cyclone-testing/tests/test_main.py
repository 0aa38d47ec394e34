"""Running tests from the command line."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

import cyclone.testing
from cyclone.testing import main

TESTS = """
import unittest
from cyclone import testing
from cyclone.testing import gen_test, main
from cyclone.web import Application, RequestHandler

class Hello(RequestHandler):
    def get(self):
        self.write("hello")

def make_app():
    return Application([("/", Hello)])

class Served(testing.AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    def test_fetch(self):
        assert self.fetch("/").body == b"hello"

    @gen_test
    async def test_await(self):
        assert (await self.http_client.fetch(self.get_url("/"))).body == b"hello"

class InMemory(testing.CycloneTestCase):
    app_builder = make_app

    async def test_get(self):
        assert (await self.client.get("/")).content == b"hello"

def all():
    return unittest.defaultTestLoader.loadTestsFromName(__name__)

if __name__ == "__main__":
    main()
"""


def run(folder: Path, *command: str) -> tuple[int, str]:
    (folder / "hello_tests.py").write_text(TESTS)
    env = dict(os.environ, PYTHONPATH=str(folder))
    done = subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=folder,
        env=env,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_as_a_module(tmp_path: Path) -> None:
    code, output = run(tmp_path, "-m", "cyclone.testing", "hello_tests")
    assert code == 0, output
    assert "OK" in output


def test_under_trial_on_the_asyncio_reactor(tmp_path: Path) -> None:
    command = "-m twisted.trial --reactor asyncio hello_tests"
    code, output = run(tmp_path, *command.split())
    assert code == 0, output
    assert "PASSED (successes=3)" in output


@pytest.mark.parametrize(("argument", "count"), [((), 3), (("hello_tests.Served",), 2)])
def test_a_script(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argument: tuple[str, ...],
    count: int,
) -> None:
    (tmp_path / "hello_tests.py").write_text(TESTS)
    spec = spec_from_file_location("hello_tests", tmp_path / "hello_tests.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setitem(sys.modules, "hello_tests", module)
    monkeypatch.setitem(sys.modules, "__main__", module)
    monkeypatch.setattr(sys, "argv", ["hello_tests.py", *argument])
    main(exit=False)
    output = capsys.readouterr().err
    assert f"Ran {count} tests" in output
    assert "OK" in output


def test_without_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["cyclone.testing"])
    with pytest.raises(SystemExit, match=r"^usage: "):
        runpy.run_path(str(Path(cyclone.testing.__path__[0], "__main__.py")), run_name="__main__")
