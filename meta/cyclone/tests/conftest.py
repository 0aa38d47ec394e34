"""What the full-stack tests share: programs of the system, example servers, a browser."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"

# Serves the `application` of an example file on a free port and prints the URL.
SERVE = """
import runpy, sys
from pathlib import Path
from twisted.internet import reactor
sys.path.insert(0, str(Path(sys.argv[1]).parent))
application = runpy.run_path(sys.argv[1], run_name="example")["application"]
port = reactor.listenTCP(0, application, interface="127.0.0.1")
print(f"http://127.0.0.1:{port.getHost().port}", flush=True)
reactor.run()
"""


@pytest.fixture
def program() -> Callable[[str], str]:
    """Returns `programs.find_program`."""
    # Late: what is installed is tested where the other files of this folder are not
    from programs import find_program

    return find_program


class ServerProcess:
    """A server in a process of its own; `url` is read from the first line it prints."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._log = log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, text=True
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = re.search(r"https?://[\w.:\[\]]+", line)
        if match is None:
            self.close()
            raise AssertionError(f"no URL in {line!r}; the log says\n{self.log()}")
        self.url = match[0]

    def log(self) -> str:
        """What the server has written to its standard error so far."""
        return self._log.read_text("utf-8", "replace")

    def close(self) -> None:
        """Interrupt the server and wait for its end."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise
        finally:
            if self.process.stdout is not None:
                self.process.stdout.close()


Start = Callable[..., ServerProcess]


@pytest.fixture
def start_program(tmp_path: Path, program: Callable[[str], str]) -> Iterator[Start]:
    """Returns a function that starts `PROGRAM ARGUMENTS...` and gives its ServerProcess."""
    with ExitStack() as stack:
        count = iter(range(100))

        def run(name: str, *arguments: str | Path) -> ServerProcess:
            command = [program(name), *map(str, arguments)]
            server = ServerProcess(command, tmp_path / f"server-{next(count)}.log")
            stack.callback(server.close)
            return server

        yield run


@pytest.fixture
def start(start_program: Start) -> Start:
    """Returns a function that starts `python ARGUMENTS...` and gives its ServerProcess."""
    return lambda *arguments: start_program(sys.executable, "-X", "dev", *arguments)


@pytest.fixture
def start_example(start: Start) -> Callable[[str], ServerProcess]:
    """Returns a function that serves the `application` of examples/NAME on a free port."""
    return lambda name: start("-c", SERVE, EXAMPLES / name)


@pytest.fixture
def browser(tmp_path: Path, program: Callable[[str], str]) -> Iterator["Chrome"]:
    """A headless Chromium with an empty profile."""
    from selenium.webdriver import Chrome, ChromeOptions, ChromeService

    options = ChromeOptions()
    options.binary_location = program("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        f"--user-data-dir={tmp_path / 'chromium'}",
    ):
        options.add_argument(argument)
    driver = Chrome(options=options, service=ChromeService(program("chromedriver")))
    driver.set_page_load_timeout(20)
    try:
        yield driver
    finally:
        driver.quit()
