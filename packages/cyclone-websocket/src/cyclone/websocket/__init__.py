"""WebSocket handlers and client for Cyclone, with both Tornado's and Cyclone's names."""

from typing import TYPE_CHECKING

from ._broadcast import broadcast
from ._client import WebSocketClientConnection
from ._connection import WebSocketConnection
from ._errors import WebSocketClosedError, WebSocketError
from ._handler import WebSocketHandler

#: Tornado's names of the same class.
WebSocketProtocol = WebSocketProtocol13 = WebSocketConnection

__all__ = [
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

__version__: str

if TYPE_CHECKING:
    from ._connect import websocket_connect

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> object:
        """The version comes from the installed metadata; the client loads when it is first used."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-websocket")
        if name == "websocket_connect":
            from ._connect import websocket_connect

            globals()[name] = websocket_connect
            return websocket_connect
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
