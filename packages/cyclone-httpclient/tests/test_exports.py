"""The public names of cyclone.httpclient."""

from importlib.metadata import version

import cyclone.httpclient

NAMES = [
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


def test_version_is_the_distributions() -> None:
    assert cyclone.httpclient.__version__ == version("cyclone-httpclient")


def test_the_names() -> None:
    assert cyclone.httpclient.__all__ == NAMES
    for name in NAMES:
        assert getattr(cyclone.httpclient, name) is not None
