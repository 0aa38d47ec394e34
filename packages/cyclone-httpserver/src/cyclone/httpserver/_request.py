"""HTTPRequest: what a client asked for. Attributes are computed when first touched."""

from __future__ import annotations

import functools
import time
import uuid
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO

from cyclone.escape import parse_qs_bytes
from cyclone.httputil import (
    HTTPFile,
    HTTPHeaders,
    HTTPInputError,
    RequestStartLine,
    parse_cookie,
    split_host_and_port,
)

from ._forms import parse_body
from ._parser import field_pairs

if TYPE_CHECKING:
    from http.cookies import SimpleCookie

    from twisted.internet.defer import Deferred

    from ._body import Body
    from ._connection import HTTPConnection

_MAX_QUERY_FIELDS = 1000


class _Computed:
    """An attribute computed when first read, and kept in the instance's ``__dict__`` from then on.

    Not by ``__getattr__``: a class that has one pays for it with every read of every attribute.
    """

    __slots__ = ("_compute", "_name")

    def __init__(self, name: str, compute: Callable[[HTTPRequest], Any]) -> None:
        self._name = name
        self._compute = compute

    def __get__(self, request: HTTPRequest | None, owner: type) -> Any:
        if request is None:
            return self
        value = self._compute(request)
        request.__dict__[self._name] = value
        return value


