"""WebSocket handlers and client for Cyclone, with both Tornado's and Cyclone's names."""

from ._broadcast import broadcast
from ._connection import WebSocketConnection
from ._errors import WebSocketClosedError, WebSocketError
from ._handler import WebSocketHandler

__all__ = [
    "WebSocketClosedError",
    "WebSocketConnection",
    "WebSocketError",
    "WebSocketHandler",
    "__version__",
    "broadcast",
]

__version__: str


def __getattr__(name: str) -> str:
    """The version comes from the installed metadata, read only when asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cyclone-websocket")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
