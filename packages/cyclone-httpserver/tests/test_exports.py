"""The public names of cyclone.httpserver."""

import subprocess
import sys
from importlib.metadata import version

import cyclone.httpserver

NAMES = [
    "BodyReceiver",
    "EventLogger",
    "HTTPConnection",
    "HTTPRequest",
    "HTTPServer",
    "HTTPServerRequest",
    "LazyDeferred",
    "ListeningPort",
    "RequestError",
    "ServerKeywords",
    "ServerOptions",
    "StreamClosedError",
    "Taken",
    "Transport",
    "__version__",
    "escape_for_log",
    "read_together",
]


def test_all_is_what_is_documented() -> None:
    assert cyclone.httpserver.__all__ == NAMES


def test_version_is_the_distributions() -> None:
    assert cyclone.httpserver.__version__ == version("cyclone-httpserver")


def test_every_public_name_exists() -> None:
    for name in cyclone.httpserver.__all__:
        assert getattr(cyclone.httpserver, name) is not None


def test_import_installs_no_reactor() -> None:
    code = "import sys, cyclone.httpserver; sys.exit('twisted.internet.reactor' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