class HTTPRequest:
    """One HTTP request.

    Made by the server; the constructor takes Tornado's arguments, so that tests can make one by
    hand. Every attribute may be assigned to. Those that need work are computed when first read:

    ``method``, ``uri`` (path and query as sent), ``path``, ``query``, ``version`` (``"HTTP/1.1"``),
    ``headers`` (`cyclone.httputil.HTTPHeaders`), ``body`` (bytes; a spooled body is read from its
    file), ``body_file`` (a binary file over the body), ``remote_ip``, ``protocol`` (``"http"`` or
    ``"https"``), ``host`` (with port), ``host_name`` (without), ``arguments``,
    ``query_arguments``, ``body_arguments`` (dict of lists of bytes), ``files`` (dict of lists of
    `cyclone.httputil.HTTPFile`), ``cookies`` (`http.cookies.SimpleCookie`), ``connection``,
    ``request_id`` (a random hexadecimal name), ``http_version`` (``(1, 1)``), ``tls`` (bool),
    ``client_cert``.

    ``parses_forms`` may be set to False by who is asked for the receiver of the body: then a
    multipart form that is too large for the memory is not taken apart, and ``body`` is what came.

    ``arguments`` and ``files`` raise `cyclone.httputil.HTTPInputError` if the query or the body
    is malformed or over a limit, the constructor if the query is.
    """

    __slots__ = (
        "__dict__",
        "__weakref__",
        "_body",
        "_expect_continue",
        "_fields",
        "_finish_time",
        "_finish_waiters",
        "_host",
        "_http10",
        "_keep_alive",
        "_length",
        "_path",
        "_raw",
        "_start_time",
        "connection",
        "method",
        "uri",
    )

    parses_forms: bool = True

    _body: Body | None
    _finish_waiters: list[Deferred[str | None]] | None
    _finish_time: float | None
    # Filled in by the parser
    _expect_continue: bool
    _fields: HTTPHeaders | None
    _host: str | None
    _http10: bool
    _keep_alive: bool
    _length: int
    _path: str | None
    _raw: bytes
    _start_time: float
    arguments: dict[str, list[bytes]]
    body: bytes
    body_arguments: dict[str, list[bytes]]
    body_file: BinaryIO
    connection: HTTPConnection
    cookies: SimpleCookie
    files: dict[str, list[HTTPFile]]
    host: str
    host_name: str
    method: str
    protocol: str
    query: str
    query_arguments: dict[str, list[bytes]]
    remote_ip: str
    request_id: str
    server_connection: object
    uri: str
    version: str

    def __init__(
        self,
        method: str | None = None,
        uri: str | None = None,
        version: str = "HTTP/1.0",
        headers: HTTPHeaders | Mapping[str, str] | None = None,
        body: bytes | None = None,
        remote_ip: str | None = None,
        protocol: str | None = None,
        host: str | None = None,
        files: dict[str, list[HTTPFile]] | None = None,
        connection: HTTPConnection | None = None,
        start_line: RequestStartLine | None = None,
        server_connection: object = None,
    ) -> None:
        if start_line is not None:
            method, uri, version = start_line
        self._body = self._finish_waiters = self._finish_time = None
        self._http10 = version == "HTTP/1.0"
        self._length = 0
        self._path = None
        self._raw = b""
        self._keep_alive = False
        self._start_time = time.monotonic()
        self.method = "GET" if method is None else method
        self.uri = "/" if uri is None else uri
        self.version = version
        self.headers = headers if isinstance(headers, HTTPHeaders) else HTTPHeaders(headers or {})
        self.body = body or b""
        self.connection = connection  # type: ignore[assignment]  # None in tests only
        if connection is None:
            self.remote_ip = "127.0.0.1" if remote_ip is None else remote_ip
            self.protocol = "http" if protocol is None else protocol
        if remote_ip is not None:
            self.remote_ip = remote_ip
        if protocol is not None:
            self.protocol = protocol
        self.host = host or self.headers.get("Host") or "127.0.0.1"
        if files is not None:
            self.files = files
        self.server_connection = server_connection
        if "?" in self.uri:
            self.query_arguments = _query_arguments(self)

    @property
    def headers(self) -> HTTPHeaders:
        """The header fields, decoded when first asked for."""
        fields = self._fields
        if fields is None:
            fields = self._fields = HTTPHeaders.from_raw(field_pairs(self._raw))
        return fields

    @headers.setter
    def headers(self, headers: HTTPHeaders) -> None:
        self._fields = headers

    @property
    def path(self) -> str:
        """What of ``uri`` comes before the query."""
        path = self._path
        if path is None:
            path = self._path = self.uri.partition("?")[0]
        return path

    @path.setter
    def path(self, path: str) -> None:
        self._path = path

    def __repr__(self) -> str:
        # No headers and no body: a repr ends in logs (LG-03)
        described = ", ".join(
            f"{name}={getattr(self, name, None)!r}"
            for name in ("protocol", "host", "method", "uri", "version", "remote_ip")
        )
        return f"{type(self).__name__}({described})"

    def has_header(self, name: str) -> bool:
        """Whether the client sent this field; unlike ``headers`` it decodes none of them."""
        if self._raw:
            return self._raw.lower().find(_needle(name)) >= 0
        return name in self.headers

    def get_header(self, name: str) -> str | None:
        """What ``headers.get(name)`` gives; unlike ``headers`` it decodes only that field."""
        fields = self._fields
        if fields is not None:
            return fields.get(name)
        raw = self._raw
        lower = raw.lower()
        needle = _needle(name)
        start = lower.find(needle)
        if start < 0:
            return None
        start += len(needle)
        if lower.find(needle, start) >= 0:
            return self.headers.get(name)
        return raw[start : raw.find(b"\r\n", start)].decode("latin-1").strip(" \t")

    def full_url(self) -> str:
        """The URL that was asked for: scheme and host as far as they are known, then ``uri``."""
        return f"{self.protocol}://{self.host}{self.uri}"

    def request_time(self) -> float:
        """Seconds from the arrival of the request to its end, or to now while it is running."""
        end = self._finish_time
        return (self._clock() if end is None else end) - self._start_time

    def _clock(self) -> float:
        """The time by the clock that the request's arrival was read from."""
        server = getattr(getattr(self, "connection", None), "server", None)
        return time.monotonic() if server is None else float(server.monotonic())

    def supports_http_1_1(self) -> bool:
        """Whether the client speaks HTTP/1.1."""
        return self.version != "HTTP/1.0"

    @property
    def http_version(self) -> tuple[int, int]:
        """The version as numbers: ``(1, 1)`` or ``(1, 0)``."""
        major, _, minor = self.version.removeprefix("HTTP/").partition(".")
        return int(major), int(minor or 0)

    @property
    def tls(self) -> bool:
        """Whether the connection itself is encrypted (a proxy in front does not count)."""
        connection = getattr(self, "connection", None)
        return connection is not None and connection.tls

    @property
    def client_cert(self) -> dict[str, Any] | None:
        """The certificate the client showed, as `get_ssl_certificate` describes it, or None."""
        found = self.get_ssl_certificate()
        return found if isinstance(found, dict) else None

    def get_ssl_certificate(self, binary_form: bool = False) -> dict[str, Any] | bytes | None:
        """The client's certificate: a dict as `ssl.SSLSocket.getpeercert` gives it, or DER bytes.

        None without TLS or without a certificate; clients show one only if the TLS context of the
        server asks for it.
        """
        connection = getattr(self, "connection", None)
        if connection is None or not connection.tls:
            return None
        from ._tls import peer_certificate

        return peer_certificate(connection.transport, binary_form)

    def notifyFinish(self) -> Deferred[str | None]:
        """A Deferred for the end of the request; each caller gets its own.

        It fires with None when the response was handed over, or with the reason, a string, when
        the client went away first. It never errbacks.
        """
        from twisted.internet.defer import Deferred

        waiter: Deferred[str | None] = Deferred()
        if self._finish_waiters is None:
            self._finish_waiters = []
        self._finish_waiters.append(waiter)
        return waiter

    def write(self, chunk: bytes | str) -> Deferred[None]:
        """Send ``chunk`` to the client, as `HTTPConnection.write` does.

        Without a `HTTPConnection.write_headers` before it, the chunk is (the beginning of) a raw
        HTTP response, status line and all. RuntimeError if this request is no longer the one
        being answered.
        """
        return self._answering().write(chunk.encode() if isinstance(chunk, str) else chunk)

    def finish(self) -> Deferred[None]:
        """End the response, as `HTTPConnection.finish` does. RuntimeError as in `write`."""
        return self._answering().finish()

    def _answering(self) -> HTTPConnection:
        connection: HTTPConnection | None = getattr(self, "connection", None)
        if connection is None or connection.request is not self:
            raise RuntimeError("This request is not (or no longer) the one being answered")
        return connection

    def _finished(self, reason: str | None) -> None:
        """The server is done with the request; release what it held."""
        self._finish_time = self._clock()
        waiters, self._finish_waiters = self._finish_waiters, None
        if waiters is not None:
            for waiter in waiters:
                waiter.callback(reason)


