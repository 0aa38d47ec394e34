"""An HTTP client on Twisted's Agent with Tornado's and Cyclone's fetch."""

from typing import TYPE_CHECKING

from ._client import AsyncHTTPClient, SimpleAsyncHTTPClient
from ._cookies import Cookie, CookieJar
from ._errors import (
    HTTPClientError,
    HTTPConnectError,
    HTTPConnectionRefusedError,
    HTTPError,
    HTTPProtocolError,
    HTTPProxyError,
    HTTPResolveError,
    HTTPResponseTooLargeError,
    HTTPStreamClosedError,
    HTTPTimeoutError,
    HTTPTLSError,
    OptionConflictError,
)
from ._fetch import HTTPClient, fetch, getPage
from ._jsonrpc import JsonRPC, JsonRPCError
from ._options import RequestOptions
from ._request import HTTPRequest
from ._response import HTTPResponse
from ._testing import InMemoryAgent, SentRequest, StubResponse

__all__ = [
    "AsyncHTTPClient",
    "Cookie",
    "CookieJar",
    "HTTPClient",
    "HTTPClientError",
    "HTTPConnectError",
    "HTTPConnectionRefusedError",
    "HTTPError",
    "HTTPProtocolError",
    "HTTPProxyError",
    "HTTPRequest",
    "HTTPResolveError",
    "HTTPResponse",
    "HTTPResponseTooLargeError",
    "HTTPStreamClosedError",
    "HTTPTLSError",
    "HTTPTimeoutError",
    "InMemoryAgent",
    "JsonRPC",
    "JsonRPCError",
    "OptionConflictError",
    "RequestOptions",
    "SentRequest",
    "SimpleAsyncHTTPClient",
    "StubResponse",
    "__version__",
    "fetch",
    "getPage",
]

__version__: str

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> str:
        """The version comes from the installed metadata, read only when asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-httpclient")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
