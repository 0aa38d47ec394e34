"""From the text of a URL to what a request needs of it; strict, linear, cached within a bound.

The rules (RFC 3986, with WHATWG's where browsers are stricter): only ``http`` and ``https``; no
space or control character anywhere (CL-01); non-ASCII is percent-encoded UTF-8 in path and query
and IDNA in the host; a host that ends in a number must be a proper dotted quad, since
``2130706433``, ``127.1`` and ``0x7f.1`` are the ways round an address filter (CL-15).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from urllib.parse import quote, unquote

MAX_URL_LENGTH = 64 * 1024

# RFC 3986 appendix B, narrowed to an absolute URL with an authority.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.\-]*):(?://([^/?#]*))?([^?#]*)(\?[^#]*)?(#.*)?", re.S)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f\\]")
_HOST = re.compile(r"(?!-)[A-Za-z0-9_\-]{1,63}(?:\.[A-Za-z0-9_\-]{1,63})*\.?")
_NUMERIC_LABEL = re.compile(r"(?:[0-9]+|0[xX][0-9A-Fa-f]*)")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SAFE = "!$%&'()*+,-./:;=?@_~[]|^`{}\"<>"


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a URL that a request is made of; all text is ASCII."""

    url: str
    scheme: str
    host: str
    port: int
    path: str
    host_header: str
    username: str | None
    password: str | None
    is_ip: bool
    authority: str
    """``host:port`` with the port always written, as CONNECT wants it."""
    prefix: bytes
    """The head's ``" /path HTTP/1.1"`` and Host lines, ready to send."""

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: what credentials are bound to."""
        return self.scheme, self.host, self.port

    @property
    def fragment(self) -> str:
        """The fragment with its ``#``, or nothing."""
        mark = self.url.find("#")
        return "" if mark < 0 else self.url[mark:]


def _host_of(text: str) -> tuple[str, bool]:
    """The host in the form it goes on the wire, and whether it is an address."""
    if text.startswith("["):
        if not text.endswith("]"):
            raise ValueError("the IPv6 address of the URL has no closing bracket")
        address, _, zone = text[1:-1].partition("%25")
        if zone and not re.fullmatch(r"[A-Za-z0-9_.\-]+", zone):
            raise ValueError("the zone of the IPv6 address is not valid")
        try:
            packed = IPv6Address(address).compressed
        except AddressValueError as error:
            raise ValueError("the URL holds an invalid IPv6 address") from error
        return (f"{packed}%{zone}" if zone else packed), True
    if not text.isascii():
        text = _idna(text)
    if not _HOST.fullmatch(text) or len(text) > 254:
        raise ValueError("the host of the URL is not valid")
    host = text.lower()
    if _NUMERIC_LABEL.fullmatch(host.rstrip(".").rpartition(".")[2]):
        try:
            return str(IPv4Address(host)), True
        except AddressValueError as error:
            raise ValueError("the host of the URL is a number but not an IPv4 address") from error
    return host, False


def _idna(text: str) -> str:
    """The ASCII form of an international name: IDNA 2008 where ``idna`` is there, else 2003."""
    try:
        from idna import IDNAError, encode
    except ImportError:
        try:
            return text.encode("idna").decode("ascii")
        except UnicodeError as error:
            raise ValueError("the host of the URL is not a valid international name") from error
    try:
        return encode(text, uts46=True).decode("ascii")
    except IDNAError as error:
        raise ValueError("the host of the URL is not a valid international name") from error


def _split_authority(authority: str) -> tuple[str, str, str]:
    """User information, host and port of an authority, as they are written."""
    userinfo, _, hostport = authority.rpartition("@")
    if hostport.startswith("["):
        host, bracket, port = hostport.partition("]")
        host += bracket
        if port and not port.startswith(":"):
            raise ValueError("the URL has something odd after its IPv6 address")
        port = port[1:]
    else:
        host, _, port = hostport.partition(":")
    return userinfo, host, port


def _port_of(text: str, scheme: str) -> int:
    if not text:
        return _DEFAULT_PORTS[scheme]
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65536):
        raise ValueError("the port of the URL is not a number from 1 to 65535")
    return int(text)


@lru_cache(maxsize=512)
def parse_url(url: str) -> Target:
    """Take a URL apart.

    :raises ValueError: for another scheme than http and https, a missing or invalid host, a bad
        port, a space, backslash or control character, or more than 64 KiB. The message never
        repeats the URL, which may hold a password.
    """
    if len(url) > MAX_URL_LENGTH:
        raise ValueError("the URL is longer than 65536 characters")
    if _FORBIDDEN.search(url):
        raise ValueError("the URL holds a space, a backslash or a control character")
    match = _URL.fullmatch(url)
    scheme = match[1].lower() if match else ""
    if match is None or scheme not in _DEFAULT_PORTS:
        raise ValueError(f"unsupported URL scheme {scheme!r}: only http and https can be fetched")
    if not match[2]:
        raise ValueError("the URL names no host")
    userinfo, host_text, port_text = _split_authority(match[2])
    host, is_ip = _host_of(host_text)
    port = _port_of(port_text, scheme)
    path = quote((match[3] or "/") + (match[4] or ""), safe=_SAFE)
    shown = f"[{host.partition('%')[0]}]" if ":" in host else host
    host_header = shown if port == _DEFAULT_PORTS[scheme] else f"{shown}:{port}"
    username = password = None
    if userinfo:
        name, _, secret = userinfo.partition(":")
        username, password = unquote(name), unquote(secret)
    return Target(
        url=url,
        scheme=scheme,
        host=host,
        port=port,
        path=path,
        host_header=host_header,
        username=username,
        password=password,
        is_ip=is_ip,
        authority=f"{shown}:{port}",
        prefix=f" {path} HTTP/1.1\r\nHost: {host_header}\r\n".encode("ascii"),
    )


def without_userinfo(url: str) -> str:
    """The URL with its name and password left out, for logs and for ``effective_url``."""
    match = _URL.fullmatch(url)
    if match is None or match[2] is None or "@" not in match[2]:
        return url
    start = match.start(2)
    return url[:start] + match[2].rpartition("@")[2] + url[match.end(2) :]
