"""A bounded, fast HTTP/1.x server protocol on Twisted."""

from typing import TYPE_CHECKING

from ._connection import HTTPConnection
from ._errors import RequestError, StreamClosedError
from ._events import EventLogger, escape_for_log
from ._incoming import BodyReceiver
from ._keywords import ServerKeywords
from ._lazy import LazyDeferred
from ._options import ServerOptions
from ._readers import read_together
from ._request import HTTPRequest
from ._server import HTTPServer
from ._taken import Taken
from ._transport import ListeningPort, Transport

#: Tornado's name of the same class.
HTTPServerRequest = HTTPRequest

__all__ = [
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

__version__: str

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> str:
        """The version comes from the installed metadata, read only when asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-httpserver")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
