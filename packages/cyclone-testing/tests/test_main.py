"""Running tests from the command line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

TESTS = """
import unittest
from cyclone.testing import AsyncHTTPTestCase, AsyncTestCase, CycloneTestCase, gen_test, main
from cyclone.web import Application, RequestHandler

class Hello(RequestHandler):
    def get(self):
        self.write("hello")

def make_app():
    return Application([("/", Hello)])

class Served(AsyncHTTPTestCase):
    def get_app(self):
        return make_app()

    def test_fetch(self):
        assert self.fetch("/").body == b"hello"

    @gen_test
    async def test_await(self):
        assert (await self.http_client.fetch(self.get_url("/"))).body == b"hello"

class InMemory(CycloneTestCase):
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


def test_without_a_name(tmp_path: Path) -> None:
    code, output = run(tmp_path, "-m", "cyclone.testing")
    assert code == 1
    assert output.startswith("usage:")


def test_a_script_runs_all(tmp_path: Path) -> None:
    code, output = run(tmp_path, "hello_tests.py")
    assert code == 0, output
    assert "OK" in output


def test_a_script_runs_what_is_named(tmp_path: Path) -> None:
    code, output = run(tmp_path, "hello_tests.py", "hello_tests.Served")
    assert code == 0, output
    assert "Ran 2 tests" in output


def test_under_trial_on_both_reactors(tmp_path: Path) -> None:
    for option in ((), ("--reactor", "asyncio")):
        code, output = run(tmp_path, "-m", "twisted.trial", *option, "hello_tests")
        assert code == 0, output
        assert "PASSED (successes=3)" in output
