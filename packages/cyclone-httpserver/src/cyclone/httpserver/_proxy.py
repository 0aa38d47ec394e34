"""Who asked: the address of the peer."""

from __future__ import annotations

from typing import Any


def peer_address(transport: Any) -> str:
    """The peer's address as text.

    An IPv4 address mapped into IPv6 is given as IPv4; a UNIX socket as ``unix:`` and its path.
    """
    peer = transport.getPeer()
    host = getattr(peer, "host", None)
    if isinstance(host, str):
        return host.removeprefix("::ffff:") if "." in host else host
    return _unix_name(peer) or _unix_name(transport.getHost()) or "unix:"


def _unix_name(address: Any) -> str | None:
    name = getattr(address, "name", None)
    if not name:
        return None
    if isinstance(name, bytes):
        name = name.decode("utf-8", "surrogateescape")
    return f"unix:{name}"
