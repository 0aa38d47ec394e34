"""The way to a server: everything that decides which connections a request may share (CL-14)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple

from ._proxy import Proxy, proxy_for
from ._settings import Settings
from ._url import Target


class FrozenOptions(NamedTuple):
    """A mapping of TLS options that can be a part of a key."""

    items: tuple[tuple[str, object], ...]


class TLSSpec(NamedTuple):
    """How a TLS connection is made and verified."""

    server_hostname: str
    validate_cert: bool
    ca_certs: str | None
    client_cert: str | None
    client_key: str | None
    ssl_options: object


class Route(NamedTuple):
    """Two requests share connections when their routes are equal."""

    scheme: str
    host: str
    port: int
    unix_socket: str | None = None
    network_interface: str | None = None
    allow_ipv6: bool = True
    proxy: Proxy | None = None
    tls: TLSSpec | None = None
    max_header_size: int = 65536


def _path(value: object) -> str | None:
    return None if value is None else os.fspath(value)  # type: ignore[call-overload]


def route_to(target: Target, settings: Settings) -> Route:
    """The route of a request to ``target``.

    :raises ValueError: for a ``network_interface`` that is no address, or proxy options that
        contradict each other.
    """
    interface = settings.network_interface
    if interface is not None:
        _check_interface(interface)
    tls = None
    if target.scheme == "https":
        tls = _tls_spec(target, settings)
    proxy = None
    if settings.proxy_host is not None or settings.proxy_port is not None:
        proxy = proxy_for(target, settings)
    socket = settings.unix_socket
    if socket is not None and proxy is not None:
        raise ValueError("unix_socket and proxy_host exclude each other")
    return Route(
        target.scheme,
        target.host,
        target.port,
        None if socket is None else _path(socket),
        interface,
        settings.allow_ipv6,
        proxy,
        tls,
        settings.max_header_size,
    )


def _check_interface(interface: str) -> None:
    try:
        ip_address(interface)
    except ValueError:
        raise ValueError(
            f"network_interface is an IPv4 or IPv6 address of this machine, not {interface!r}"
        ) from None


def _tls_spec(target: Target, settings: Settings) -> TLSSpec:
    options: object = settings.ssl_options
    if isinstance(options, Mapping):
        options = FrozenOptions(tuple(sorted(options.items())))
    return TLSSpec(
        settings.server_hostname or target.host.rstrip("."),
        settings.validate_cert,
        _path(settings.ca_certs),
        _path(settings.client_cert),
        _path(settings.client_key),
        options,
    )
