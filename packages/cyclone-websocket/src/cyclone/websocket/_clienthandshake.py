"""The handshake from the client's side: from a URL to the head of the server's answer."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from cyclone.httpclient import (
    HTTPError,
    HTTPRequest,
    HTTPResponse,
    HTTPStreamClosedError,
    HTTPTLSError,
)
from cyclone.httputil import HTTPHeaders, HTTPInputError

from . import _handshake as handshake
from ._errors import WebSocketError

if TYPE_CHECKING:
    from ._compression import Deflate, DeflateOffer

#: Of the server's answer; more of it is refused.
MAX_HEAD = 65536
#: Of the body of an answer that is no WebSocket.
MAX_BODY = 65536
#: Of the answers with a status below 200 that may come before.
MAX_INTERIM = 10

_status_line = re.compile(r"HTTP/1\.[01] ([0-9]{3})(?: ([\t\x20-\x7e\x80-\xff]*))?").fullmatch
_SCHEMES = {"ws": 80, "wss": 443, "http": 80, "https": 443}


class Target(NamedTuple):
    """Where a ``ws`` or ``wss`` URL leads."""

    secure: bool
    host: str
    port: int
    #: The ``Host`` header.
    netloc: str
    #: Path and query as they are sent.
    resource: str
    credentials: str | None


def parse_url(url: str) -> Target:
    """Take a URL apart (RFC 6455 section 3). ValueError if it is not one of a WebSocket."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    if scheme not in _SCHEMES:
        raise ValueError(f"The URL of a WebSocket begins with ws:// or wss://, not {scheme!r}")
    if not parts.hostname:
        raise ValueError("The URL has no host")
    if parts.fragment:
        raise ValueError("The URL of a WebSocket has no fragment")
    default = _SCHEMES[scheme]
    port = parts.port or default
    host = parts.hostname
    if not host.isascii():
        host = host.encode("idna").decode("ascii")
    netloc = f"[{host}]" if ":" in host else host
    if port != default:
        netloc += f":{port}"
    resource = parts.path or "/"
    if parts.query:
        resource += "?" + parts.query
    resource = quote(resource, safe="/?:@!$&'()*+,;=%-._~#[]|")
    credentials = None
    if parts.username is not None:
        credentials = f"{parts.username}:{parts.password or ''}"
    return Target(scheme in ("wss", "https"), host, port, netloc, resource, credentials)


class Offer:
    """What a client asks for, and what it makes of the answer."""

    def __init__(
        self,
        target: Target,
        request: HTTPRequest,
        subprotocols: Sequence[str],
        compression: DeflateOffer | None,
    ) -> None:
        self.request = request
        self._subprotocols = subprotocols
        self._compression = compression
        self._key = handshake.new_key()
        self._target = target

    def head(self) -> bytes:
        """The request as it is sent. ValueError for headers that cannot be."""
        headers = HTTPHeaders({"Host": self._target.netloc})
        for name, value in self.request.headers.get_all():
            if name in _OURS:
                continue
            if name == "Host":
                headers["Host"] = value
            else:
                headers.add(name, value)
        headers["Upgrade"] = "websocket"
        headers["Connection"] = "Upgrade"
        headers["Sec-WebSocket-Key"] = self._key
        headers["Sec-WebSocket-Version"] = handshake.VERSION
        if self._subprotocols:
            headers["Sec-WebSocket-Protocol"] = ", ".join(self._subprotocols)
        if self._compression is not None:
            headers["Sec-WebSocket-Extensions"] = self._compression.header()
        credentials = self._credentials()
        if credentials is not None and "Authorization" not in headers:
            encoded = base64.b64encode(credentials.encode()).decode("ascii")
            headers["Authorization"] = f"Basic {encoded}"
        line = f"GET {self._target.resource} HTTP/1.1\r\n"
        return line.encode("ascii") + headers.wire() + b"\r\n"

    def _credentials(self) -> str | None:
        user = self.request.auth_username
        if user is not None:
            return f"{user}:{self.request.auth_password or ''}"
        return self._target.credentials

    def check(self, headers: HTTPHeaders) -> tuple[str | None, Deflate | None]:
        """The subprotocol and the compression the server chose.

        `WebSocketError` if its answer is not one to this offer.
        """
        handshake.check_answer(headers, self._key)
        subprotocol = handshake.chosen_subprotocol(headers, self._subprotocols)
        values = headers.get_list("Sec-WebSocket-Extensions")
        if not values:
            return subprotocol, None
        if self._compression is None:
            raise WebSocketError("The server chose an extension that was not offered")
        return subprotocol, self._compression.answer(values)


