"""The head of a request as bytes, and the framing of its body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclone.httputil import HTTPHeaders

from ._body import Body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ._route import Route
    from ._settings import Settings
    from ._url import Target

USER_AGENT = "Cyclone/2"
BODY_METHODS = frozenset(("POST", "PUT", "PATCH"))
KNOWN_METHODS = frozenset(("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS"))


class WireRequest:
    """A request ready for a connection. ``headers`` hold neither ``Host`` nor framing fields."""

    __slots__ = (
        "body",
        "close",
        "connect_timeout",
        "content",
        "head",
        "headers",
        "host",
        "length",
        "method",
        "route",
        "target",
        "wait_for_continue",
    )

    def __init__(
        self,
        method: str,
        target: Target,
        route: Route,
        headers: HTTPHeaders,
        content: bytes | Body | None,
        *,
        connect_timeout: float,
        wait_for_continue: bool = False,
    ) -> None:
        self.method = method
        self.target = target
        self.route = route
        self.connect_timeout = connect_timeout
        self.close = False
        self.headers = headers
        self.content = content
        self.length: int | None = None
        self.body: Body | None = None
        self.wait_for_continue = wait_for_continue and content is not None
        self.host: str | None = headers.pop("Host") if "Host" in headers else None
        self.head = self._make_head(content)

    @property
    def repeatable(self) -> bool:
        """Whether it can be sent again as it was; a body goes back to its start for it."""
        return self.body is None or self.body.rewind()

    def _make_head(self, content: bytes | Body | None) -> bytes:
        framing = self._framing(content)
        target = self.target
        route = self.route
        if route.proxy is not None and route.tls is not None:
            # Meant for the proxy, which only sees the CONNECT: the origin must not get it.
            self.headers.pop("Proxy-Authorization", None)
        headers = self.headers.wire()
        tail = b"\r\n"
        if isinstance(content, bytes):
            if self.wait_for_continue:
                self.body = BytesBody(content)
            else:
                tail += content
        else:
            self.body = content
        method = self.method.encode("ascii")
        if self.host is None and route.proxy is None:
            return b"".join((method, target.prefix, headers, framing, tail))
        return b"".join((method, self._other_prefix(), headers, framing, tail))

    def _other_prefix(self) -> bytes:
        """Request line and Host for a plain proxy (RFC 9112, 3.2.2), or with a Host of its own."""
        target, proxy = self.target, self.route.proxy
        path = target.path
        extra = ""
        if proxy is not None and self.route.tls is None:
            path = f"http://{target.host_header}{path}"
            if proxy.authorization is not None:
                self.headers.pop("Proxy-Authorization", None)
                extra = f"Proxy-Authorization: {proxy.authorization}\r\n"
        host = target.host_header if self.host is None else self.host
        return f" {path} HTTP/1.1\r\nHost: {host}\r\n{extra}".encode("latin-1")

    def _framing(self, content: bytes | Body | None) -> bytes:
        """``Content-Length`` or ``Transfer-Encoding``: what the body is, not what a header says.

        :raises ValueError: when the caller's own framing fields contradict that.
        """
        headers = self.headers
        declared = headers.pop("Content-Length", None)
        coding = headers.pop("Transfer-Encoding", None)
        if declared is not None and not (declared.isascii() and declared.isdigit()):
            raise ValueError("the Content-Length is not a number")
        if coding is not None and (coding.lower() != "chunked" or declared is not None):
            raise ValueError("a request has Content-Length or Transfer-Encoding: chunked, not both")
        if content is None:
            if declared not in (None, "0"):
                raise ValueError("a Content-Length was given but no body")
            return b"Content-Length: 0\r\n" if self.method in BODY_METHODS else b""
        length = len(content) if isinstance(content, bytes) else content.length
        if length is None and declared is not None:
            length = int(declared)
        if declared is not None and int(declared) != length:
            raise ValueError("the Content-Length is not the length of the body")
        self.length = length
        if length is None:
            return b"Transfer-Encoding: chunked\r\n"
        return b"Content-Length: %d\r\n" % length


class BytesBody:
    """A body in memory that waits for ``100 Continue``."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length: int | None = len(data)

    def rewind(self) -> bool:
        """Always."""
        return True

    async def send(self, write: object) -> None:
        """Write it at once."""
        await write(self._data)  # type: ignore[operator]


def default_headers(headers: HTTPHeaders, settings: Settings, accept: str | None) -> HTTPHeaders:
    """A copy of the headers with ``User-Agent`` and ``Accept-Encoding`` where they are missing."""
    result = headers.copy()
    if settings.user_agent is not None:
        result["User-Agent"] = settings.user_agent
    elif "User-Agent" not in result:
        result["User-Agent"] = USER_AGENT
    if accept is not None and "Accept-Encoding" not in result:
        result["Accept-Encoding"] = accept
    return result


def with_missing(headers: HTTPHeaders, more: Mapping[str, str]) -> HTTPHeaders:
    """A copy of the headers with those of *more* that they lack."""
    result = headers.copy()
    for name, value in more.items():
        if name not in result:
            result[name] = value
    return result
