"""URLs, hosts and query strings."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import AnyStr, Final
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from ._errors import HTTPInputError

_PORT: Final = re.compile(r"[0-9]{1,5}")
_MAX_HOST_LENGTH: Final = 255

# RFC 3986 reg-name without the sub-delims that no name in DNS has, with "_" that some have.
# A percent-encoded octet is refused as well: nothing good asks for one.
_REG_NAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_\-.]*[A-Za-z0-9_.])?")


def url_concat(
    url: str,
    args: Mapping[str, str] | Sequence[tuple[str, str]] | None,
) -> str:
    """``url`` with the query parameters ``args`` added to those it has; its fragment is kept.

    ``args``: a dict, a list or tuple of pairs (a name may be repeated), or None.
    `TypeError` for anything else.
    """
    if args is None:
        return url
    if isinstance(args, Mapping):
        added = list(args.items())
    elif isinstance(args, list | tuple):
        added = list(args)
    else:
        raise TypeError(f"'args' should be a dict, list or tuple, not {type(args).__name__}")
    scheme, netloc, path, query, fragment = urlsplit(url)
    pairs = parse_qsl(query, keep_blank_values=True) + added
    return urlunsplit((scheme, netloc, path, urlencode(pairs), fragment))


def split_host_and_port(netloc: str) -> tuple[str, int | None]:
    """Split ``host:port``; the port is None if there is none (or none that is a number).

    An IPv6 literal keeps its brackets; one without brackets has no port. Nothing is validated:
    see `validate_host`.
    """
    host, colon, port = netloc.rpartition(":")
    if colon and host and _PORT.fullmatch(port) and (":" not in host or host[-1] == "]"):
        return host, int(port)
    return netloc, None


def validate_host(host: str) -> tuple[str, int | None]:
    """Check the value of a ``Host`` header (or an authority) and split it.

    Returns the name in lower case (an IPv6 literal in its brackets) and the port or None.
    `HTTPInputError` for anything that is not a plain host name, IPv4 address or bracketed IPv6
    address with an optional port from 0 to 65535: user names, paths, lists, spaces, controls.
    """
    name, port = _split_authority(host)
    if name.startswith("["):
        if not _is_ipv6(name):
            raise HTTPInputError("Invalid Host header")
    elif len(name) > _MAX_HOST_LENGTH or not _REG_NAME.fullmatch(name) or ".." in name:
        raise HTTPInputError("Invalid Host header")
    if port is None:
        return name.lower(), None
    if not _PORT.fullmatch(port) or int(port) > 65535:
        raise HTTPInputError("Invalid port in Host header")
    return name.lower(), int(port)


def _split_authority(host: str) -> tuple[str, str | None]:
    if host.startswith("["):
        name, bracket, rest = host.partition("]")
        if not bracket or (rest and rest[0] != ":"):
            raise HTTPInputError("Invalid Host header")
        port = rest[1:]
        return name + bracket, port or None
    name, _, port = host.partition(":")
    return name, port or None


def _is_ipv6(literal: str) -> bool:
    from ipaddress import IPv6Address

    address = literal[1:-1]
    if len(address) > 45 or "%" in address:  # a zone means nothing to another machine
        return False
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return True


def qs_to_qsl(qs: Mapping[str, Iterable[AnyStr]]) -> Iterator[tuple[str, AnyStr]]:
    """Turn a result of `urllib.parse.parse_qs` back into (name, value) pairs."""
    for name, values in qs.items():
        for value in values:
            yield name, value


def encode_username_password(username: str | bytes, password: str | bytes) -> bytes:
    """``username:password`` as HTTP authentication takes it: UTF-8, Unicode normal form C."""
    return b"%s:%s" % (_nfc(username), _nfc(password))


def _nfc(text: str | bytes) -> bytes:
    if isinstance(text, bytes):
        return text
    return unicodedata.normalize("NFC", text).encode("utf-8")
