"""The public names of cyclone.websocket."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import cyclone.websocket

NAMES = [
    "WebSocketClientConnection",
    "WebSocketClosedError",
    "WebSocketConnection",
    "WebSocketError",
    "WebSocketHandler",
    "WebSocketProtocol",
    "WebSocketProtocol13",
    "__version__",
    "broadcast",
    "websocket_connect",
]


def test_version_is_the_distributions() -> None:
    assert cyclone.websocket.__version__ == version("cyclone-websocket")


def test_the_names() -> None:
    assert cyclone.websocket.__all__ == NAMES
    for name in NAMES:
        assert getattr(cyclone.websocket, name) is not None
    with pytest.raises(AttributeError):
        _ = cyclone.websocket.nothing  # type: ignore[attr-defined]


def test_importing_installs_no_reactor_and_loads_no_client() -> None:
    program = (
        "import sys, cyclone.websocket as w; "
        "assert 'twisted.internet.reactor' not in sys.modules; "
        "assert 'cyclone.httpclient' not in sys.modules; "
        "assert 'websockets.extensions.permessage_deflate' not in sys.modules; "
        "w.websocket_connect; assert 'cyclone.httpclient' in sys.modules; "
        "assert 'twisted.internet.reactor' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_tornados_names_of_the_protocol() -> None:
    protocol = cyclone.websocket.WebSocketProtocol13
    assert protocol is cyclone.websocket.WebSocketConnection
    key, accept = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
    assert protocol.compute_accept_value(key) == accept
    assert protocol.ping_sleep_time(last_ping_time=4, interval=10, now=10) == 4
    assert protocol.ping_sleep_time(last_ping_time=4, interval=10, now=30) == 0


def test_help_lists_what_loads_when_it_is_first_used() -> None:
    assert set(cyclone.websocket.__all__) <= set(dir(cyclone.websocket))
