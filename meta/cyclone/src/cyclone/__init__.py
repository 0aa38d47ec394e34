"""Cyclone: Tornado's web API on Twisted.

`import cyclone` is cheap: every submodule and every name below is loaded when it is first touched
(PEP 562), and installs no reactor.
"""

import os.path
import sys
from importlib import import_module

TYPE_CHECKING = False  # what typing has under this name, without importing typing


def _portions() -> list[str]:
    """The folders of all portions of the namespace, this one first.

    Editable and split installs have several. pkgutil.extend_path would do, and costs 9 ms more.
    """
    folders = [os.path.join(entry, "cyclone") for entry in sys.path if entry]
    others = [folder for folder in folders if folder not in __path__ and os.path.isdir(folder)]
    return [*__path__, *dict.fromkeys(others)]


__path__ = _portions()

if TYPE_CHECKING:
    from cyclone.web import Application as Application
    from cyclone.web import HTTPError as HTTPError
    from cyclone.web import RequestHandler as RequestHandler
    from cyclone.web import StaticFileHandler as StaticFileHandler
    from cyclone.web import UIModule as UIModule
    from cyclone.web import URLSpec as URLSpec
    from cyclone.web import asynchronous as asynchronous
    from cyclone.web import authenticated as authenticated
    from cyclone.web import url as url

    from . import auth as auth
    from . import cli as cli
    from . import escape as escape
    from . import httpclient as httpclient
    from . import httpserver as httpserver
    from . import httputil as httputil
    from . import locale as locale
    from . import sse as sse
    from . import template as template
    from . import testing as testing
    from . import web as web
    from . import websocket as websocket

__version__: str
version: str  # Cyclone 1.3's name of __version__

_SUBMODULES = (
    "auth",
    "cli",
    "escape",
    "httpclient",
    "httpserver",
    "httputil",
    "locale",
    "sse",
    "template",
    "testing",
    "web",
    "websocket",
)
# The names an application starts from, each of cyclone.web.
_WEB_NAMES = (
    "Application",
    "HTTPError",
    "RequestHandler",
    "StaticFileHandler",
    "UIModule",
    "URLSpec",
    "asynchronous",
    "authenticated",
    "url",
)

# Modules of Tornado and of Cyclone 1.3 that are not here.
_ELSEWHERE = frozenset(
    (
        "app",
        "autoreload",
        "bottle",
        "concurrent",
        "curl_httpclient",
        "gen",
        "ioloop",
        "iostream",
        "jsonrpc",
        "locks",
        "log",
        "mail",
        "netutil",
        "options",
        "platform",
        "process",
        "queues",
        "redis",
        "routing",
        "simple_httpclient",
        "sqlite",
        "tcpclient",
        "tcpserver",
        "util",
        "wsgi",
        "xmlrpc",
    )
)

__all__ = [
    "__version__",
    *_SUBMODULES,
    *_WEB_NAMES,
]

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> object:
        """Load a submodule, or one of the web package's names, on first use."""
        value: object
        if name in _SUBMODULES:
            return import_module(f"{__name__}.{name}")
        if name in _WEB_NAMES:
            value = getattr(import_module(f"{__name__}.web"), name)
        elif name in ("__version__", "version"):
            from importlib.metadata import version

            value = version("cyclone")
        else:
            hint = ""
            if name in _ELSEWHERE:
                hint = (
                    ": https://github.com/fiorix/cyclone/blob/main/PORTING.md says what takes its "
                    "place"
                )
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
        globals()[name] = value
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "version"})
