"""Who asked: the address of the peer, or what a proxy that is believed says about it."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, Final

from cyclone.httputil import (
    HTTPHeaders,
    HTTPInputError,
    forwarded_address,
    parse_forwarded,
    validate_host,
)

from ._options import ServerOptions

_MAX_HOPS: Final = 100


def peer_address(transport: Any) -> str:
    """The peer's address as text.

    An IPv4 address mapped into IPv6 is given as IPv4; a UNIX socket as ``unix:`` and its path.
    """
    peer = transport.getPeer()
    host = getattr(peer, "host", None)
    if isinstance(host, str):
        return plain_address(host)
    return _unix_name(peer) or _unix_name(transport.getHost()) or "unix:"


def plain_address(host: str) -> str:
    """``::ffff:192.0.2.1`` is 192.0.2.1, however it came in; a zone is taken off."""
    host = host.partition("%")[0]
    if host.startswith("::ffff:"):
        mapped = getattr(ip_address(host), "ipv4_mapped", None)
        if mapped is not None:
            return str(mapped)
    return host


def _unix_name(address: Any) -> str | None:
    name = getattr(address, "name", None)
    if not name:
        return None
    if isinstance(name, bytes):
        name = name.decode("utf-8", "backslashreplace")
    return f"unix:{name}"


class TrustedPeers:
    """Peers that are believed: addresses, networks, or ``unix:`` for any UNIX socket."""

    def __init__(self, entries: tuple[str, ...]) -> None:
        self._unix = any(entry.startswith("unix:") for entry in entries)
        self._networks: list[IPv4Network | IPv6Network] = [
            ip_network(entry, strict=False) for entry in entries if not entry.startswith("unix:")
        ]

    def __contains__(self, address: str) -> bool:
        if address.startswith("unix:"):
            return self._unix
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)


class ProxyRules:
    """What is believed of ``X-Real-Ip``, ``X-Forwarded-*``, ``X-Scheme`` and ``Forwarded``.

    With ``trusted_downstream`` only what those peers sent, and of a list of addresses the last
    one that is not theirs; without, what anybody sent (so nobody may reach the server but
    through the proxy).
    """

    def __init__(self, options: ServerOptions) -> None:
        trusted = options.trusted_downstream
        self._trusted = None if trusted is None else TrustedPeers(trusted)
        self._with_host = options.xheaders_host

    def believes(self, peer: str) -> bool:
        """Whether what this peer says of the client counts."""
        return self._trusted is None or peer in self._trusted

    def remote_ip(self, headers: HTTPHeaders, peer: str) -> str:
        """The address of the client."""
        if not self.believes(peer):
            return peer
        real = headers.get("X-Real-Ip")
        if real is not None:
            address = forwarded_address(real)
            if address is not None:
                return plain_address(address)
        listed = headers.get("X-Forwarded-For")
        if listed is not None:
            hops = listed.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]
        else:
            hops = [element.get("for", "") for element in self._forwarded(headers)]
        return self._nearest_unknown(hops, peer)

    def _nearest_unknown(self, hops: list[str], peer: str) -> str:
        """From the right: past our own proxies; what is no address ends what can be believed."""
        found = peer
        for hop in reversed(hops):
            address = forwarded_address(hop)
            if address is None:
                break
            found = plain_address(address)
            if self._trusted is None or found not in self._trusted:
                break
        return found

    def protocol(self, headers: HTTPHeaders, peer: str, protocol: str) -> str:
        """``http`` or ``https``, as the client sees it."""
        if not self.believes(peer):
            return protocol
        named = headers.get("X-Scheme") or headers.get("X-Forwarded-Proto")
        if named is None:
            elements = self._forwarded(headers)
            named = elements[-1].get("proto", "") if elements else ""
        named = named.rpartition(",")[2].strip().lower()
        return named if named in ("http", "https") else protocol

    def host(self, headers: HTTPHeaders, peer: str) -> str | None:
        """The host the client asked for, if the proxy says so and ``xheaders_host`` is on."""
        if not self._with_host or not self.believes(peer):
            return None
        host = headers.get("X-Forwarded-Host")
        if host is None:
            elements = self._forwarded(headers)
            host = elements[-1].get("host") if elements else None
        if host is None:
            return None
        host = host.rpartition(",")[2].strip()
        port = headers.get("X-Forwarded-Port", "").rpartition(",")[2].strip()
        try:
            _, own_port = validate_host(host)
            if port and own_port is None:
                host = f"{host}:{port}"
                validate_host(host)
        except HTTPInputError:
            return None
        return host

    @staticmethod
    def _forwarded(headers: HTTPHeaders) -> list[dict[str, str]]:
        value = headers.get("Forwarded")
        return parse_forwarded(value) if value else []
