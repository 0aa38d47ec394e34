"""The classes of failure and how they read."""

from __future__ import annotations

import pytest

from cyclone.httpclient import (
    HTTPClientError,
    HTTPConnectError,
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


def test_tornados_classes() -> None:
    assert HTTPError is HTTPClientError
    error = HTTPClientError(404)
    assert (error.code, error.status_code, error.message) == (404, 404, "Not Found")
    assert str(error) == repr(error) == "HTTP 404: Not Found"
    assert str(HTTPClientError(999)) == "HTTP 999: Unknown"
    assert str(HTTPTimeoutError("Timeout x")) == "Timeout x"
    assert str(HTTPTimeoutError()) == "Timeout"
    assert str(HTTPStreamClosedError("x")) == "x"
    assert HTTPStreamClosedError().code == HTTPTimeoutError().code == 599


@pytest.mark.parametrize(
    ("error", "bases"),
    [
        (HTTPConnectError("x"), (HTTPClientError, OSError)),
        (HTTPResolveError("x"), (HTTPConnectError,)),
        (HTTPTLSError("x"), (HTTPConnectError,)),
        (HTTPProxyError("x", 407), (HTTPConnectError,)),
        (HTTPProtocolError("x"), (HTTPStreamClosedError,)),
        (HTTPResponseTooLargeError("x"), (HTTPStreamClosedError,)),
        (OptionConflictError("x"), (TypeError, ValueError)),
    ],
)
def test_the_tree(error: Exception, bases: tuple[type[Exception], ...]) -> None:
    for base in bases:
        assert isinstance(error, base)
    assert str(error) == "x"
    if isinstance(error, HTTPClientError):
        assert repr(error) == "x"
        assert (error.code, error.response) == (599, None)
