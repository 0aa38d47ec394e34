"""Proxies: which requests use one, and the CONNECT tunnel for https.

Nothing is read from the environment (CL-21, httpoxy): a proxy is an option or there is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address, ip_network
from typing import NamedTuple, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
    ITransport,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from ._auth import basic_credentials
from ._errors import HTTPClientError, HTTPProxyError
from ._parser import END, ProtocolError, ResponseHead, ResponseParser
from ._settings import Settings
from ._twisted import StreamTransport
from ._url import Target, parse_url

MAX_TUNNEL_ANSWER = 16 * 1024


class Proxy(NamedTuple):
    """An HTTP proxy, and the value of ``Proxy-Authorization`` for it."""

    host: str
    port: int
    authorization: str | None = None


def split_proxy(value: object) -> list[tuple[str, object]]:
    """The ``proxy=`` option, ``(host, port)`` or a URL, as Tornado's options.

    :raises ValueError: for another form, or another scheme than http.
    """
    if isinstance(value, str):
        target = parse_url(value if "://" in value else f"http://{value}")
        if target.scheme != "http":
            raise ValueError("a proxy is spoken to in http: TLS to the proxy is not supported")
        options: list[tuple[str, object]] = [
            ("proxy_host", target.host),
            ("proxy_port", target.port),
        ]
        if target.username is not None:
            options.append(("proxy_username", target.username))
            options.append(("proxy_password", target.password))
        return options
    try:
        host, port = cast("tuple[str, int]", value)
    except (TypeError, ValueError):
        raise ValueError("proxy is (host, port) or a URL") from None
    return [("proxy_host", host), ("proxy_port", port)]


def proxy_for(target: Target, settings: Settings) -> Proxy | None:
    """The proxy that the request goes through, if any.

    :raises ValueError: when only one of host and port is given, or for an unknown auth mode.
    """
    if settings.proxy_host is None or settings.proxy_port is None:
        raise ValueError("proxy_host and proxy_port need each other")
    if settings.proxy_auth_mode not in (None, "basic"):
        raise ValueError("proxy_auth_mode can only be 'basic'")
    if settings.no_proxy is not None and bypasses(target, settings.no_proxy):
        return None
    authorization = None
    if settings.proxy_username is not None:
        authorization = basic_credentials(settings.proxy_username, settings.proxy_password or "")
    proxy = parse_url(f"http://{settings.proxy_host}:{settings.proxy_port}")
    return Proxy(proxy.host, proxy.port, authorization)


def bypasses(target: Target, rules: str | Iterable[str]) -> bool:
    """Whether a rule of ``no_proxy`` names the target.

    A rule is ``*``, a host (its subdomains too, with or without a leading dot), either with a
    ``:port``, an address, or a network as ``10.0.0.0/8``. A string holds several with commas.
    """
    if isinstance(rules, str):
        rules = rules.split(",")
    return any(_names(rule.strip().lower(), target) for rule in rules)


def _names(rule: str, target: Target) -> bool:
    if not rule:
        return False
    if rule == "*":
        return True
    if "/" in rule:
        return target.is_ip and _in_network(rule, target.host)
    name, _, port = rule.rpartition(":")
    if name and port.isdigit() and (":" not in name or name.endswith("]")):
        if int(port) != target.port:
            return False
        rule = name
    rule = rule.strip("[]").removeprefix("*").strip(".")
    host = target.host.rstrip(".")
    return host == rule or (not target.is_ip and host.endswith("." + rule))


def _in_network(rule: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(rule, strict=False)
    except ValueError:
        return False


class _Tunnel(Protocol):
    """Asks the proxy for a tunnel, then passes bytes between transport and inner protocol."""

    transport: StreamTransport  # type: ignore[assignment]

    def __init__(self, request: bytes, opened: Deferred[_Tunnel]) -> None:
        self._request = request
        self._opened: Deferred[_Tunnel] | None = opened
        self._parser = ResponseParser(MAX_TUNNEL_ANSWER)
        self.inner: IProtocol | None = None

    def connectionMade(self) -> None:
        self._parser.start("CONNECT")
        self.transport.write(self._request)

    def dataReceived(self, data: bytes) -> None:
        if self.inner is not None:
            self.inner.dataReceived(data)
        elif self._opened is not None:
            try:
                self._parser.feed(data)
                self._read_answer()
            except ProtocolError as error:
                self._fail(HTTPProxyError(f"the proxy did not answer in HTTP: {error}"))

    def _read_answer(self) -> None:
        while (event := self._parser.next_event()) is not None:
            if isinstance(event, ResponseHead) and event.code >= 200:
                if event.code >= 300:
                    self._fail(_refusal(event.code, event.reason))
                    return
            elif event is END:
                if self._parser.take_rest():
                    self._fail(HTTPProxyError("the proxy sent bytes before the tunnel was used"))
                    return
                opened, self._opened = self._opened, None
                if opened is not None:
                    opened.callback(self)
                return

    def _fail(self, error: HTTPClientError) -> None:
        opened, self._opened = self._opened, None
        self.transport.abortConnection()
        if opened is not None:
            opened.errback(error)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        if self.inner is not None:
            self.inner.connectionLost(reason)
        elif self._opened is not None:
            self._fail(HTTPProxyError("the proxy closed the connection before the tunnel stood"))


def _refusal(code: int, reason: str) -> HTTPProxyError:
    hint = " (credentials are missing or wrong)" if code == 407 else ""
    shown = reason.encode("ascii", "backslashreplace").decode("ascii")[:100]
    return HTTPProxyError(f"the proxy refused the tunnel: {code} {shown}{hint}", code)


class _TunnelFactory(Factory):
    noisy = False

    def __init__(self, request: bytes, opened: Deferred[_Tunnel]) -> None:
        self._request = request
        self._opened = opened

    def buildProtocol(self, addr: IAddress | None) -> _Tunnel:
        return _Tunnel(self._request, self._opened)


@implementer(IStreamClientEndpoint)
class TunnelEndpoint:
    """A connection to ``authority`` through a proxy that ``endpoint`` reaches."""

    def __init__(
        self, endpoint: IStreamClientEndpoint, authority: str, authorization: str | None
    ) -> None:
        self._endpoint = endpoint
        lines = [f"CONNECT {authority} HTTP/1.1", f"Host: {authority}"]
        if authorization is not None:
            lines.append(f"Proxy-Authorization: {authorization}")
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """Connect to the proxy, open the tunnel, and give the protocol at this end of it."""
        tunnels: list[_Tunnel] = []

        def cancel(_: object) -> None:
            if tunnels:
                tunnels[0].transport.abortConnection()

        opened: Deferred[_Tunnel] = Deferred(cancel)

        def connected(tunnel: IProtocol) -> Deferred[_Tunnel]:
            tunnels.append(cast(_Tunnel, tunnel))
            return opened

        def ready(tunnel: _Tunnel) -> IProtocol:
            inner = protocolFactory.buildProtocol(tunnel.transport.getPeer())
            if inner is None:
                tunnel.transport.abortConnection()
                raise HTTPProxyError("the connection was given up")
            tunnel.inner = inner
            inner.makeConnection(cast(ITransport, tunnel.transport))
            return inner

        connecting = self._endpoint.connect(_TunnelFactory(self._request, opened))
        return connecting.addCallback(connected).addCallback(ready)
