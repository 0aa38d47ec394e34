"""Making connections: which endpoint a route needs, what addresses it may lead to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.endpoints import (
    HostnameEndpoint,
    TCP4ClientEndpoint,
    TCP6ClientEndpoint,
    UNIXClientEndpoint,
    wrapClientTLS,
)
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
    IStreamClientEndpoint,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from ._connection import HTTP1Connection
from ._errors import HTTPConnectError
from ._failures import connect_error
from ._proxy import TunnelEndpoint
from ._route import Route
from ._twisted import failure_of

if TYPE_CHECKING:
    from twisted.internet.interfaces import IReactorTime

AddressFilter = Callable[[str, str, int], bool]
"""``allow_address(host, ip, port)``: false forbids connecting to that address."""

HostMapping = Mapping["str | tuple[str, int] | tuple[str, int, bool]", "str | tuple[str, int]"]

# The endpoints' own limit for one attempt; connect_timeout is what really ends it.
_ATTEMPT_TIMEOUT = 600
_ATTEMPT_DELAY = 0.25


@implementer(IResolutionReceiver)
class _Filtering:
    """Passes on the addresses that may be used."""

    def __init__(
        self, receiver: IResolutionReceiver, allows: Callable[[str], bool], resolver: _Resolver
    ) -> None:
        self._receiver = receiver
        self._allows = allows
        self._resolver = resolver

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        self._receiver.resolutionBegan(resolutionInProgress)

    def addressResolved(self, address: IAddress) -> None:
        if self._allows(cast("IPv4Address | IPv6Address", address).host):
            self._receiver.addressResolved(address)
        else:
            self._resolver.refused = True

    def resolutionComplete(self) -> None:
        self._receiver.resolutionComplete()


@implementer(IHostnameResolver)
class _Resolver:
    """A name resolver that leaves out some addresses and remembers that it did."""

    def __init__(
        self, inner: IHostnameResolver, allows: Callable[[str], bool], families: Sequence[object]
    ) -> None:
        self._inner = inner
        self._allows = allows
        self._families = families
        self.refused = False

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        receiver = _Filtering(resolutionReceiver, self._allows, self)
        families = cast("Sequence[type[IAddress]] | None", self._families or addressTypes)
        return self._inner.resolveHostName(
            receiver, hostName, portNumber, families, transportSemantics
        )


@implementer(IReactorPluggableNameResolver)
class _ResolvingReactor:
    """The reactor, with another resolver; what HostnameEndpoint takes its resolver from."""

    def __init__(self, reactor: object, resolver: IHostnameResolver) -> None:
        self._reactor = reactor
        self.nameResolver = resolver

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        previous, self.nameResolver = self.nameResolver, resolver
        return previous

    def __getattr__(self, name: str) -> object:
        return getattr(self._reactor, name)


class _ConnectionFactory(Factory):
    noisy = False

    def __init__(self, route: Route) -> None:
        self._route = route

    def buildProtocol(self, addr: IAddress | None) -> HTTP1Connection:
        return HTTP1Connection(self._route)


class Connector:
    """Opens connections; names are resolved each time, nothing is cached here (CL-16)."""

    def __init__(
        self,
        reactor: IReactorTime,
        *,
        resolver: IHostnameResolver | None = None,
        hostname_mapping: HostMapping | None = None,
        allow_address: AddressFilter | None = None,
    ) -> None:
        self._reactor = reactor
        self._resolver = resolver
        self._mapping = hostname_mapping
        self._allow_address = allow_address

    def connect(self, route: Route) -> Deferred[HTTP1Connection]:
        """A connection ready to be used (after the TLS handshake).

        Fails with `HTTPConnectError` or one of its subclasses; cancelling gives up at once.
        """
        resolvers: list[_Resolver] = []
        try:
            endpoint = self._endpoint(route, resolvers)
        except Exception as error:
            return fail(connect_error(failure_of(error), route))

        def failed(failure: Failure) -> Failure:
            if resolvers and resolvers[0].refused:
                text = "allow_address forbids every address of the host"
                return failure_of(HTTPConnectError(text))
            return failure_of(connect_error(failure, route))

        def ready(connection: object) -> Deferred[HTTP1Connection]:
            return self._settled(_unwrapped(connection), route)

        return endpoint.connect(_ConnectionFactory(route)).addCallback(ready).addErrback(failed)

    @staticmethod
    def _settled(connection: HTTP1Connection, route: Route) -> Deferred[HTTP1Connection]:
        return succeed(connection) if route.tls is None else connection.secured()

    def _endpoint(self, route: Route, resolvers: list[_Resolver]) -> IStreamClientEndpoint:
        endpoint: IStreamClientEndpoint
        if route.unix_socket is not None:
            endpoint = UNIXClientEndpoint(  # type: ignore[no-untyped-call]
                self._reactor, route.unix_socket, _ATTEMPT_TIMEOUT
            )
        else:
            endpoint = self._tcp(route, resolvers)
        if route.tls is None:
            return endpoint
        if route.proxy is not None:
            shown = f"[{route.host}]" if ":" in route.host else route.host
            authority = f"{shown}:{route.port}"
            endpoint = TunnelEndpoint(endpoint, authority, route.proxy.authorization)
        from ._tls import connection_creator

        return wrapClientTLS(connection_creator(route.tls, route.port), endpoint)

    def _tcp(self, route: Route, resolvers: list[_Resolver]) -> IStreamClientEndpoint:
        host, port = route.host, route.port
        if route.proxy is not None:
            host, port = route.proxy.host, route.proxy.port
        host, port = self._mapped(host, port, route.tls is not None)
        interface = route.network_interface
        binding = None if interface is None else (interface, 0)
        address = _literal(host)
        if address is None:
            return self._named(host, port, route, resolvers)
        if self._allow_address is not None and not self._allow_address(host, address, port):
            raise HTTPConnectError(f"allow_address forbids {address}")
        if ":" in address:
            if not route.allow_ipv6:
                raise HTTPConnectError("allow_ipv6 is off and the host is an IPv6 address")
            return TCP6ClientEndpoint(  # type: ignore[no-untyped-call]
                self._reactor, host, port, _ATTEMPT_TIMEOUT, binding
            )
        return TCP4ClientEndpoint(self._reactor, host, port, _ATTEMPT_TIMEOUT, binding)

    def _named(
        self, host: str, port: int, route: Route, resolvers: list[_Resolver]
    ) -> IStreamClientEndpoint:
        reactor: object = self._reactor
        interface = route.network_interface
        families: Sequence[object] = ()
        if interface is not None:
            families = (IPv6Address,) if ":" in interface else (IPv4Address,)
        elif not route.allow_ipv6:
            families = (IPv4Address,)
        if self._resolver is not None or self._allow_address is not None or families:
            inner = self._resolver or cast(IReactorPluggableNameResolver, reactor).nameResolver

            def allows(ip: str) -> bool:
                return self._allow_address is None or self._allow_address(host, ip, port)

            resolvers.append(_Resolver(inner, allows, families))
            reactor = _ResolvingReactor(reactor, resolvers[0])
        binding = None if interface is None else (interface, 0)
        return HostnameEndpoint(
            reactor, host, port, _ATTEMPT_TIMEOUT, binding, attemptDelay=_ATTEMPT_DELAY
        )

    def _mapped(self, host: str, port: int, secure: bool) -> tuple[str, int]:
        """The place of the host in ``hostname_mapping``, looked up most specific first."""
        if self._mapping:
            for key in ((host, port, secure), (host, port), host):
                found = self._mapping.get(key)
                if found is not None:
                    return (found, port) if isinstance(found, str) else found
        return host, port


def _literal(host: str) -> str | None:
    """The address without its zone, when the host is one."""
    try:
        return str(ip_address(host.partition("%")[0]))
    except ValueError:
        return None


def _unwrapped(protocol: object) -> HTTP1Connection:
    """Our protocol, within the TLS one if there is that."""
    while not isinstance(protocol, HTTP1Connection):
        protocol = protocol.wrappedProtocol  # type: ignore[attr-defined]
    return protocol
