"""The pytest plugin, in runs of pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from cyclone.testing import _plugin

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

Run = Callable[..., tuple[dict[str, int], str]]
Spawn = Callable[..., tuple[int, str]]


class Outcomes:
    """A plugin that writes down what became of the tests."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.counts: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
            self.texts.append(report.longreprtext)


def write(folder: Path, source: str, ini: str) -> None:
    (folder / "hello_app.py").write_text(APP)
    (folder / "pytest.ini").write_text(INI + ini)
    (folder / "test_it.py").write_text(source)


OPTIONS = ["-q", "-p", "no:cacheprovider", "-p", "no:logging"]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run pytest on a module, inside this one: how many tests had which outcome, and why."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def start(source: str, *options: str, ini: str = "") -> tuple[dict[str, int], str]:
        write(tmp_path, source, ini)
        found = Outcomes()
        arguments = ["--import-mode=importlib", *OPTIONS, *options, "--rootdir", str(tmp_path)]
        arguments += ["-c", str(tmp_path / "pytest.ini"), str(tmp_path / "test_it.py")]
        pytest.main(arguments, plugins=[found])
        for name in ("hello_app", "test_it"):
            sys.modules.pop(name, None)
        return dict(found.counts), "\n".join(found.texts)

    return start


@pytest.fixture
def spawn(tmp_path: Path) -> Spawn:
    """Run pytest in a process of its own: its status and what it printed."""

    def start(source: str, *options: str, ini: str = "") -> tuple[int, str]:
        write(tmp_path, source, ini)
        env = dict(os.environ, PYTHONPATH=str(tmp_path), PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
        command = [sys.executable, "-m", "pytest", *OPTIONS, "-p", "cyclone.testing._plugin"]
        done = subprocess.run(
            [*command, *options],
            capture_output=True,
            text=True,
            timeout=60,
            cwd=tmp_path,
            env=env,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    return start


FIXTURES = """
import asyncio
import sys

import pytest
from hello_app import make_app
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


def test_the_fixtures(run: Run) -> None:
    counts, text = run(FIXTURES)
    assert counts == {"passed": 13}, text


BOTH_WORLDS = """
async def test_both_worlds():
    await asyncio.sleep(0.001)
    await task.deferLater(reactor, 0)
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: 7) == 7
"""


def test_the_fixtures_on_the_asyncio_reactor(spawn: Spawn) -> None:
    ini = "cyclone_mode = auto\ncyclone_reactor = asyncio\n"
    code, output = spawn(FIXTURES + BOTH_WORLDS, ini=ini)
    assert code == 0, output
    assert "14 passed" in output


def test_failures_and_timeouts(run: Run) -> None:
    counts, text = run(
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
    assert counts == {"failed": 2, "skipped": 1}
    assert "timed out after 0.01 seconds" in text
    assert "it waits here" in text


def test_a_fixture_that_yields_twice(run: Run) -> None:
    counts, text = run(
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
    assert counts == {"passed": 1, "failed": 1}
    assert "yielded twice" in text


def test_every_asynchronous_test_in_the_mode_auto(run: Run) -> None:
    source = (
        "async def test_it():\n    from twisted.internet import reactor\n    assert reactor.running"
    )
    assert run(source, ini="cyclone_mode = auto\n")[0] == {"passed": 1}


def test_other_projects_notice_nothing(spawn: Spawn) -> None:
    code, output = spawn(
        """
import sys

def test_nothing_is_imported():
    found = [name for name in sys.modules if name.split(".")[0] in ("twisted", "zope")]
    assert found == []
    assert "cyclone.testing._client" not in sys.modules
"""
    )
    assert code == 0, output


def test_it_can_be_left_out(run: Run) -> None:
    blocked = ("-p", "no:cyclone", "-p", "no:cyclone.testing._plugin")
    counts, text = run("def test(): pass\ndef test_none(cyclone_client): pass", *blocked)
    assert counts == {"passed": 1, "failed": 1}
    assert "fixture 'cyclone_client' not found" in text


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
    _, text = run(source, "-p", "no:asyncio", ini="markers =\n    asyncio: of another plugin\n")
    assert "it was run" not in text


def test_anyio_runs_its_own(run: Run) -> None:
    pytest.importorskip("anyio")
    counts, text = run(
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
    assert counts == {"passed": 2}, text


def test_a_bad_mode(spawn: Spawn) -> None:
    code, output = spawn("", ini="cyclone_mode = often\n")
    assert code == 4
    assert "cyclone_mode is auto or strict" in output


class TestInstallingAReactor:
    def test_another_is_installed_already(self) -> None:
        from twisted.internet import reactor

        name = type(reactor).__module__.removeprefix("twisted.internet.").removesuffix("reactor")
        _plugin._install_reactor(name)
        with pytest.raises(pytest.UsageError, match="is installed already"):
            _plugin._install_reactor("other")

    def test_there_is_no_such_reactor(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delitem(sys.modules, "twisted.internet.reactor", raising=False)
        with pytest.raises(pytest.UsageError, match="no such reactor: nonsense"):
            _plugin._install_reactor("nonsense")
