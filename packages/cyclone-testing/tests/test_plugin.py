"""The pytest plugin, in runs of pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

APP = """
from cyclone.web import Application, RequestHandler
from twisted.internet import defer, reactor, task

class Hello(RequestHandler):
    async def get(self):
        await task.deferLater(reactor, 0)
        self.write("hello")

def make_app():
    return Application([("/", Hello)], first_request_timeout=15)
"""

INI = "[pytest]\naddopts = --strict-config --strict-markers\nfilterwarnings = error\n"

Run = Callable[..., "tuple[int, str]"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run pytest on a module; its status and what it printed."""

    def start(source: str, *options: str, ini: str = "", files: str = "") -> tuple[int, str]:
        (tmp_path / "app.py").write_text(APP)
        (tmp_path / "pytest.ini").write_text(INI + ini)
        (tmp_path / "test_it.py").write_text(source)
        (tmp_path / "conftest.py").write_text(files)
        env = dict(os.environ, PYTHONPATH=str(tmp_path))
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=60, cwd=tmp_path, env=env, check=False
        )
        return done.returncode, done.stdout + done.stderr

    return start


FIXTURES = """
import asyncio
import sys

import pytest
from app import make_app
from cyclone.testing import Client, VirtualClock
from twisted.internet import defer, reactor, task

@pytest.fixture
def cyclone_app():
    return make_app()

async def test_client(cyclone_client):
    client = cyclone_client(make_app())
    assert isinstance(client, Client)
    assert (await client.get("/")).body == b"hello"

async def test_client_of_the_app(cyclone_client, cyclone_clock):
    assert (await cyclone_client.get("/")).text == "hello"
    assert cyclone_client.clock is cyclone_clock
    connection = cyclone_client.connect()
    cyclone_clock.advance(20)
    assert connection.closed

async def test_server(cyclone_server):
    server = cyclone_server(make_app())
    assert (await server.fetch("/")).body == b"hello"

async def test_server_of_the_app(cyclone_server):
    assert cyclone_server.url.startswith("http://127.0.0.1:")
    assert (await cyclone_server.fetch("/")).body == b"hello"

async def test_real_time(cyclone_server):
    assert cyclone_server(clock=None).clock is None

async def test_unused(cyclone_server):
    pass

def test_synchronous(cyclone_client):
    response = cyclone_client.get("/nothing").result
    assert response.code == 404

@pytest.mark.cyclone
async def test_marked():
    assert await task.deferLater(reactor, 0, lambda: 7) == 7
    assert reactor.running

class TestMethods:
    async def test_method(self, cyclone_clock, tmp_path):
        assert tmp_path.exists()
        slept = cyclone_clock.sleep(3600)
        cyclone_clock.advance(3600)
        await slept

@pytest.fixture
async def value():
    return await task.deferLater(reactor, 0, lambda: "value")

EVENTS = []

@pytest.fixture
async def resource(value):
    await task.deferLater(reactor, 0)
    yield value + "!"
    await task.deferLater(reactor, 0)
    EVENTS.append("finished")

@pytest.mark.cyclone
@pytest.mark.parametrize("number", [1, 2])
async def test_asynchronous_fixtures(resource, number):
    assert resource == "value!"

def test_asynchronous_fixtures_were_finished():
    assert EVENTS == ["finished", "finished"]

def test_a_thread(cyclone_client):
    from twisted.internet.threads import deferToThread
    from cyclone.testing import run_sync
    assert run_sync(lambda: deferToThread(lambda: 7)) == 7
"""


@pytest.mark.parametrize("reactor", [None, "asyncio"])
def test_the_fixtures(run: Run, reactor: str | None) -> None:
    options = [f"--cyclone-reactor={reactor}"] if reactor else []
    code, output = run(FIXTURES, *options)
    assert code == 0, output
    assert "14 passed" in output


def test_asyncio_in_tests(run: Run) -> None:
    code, output = run(
        """
import asyncio
from twisted.internet import reactor, task

async def test_both_worlds():
    await asyncio.sleep(0.001)
    await task.deferLater(reactor, 0)
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: 7) == 7
""",
        ini="cyclone_mode = auto\ncyclone_reactor = asyncio\n",
    )
    assert code == 0, output


def test_failures_and_timeouts(run: Run) -> None:
    code, output = run(
        """
import pytest
from twisted.internet.defer import Deferred

@pytest.mark.cyclone
async def test_fails():
    assert 1 == 2

@pytest.mark.cyclone(timeout=0.01)
async def test_hangs():
    await Deferred()  # it waits here

@pytest.mark.cyclone
async def test_skips():
    pytest.skip("not now")
"""
    )
    assert code == 1
    assert "1 skipped" in output
    assert "2 failed" in output
    assert "timed out after 0.01 seconds" in output
    assert "it waits here" in output


def test_a_fixture_that_yields_twice(run: Run) -> None:
    code, output = run(
        """
import pytest

@pytest.fixture
async def twice():
    yield 1
    yield 2

@pytest.mark.cyclone
async def test_it(twice):
    pass
"""
    )
    assert code == 1
    assert "yielded twice" in output


INERT = """
import sys

def test_nothing_is_imported():
    found = [name for name in sys.modules if name.split(".")[0] in ("twisted", "tornado")]
    assert found == []
    assert "cyclone.testing._client" not in sys.modules
"""


@pytest.mark.parametrize("options", [(), ("-p", "no:cyclone")], ids=["loaded", "blocked"])
def test_other_projects_notice_nothing(run: Run, options: tuple[str, ...]) -> None:
    code, output = run(INERT, "-p", "no:anyio", *options)
    assert code == 0, output


def test_async_tests_of_others_are_left_alone(run: Run) -> None:
    source = """
import pytest

pytestmark = pytest.mark.filterwarnings("ignore")

async def test_nobodys():
    raise RuntimeError("it was run")

@pytest.mark.asyncio
async def test_asyncios(cyclone_clock):
    raise RuntimeError("it was run")
"""
    ini = "markers =\n    asyncio: of another plugin\n"
    _, output = run(source, "-p", "no:asyncio", ini=ini)
    assert "it was run" not in output


def test_anyio_runs_its_own(run: Run) -> None:
    pytest.importorskip("anyio")
    code, output = run(
        """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_it():
    import asyncio
    await asyncio.sleep(0)

@pytest.mark.cyclone
async def test_ours():
    from twisted.internet import reactor, task
    await task.deferLater(reactor, 0)
"""
    )
    assert code == 0, output
    assert "2 passed" in output


@pytest.mark.parametrize(
    ("options", "ini", "message"),
    [
        (("--cyclone-reactor=nonsense",), "", "no such reactor: nonsense"),
        ((), "cyclone_mode = often\n", "cyclone_mode is auto or strict"),
    ],
)
def test_bad_options(run: Run, options: tuple[str, ...], ini: str, message: str) -> None:
    code, output = run("", *options, ini=ini)
    assert code == 4
    assert message in output


def test_another_reactor_is_installed_already(run: Run) -> None:
    code, output = run("", "-p", "first", files="", ini="cyclone_reactor = asyncio\n")
    assert code != 0
    code, output = run(
        "def test(): pass",
        "-p",
        "twisted.internet.reactor",
        "--cyclone-reactor=asyncio",
    )
    assert code == 4
    assert "is installed already" in output
    code, output = run(
        "def test(): pass",
        "-p",
        "twisted.internet.reactor",
        "--cyclone-reactor=" + ("epoll" if "epoll" in output else "poll"),
    )
    assert code == 0, output
