"""Exceptions of the layers below, translated."""

from __future__ import annotations

import errno
import socket
import ssl
from typing import Any

import pytest
from twisted.internet import error

from cyclone.httpclient import (
    HTTPClientError,
    HTTPConnectError,
    HTTPConnectionRefusedError,
    HTTPResolveError,
    HTTPTLSError,
)
from cyclone.httpclient._failures import closed_error, connect_error, peer_of
from cyclone.httpclient._proxy import Proxy
from cyclone.httpclient._route import Route
from cyclone.httpclient._twisted import failure_of

twisted_error: Any = error
ROUTE = Route("http", "h", 80)


class TLSFailure(Exception):
    """As pyOpenSSL's."""


TLSFailure.__module__ = "OpenSSL.SSL"


class NameFailure(Exception):
    """As service_identity's."""


NameFailure.__module__ = "service_identity.exceptions"


@pytest.mark.parametrize(
    ("error", "kind", "text"),
    [
        (twisted_error.DNSLookupError(), HTTPResolveError, "The name of h:80 has no address"),
        (
            twisted_error.ConnectionRefusedError(),
            HTTPConnectionRefusedError,
            "Connection refused: h:80",
        ),
        (twisted_error.NoRouteError(), HTTPConnectError, "No route to the host: h:80"),
        (twisted_error.TimeoutError(), HTTPConnectError, "The host did not answer: h:80"),
        (twisted_error.TCPTimedOutError(), HTTPConnectError, "The host did not answer: h:80"),
        (twisted_error.UserError(), HTTPConnectError, "The connection was given up: h:80"),
        (twisted_error.ConnectError(), HTTPConnectError, "Cannot connect: h:80"),
        (OSError(), HTTPConnectError, "Cannot connect: h:80"),
        (TLSFailure([("a", "b", "bad luck")]), HTTPTLSError, "TLS with 'h' failed: bad luck"),
        (TLSFailure(-1, "EOF"), HTTPTLSError, "TLS with 'h' failed"),
        (NameFailure(), HTTPTLSError, "the certificate is not for 'h'"),
    ],
)
def test_connect_errors(error: Exception, kind: type[Exception], text: str) -> None:
    result = connect_error(failure_of(error), ROUTE)
    assert type(result) is kind
    assert str(result) == text
    assert result.__cause__ is error


@pytest.mark.parametrize(
    ("error", "kind", "number"),
    [
        (twisted_error.ConnectionRefusedError(), ConnectionRefusedError, errno.ECONNREFUSED),
        (twisted_error.DNSLookupError(), socket.gaierror, socket.EAI_NONAME),
        (twisted_error.NoRouteError(errno.EHOSTUNREACH), OSError, errno.EHOSTUNREACH),
        (OSError(errno.EMFILE, "too many files"), OSError, errno.EMFILE),
        (twisted_error.UserError(), OSError, None),
        (TLSFailure(-1, "EOF"), ssl.SSLError, None),
    ],
)
def test_python_names_the_failure_too(
    error: Exception, kind: type[OSError], number: int | None
) -> None:
    """What programs for Tornado catch is what the socket raised."""
    result = connect_error(failure_of(error), ROUTE)
    assert isinstance(result, kind)
    assert isinstance(result, HTTPClientError)
    assert isinstance(result, OSError)
    assert (result.errno, result.code) == (number, 599)


@pytest.mark.parametrize("error", [ValueError("x"), HTTPTLSError("x")])
def test_what_is_clear_already_stays(error: Exception) -> None:
    assert connect_error(failure_of(error), ROUTE) is error


def test_names_of_the_other_end() -> None:
    assert peer_of(Route("http", "::1", 80)) == "[::1]:80"
    assert peer_of(Route("http", "h", 80, unix_socket="/s")) == "the UNIX socket"
    assert peer_of(Route("http", "h", 80, proxy=Proxy("p", 1, "secret"))) == "p:1"


def test_closed() -> None:
    cause = OSError()
    assert closed_error(cause, "x").__cause__ is cause
