"""What can go wrong with a fetch, one class for each kind of failure.

Tornado's three names are the trunk (code 599 means that no usable response came); the others are
their subclasses, so that code written for Tornado catches them too. The exception of the layer
below is always the ``__cause__``, never what the caller gets.
"""

from __future__ import annotations

import errno as _errno
import socket
import ssl
from typing import TYPE_CHECKING

from cyclone.httputil import responses

if TYPE_CHECKING:
    from ._response import HTTPResponse


class HTTPClientError(Exception):
    """A request that was not successful.

    ``code`` (also ``status_code``) is the status of the response, 599 when there is none;
    ``message`` its reason; ``response`` the :class:`HTTPResponse` if one came.
    """

    def __init__(
        self, code: int, message: str | None = None, response: HTTPResponse | None = None
    ) -> None:
        self.code = code
        self.message: str = message or responses.get(code, "Unknown")
        self.response = response
        super().__init__(code, message, response)

    @property
    def status_code(self) -> int:
        """The same as ``code``, the spelling of ``cyclone.web.HTTPError``."""
        return self.code

    def __str__(self) -> str:
        return f"HTTP {self.code}: {self.message}"

    # The response refers back to its error: the default repr would go round in circles.
    __repr__ = __str__


HTTPError = HTTPClientError


class _WithoutStatus(HTTPClientError):
    """No response came: the code 599 says nothing, the message all."""

    def __str__(self) -> str:
        return self.message

    def __repr__(self) -> str:
        return self.message


class HTTPTimeoutError(_WithoutStatus):
    """A deadline passed.

    ``phase`` says what was going on: ``"queue"``, ``"connect"`` or ``"request"``; ``option`` names
    the setting that fired (``connect_timeout`` or ``request_timeout``), ``seconds`` its value.
    """

    def __init__(
        self,
        message: str | None = None,
        *,
        phase: str | None = None,
        option: str | None = None,
        seconds: float | None = None,
    ) -> None:
        super().__init__(599, message or "Timeout")
        self.phase = phase
        self.option = option
        self.seconds = seconds


class HTTPStreamClosedError(_WithoutStatus):
    """The exchange ended before its response did."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(599, message or "Stream closed")


class HTTPProtocolError(HTTPStreamClosedError):
    """The peer sent what is not HTTP/1.x, or framed it so that two readers could differ."""


class HTTPResponseTooLargeError(HTTPStreamClosedError):
    """The response went over ``max_body_size`` (after decompression) or ``max_header_size``."""


class HTTPConnectError(_WithoutStatus, OSError):
    """No connection could be made: the name is unknown, or nobody answers, or TLS failed.

    Also an :exc:`OSError`, as what Tornado raises here; ``errno`` is the system's number, if the
    system refused.
    """

    def __init__(self, message: str, errno: int | None = None) -> None:
        HTTPClientError.__init__(self, 599, message)
        # OSError takes the first argument for it, which is 599
        self.errno = errno


class HTTPConnectionRefusedError(HTTPConnectError, ConnectionRefusedError):
    """Nobody listens there. Also Python's own :exc:`ConnectionRefusedError`."""

    def __init__(self, message: str, errno: int | None = _errno.ECONNREFUSED) -> None:
        super().__init__(message, errno)


class HTTPResolveError(HTTPConnectError, socket.gaierror):
    """The name of the host has no address. Also a :exc:`socket.gaierror`."""

    def __init__(self, message: str, errno: int | None = socket.EAI_NONAME) -> None:
        super().__init__(message, errno)


class HTTPTLSError(HTTPConnectError, ssl.SSLError):
    """The TLS handshake failed, or the certificate is not what ``validate_cert`` asks for.

    Also an :exc:`ssl.SSLError`.
    """


class HTTPProxyError(HTTPConnectError):
    """The proxy refused the tunnel; ``proxy_code`` is the status it gave, if any."""

    def __init__(self, message: str, proxy_code: int | None = None) -> None:
        super().__init__(message)
        self.proxy_code = proxy_code


class OptionConflictError(TypeError, ValueError):
    """One option was given under two names, or two options exclude each other."""