_OURS = frozenset(
    (
        "Connection",
        "Upgrade",
        "Sec-Websocket-Key",
        "Sec-Websocket-Version",
        "Sec-Websocket-Extensions",
    )
)


class ClientHandshake(Protocol):
    """Sends the request, and reads the answer of the server."""

    def __init__(
        self,
        offer: Offer,
        accepted: Callable[[ClientHandshake, HTTPHeaders, bytes], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._offer = offer
        self._accepted = accepted
        self._failed = failed
        self._buffer = bytearray()
        self._searched = 0
        self._interim = 0
        self._answer: tuple[int, str, HTTPHeaders] | None = None
        self._over = False

    def connectionMade(self) -> None:
        """Twisted: connected."""
        transport: Any = self.transport
        set_nodelay = getattr(transport, "setTcpNoDelay", None)
        if set_nodelay is not None:
            set_nodelay(True)
        transport.write(self._offer.head())

    def dataReceived(self, data: bytes) -> None:
        """Twisted: bytes of the answer."""
        if self._over:
            return
        self._buffer += data
        try:
            if not self._read_heads():
                return
            self._read_body()
        except (WebSocketError, HTTPInputError, ValueError) as error:
            self._fail(error if isinstance(error, WebSocketError) else WebSocketError(str(error)))

    def _read_heads(self) -> bool:
        """Whether the whole head of the final answer is there, behind some interim ones."""
        while self._answer is None:
            if not self._read_head():
                return False
        return True

    def _read_head(self) -> bool:
        """Read one head; whether it is all there."""
        end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if end > MAX_HEAD or (end < 0 and len(self._buffer) > MAX_HEAD):
            raise WebSocketError("The head of the server's answer is too large")
        if end < 0:
            return False
        line, _, fields = self._buffer[:end].decode("latin-1").partition("\r\n")
        del self._buffer[: end + 4]
        self._searched = 0
        match = _status_line(line)
        if match is None:
            raise WebSocketError("The server's answer is not HTTP/1.1")
        status = int(match[1])
        headers = HTTPHeaders.parse(fields)
        if 100 <= status < 200 and status != 101:
            self._interim += 1
            if self._interim > MAX_INTERIM:
                raise WebSocketError(f"The server sent more than {MAX_INTERIM} interim answers")
        else:
            self._answer = status, match[2] or "", headers
        return True

    def _read_body(self) -> None:
        if self._answer is None:
            return
        status, _, headers = self._answer
        if status == 101:
            rest = bytes(self._buffer)
            self._over = True
            self._accepted(self, headers, rest)
            return
        length = headers.get("Content-Length", "")
        wanted = int(length) if length.isascii() and length.isdigit() else MAX_BODY
        if len(self._buffer) >= min(wanted, MAX_BODY):
            self._refused()

    def _refused(self) -> None:
        """The answer is complete, and is no WebSocket."""
        if self._answer is None:
            return
        status, reason, headers = self._answer
        body = bytes(self._buffer[:MAX_BODY])
        if 200 <= status < 300:
            self._fail(WebSocketError("Non-websocket response"))
            return
        response = HTTPResponse(self._offer.request, status, headers, body, reason=reason or None)
        self._fail(HTTPError(status, reason or None, response))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Twisted: the connection is gone."""
        if self._over:
            return
        if self._answer is not None:
            self._refused()
        else:
            self._fail(_lost(reason.value))

    def _fail(self, error: BaseException) -> None:
        self._over = True
        self.drop()
        self._failed(error)

    def drop(self) -> None:
        """Close the connection."""
        self._over = True
        transport: Any = self.transport
        if transport is not None:
            transport.abortConnection()


def _lost(cause: BaseException | None) -> BaseException:
    """What to call a connection that ended before the answer."""
    if type(cause).__module__.startswith(("OpenSSL", "service_identity")):
        error: BaseException = HTTPTLSError(f"The TLS handshake failed: {cause!r}")
    else:
        error = HTTPStreamClosedError("The server closed during the handshake")
    error.__cause__ = cause
    return error
