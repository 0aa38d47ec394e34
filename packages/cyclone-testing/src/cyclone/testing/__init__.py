"""Test cases, an in-memory client and a pytest plugin for Cyclone applications."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._case import AsyncTestCase
    from ._client import Client
    from ._clock import VirtualClock
    from ._connection import MemoryConnection
    from ._cookies import DecodingSimpleCookie
    from ._cyclonecase import CycloneTestCase
    from ._gen import gen_test
    from ._httpcase import AsyncHTTPSTestCase, AsyncHTTPTestCase
    from ._log import ExpectLog
    from ._loop import ReactorLoop
    from ._main import main
    from ._reactor import get_async_test_timeout, run_sync
    from ._response import ClientResponse
    from ._server import ServedApplication
    from ._setup import setup_with_context_manager
    from ._sockets import bind_unused_port
    from ._stream import Event, EventStream, StreamedResponse
    from ._websocket import MemoryWebSocket

__all__ = [
    "AsyncHTTPSTestCase",
    "AsyncHTTPTestCase",
    "AsyncTestCase",
    "Client",
    "ClientResponse",
    "CycloneTestCase",
    "DecodingSimpleCookie",
    "Event",
    "EventStream",
    "ExpectLog",
    "MemoryConnection",
    "MemoryWebSocket",
    "ReactorLoop",
    "ServedApplication",
    "StreamedResponse",
    "VirtualClock",
    "__version__",
    "bind_unused_port",
    "gen_test",
    "get_async_test_timeout",
    "main",
    "run_sync",
    "setup_with_context_manager",
]

__version__: str

# The pytest plugin is in this package: importing it must stay cheap, and must not import Twisted.
_MODULES = {
    "AsyncHTTPSTestCase": "_httpcase",
    "AsyncHTTPTestCase": "_httpcase",
    "AsyncTestCase": "_case",
    "Client": "_client",
    "ClientResponse": "_response",
    "CycloneTestCase": "_cyclonecase",
    "DecodingSimpleCookie": "_cookies",
    "Event": "_stream",
    "EventStream": "_stream",
    "ExpectLog": "_log",
    "MemoryConnection": "_connection",
    "MemoryWebSocket": "_websocket",
    "ReactorLoop": "_loop",
    "ServedApplication": "_server",
    "StreamedResponse": "_stream",
    "VirtualClock": "_clock",
    "bind_unused_port": "_sockets",
    "gen_test": "_gen",
    "get_async_test_timeout": "_reactor",
    "main": "_main",
    "run_sync": "_reactor",
    "setup_with_context_manager": "_setup",
}

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> object:
        """Each name's module loads when it is first used; the version comes from the metadata."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-testing")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value: object = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return [*globals(), *_MODULES]
