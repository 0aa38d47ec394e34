"""From the exceptions of Twisted and OpenSSL to this package's: nothing below leaks upwards."""

from __future__ import annotations

from twisted.internet import error as twisted_error
from twisted.python.failure import Failure

from ._errors import (
    HTTPClientError,
    HTTPConnectError,
    HTTPConnectionRefusedError,
    HTTPResolveError,
    HTTPStreamClosedError,
    HTTPTLSError,
)
from ._route import Route
from ._twisted import error_of

_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (twisted_error.ConnectionRefusedError, "Connection refused"),
    (twisted_error.NoRouteError, "No route to the host"),
    (twisted_error.TCPTimedOutError, "The host did not answer"),
    (twisted_error.TimeoutError, "The host did not answer"),
    (twisted_error.UserError, "The connection was given up"),
    (twisted_error.ConnectError, "Cannot connect"),
)


def peer_of(route: Route) -> str:
    """The other end of a route, for messages."""
    if route.unix_socket is not None:
        return "the UNIX socket"
    host, port = route.host, route.port
    if route.proxy is not None:
        host, port = route.proxy.host, route.proxy.port
    shown = f"[{host}]" if ":" in host else host
    return f"{shown}:{port}"


def connect_error(failure: Failure, route: Route) -> Exception:
    """The error of a connection that could not be made."""
    error = error_of(failure)
    if isinstance(error, HTTPClientError | ValueError | RuntimeError):
        return error
    result: HTTPConnectError
    if isinstance(error, twisted_error.DNSLookupError):
        result = HTTPResolveError(f"The name of {peer_of(route)} has no address")
    elif is_tls_error(error):
        result = HTTPTLSError(tls_message(error, route))
    else:
        texts = [text for kind, text in _REASONS if isinstance(error, kind)]
        text = f"{[*texts, 'Cannot connect'][0]}: {peer_of(route)}"
        if isinstance(error, twisted_error.ConnectionRefusedError):
            result = HTTPConnectionRefusedError(text)
        else:
            number = getattr(error, "osError", None) or getattr(error, "errno", None)
            result = HTTPConnectError(text, number if isinstance(number, int) else None)
    result.__cause__ = error
    return result


def is_tls_error(error: BaseException) -> bool:
    """Whether it comes from OpenSSL or from the check of the certificate's name."""
    module = type(error).__module__
    return module.startswith(("OpenSSL.", "service_identity"))


def tls_message(error: BaseException, route: Route) -> str:
    """What is wrong, in OpenSSL's few words."""
    name = route.tls.server_hostname if route.tls is not None else route.host
    if type(error).__module__.startswith("service_identity"):
        return f"the certificate is not for {name!r}"
    reasons: list[str] = []
    for arg in error.args:
        for entry in arg if isinstance(arg, list) else []:
            if isinstance(entry, tuple) and entry and entry[-1]:
                reasons.append(str(entry[-1]))
    detail = f": {', '.join(reasons)}" if reasons else ""
    return f"TLS with {name!r} failed{detail}"


def closed_error(reason: BaseException, message: str) -> HTTPStreamClosedError:
    """The error of an exchange whose connection went away."""
    error = HTTPStreamClosedError(message)
    error.__cause__ = reason
    return error