@functools.lru_cache(256)
def _needle(name: str) -> bytes:
    return f"\r\n{name.lower()}:".encode("latin-1")


def fill(request: HTTPRequest, connection: HTTPConnection, now: float) -> None:
    """Complete a request whose head was parsed; what is not set here is computed when touched."""
    request._body = request._finish_waiters = request._finish_time = None
    request._fields = request._path = None
    request._start_time = now
    request.connection = connection


def _version(request: HTTPRequest) -> str:
    return "HTTP/1.0" if request._http10 else "HTTP/1.1"


def _query(request: HTTPRequest) -> str:
    return request.uri.partition("?")[2]


def _host(request: HTTPRequest) -> str:
    connection = request.connection
    if connection.server.proxy_rules is not None:
        host = connection.server.proxy_rules.host(request.headers, connection.peer_ip)
        if host is not None:
            return host
    return request._host or "127.0.0.1"


def _host_name(request: HTTPRequest) -> str:
    return split_host_and_port(request.host.lower())[0]


def _remote_ip(request: HTTPRequest) -> str:
    connection = request.connection
    proxy = connection.server.proxy_rules
    if proxy is None:
        return connection.peer_ip
    return proxy.remote_ip(request.headers, connection.peer_ip)


def _protocol(request: HTTPRequest) -> str:
    connection = request.connection
    proxy = connection.server.proxy_rules
    if proxy is None:
        return connection.protocol
    return proxy.protocol(request.headers, connection.peer_ip, connection.protocol)


def _body(request: HTTPRequest) -> bytes:
    body = request._body
    return b"" if body is None else body.read()


def _body_file(request: HTTPRequest) -> BinaryIO:
    body = request._body
    if body is not None:
        return body.open()
    import io

    return io.BytesIO(request.body)


def _query_arguments(request: HTTPRequest) -> dict[str, list[bytes]]:
    query = request.query
    if not query:
        return {}
    raw = query.encode("latin-1")
    try:
        return parse_qs_bytes(raw, keep_blank_values=True, max_num_fields=_MAX_QUERY_FIELDS)
    except ValueError:
        raise HTTPInputError("Invalid query: Max number of fields exceeded") from None


def _parsed_body(request: HTTPRequest, wanted: str) -> Any:
    """Parse a form or multipart body; sets both results, returns the one that was asked for."""
    arguments, files = parse_body(request)
    if wanted == "files":
        request.body_arguments = arguments
        return files
    request.files = files
    return arguments


def _arguments(request: HTTPRequest) -> dict[str, list[bytes]]:
    merged = {name: list(values) for name, values in request.query_arguments.items()}
    for name, values in request.body_arguments.items():
        merged.setdefault(name, []).extend(values)
    return merged


def _cookies(request: HTTPRequest) -> SimpleCookie:
    from http.cookies import CookieError, SimpleCookie

    cookies = SimpleCookie()
    if "Cookie" in request.headers:
        for name, value in parse_cookie(request.headers["Cookie"]).items():
            try:
                cookies[name] = value
            except CookieError:
                continue
    return cookies


_COMPUTED = {
    "arguments": _arguments,
    "body": _body,
    "body_arguments": lambda request: _parsed_body(request, "body_arguments"),
    "body_file": _body_file,
    "cookies": _cookies,
    "files": lambda request: _parsed_body(request, "files"),
    "host": _host,
    "host_name": _host_name,
    "protocol": _protocol,
    "query": _query,
    "query_arguments": _query_arguments,
    "remote_ip": _remote_ip,
    "request_id": lambda request: uuid.uuid4().hex,
    "server_connection": lambda request: request.connection,
    "version": _version,
}
for _name, _compute in _COMPUTED.items():
    setattr(HTTPRequest, _name, _Computed(_name, _compute))
