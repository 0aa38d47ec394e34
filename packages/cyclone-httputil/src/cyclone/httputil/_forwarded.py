"""The ``Forwarded`` header: RFC 7239."""

import re
from typing import Final

from ._abnf import HTTP_WHITESPACE, QUOTED_PAIR, TCHAR

_MAX_ELEMENTS: Final = 100

_PAIR: Final = re.compile(
    rf'[ \t]*([{TCHAR}]++)=(?:([{TCHAR}]++)|"((?:[^"\\]|\\.)*+)")[ \t]*', re.DOTALL
)


def parse_forwarded(header: str) -> list[dict[str, str]]:
    """The elements of a ``Forwarded`` header, each a dict of its parameters in lower-case names.

    The nearest proxy is last. Values are as written, without quotes: ``[2001:db8::1]:4711``,
    ``_hidden``, ``unknown``; see `forwarded_address`. A header with a syntax error anywhere gives
    an empty list, since half of it must not be believed; so does one with over 100 elements.
    Never raises; linear. Whether to believe any of it is for the caller to know.
    """
    elements: list[dict[str, str]] = []
    element: dict[str, str] = {}
    position, length = 0, len(header)
    if not header.strip(HTTP_WHITESPACE):
        return []
    while True:
        match = _PAIR.match(header, position)
        if match is None:
            return []
        name = match[1].lower()
        if name in element:
            return []
        element[name] = match[2] if match[3] is None else QUOTED_PAIR.sub(r"\1", match[3])
        position = match.end()
        if position == length or header[position] == ",":
            elements.append(element)
            element = {}
            if position == length:
                return elements
            if len(elements) >= _MAX_ELEMENTS:
                return []
        elif header[position] != ";":
            return []
        position += 1


def forwarded_address(node: str) -> str | None:
    """The IP address in a ``for=`` or ``by=`` value or an ``X-Forwarded-For`` entry.

    A port and the brackets of an IPv6 address are taken off. None for ``unknown``, an obfuscated
    identifier, or anything that is not an address.
    """
    from ipaddress import ip_address

    node = node.strip(HTTP_WHITESPACE)
    if node.startswith("["):
        address, bracket, rest = node[1:].partition("]")
        if not bracket:
            return None
        if rest and not re.fullmatch(r":[0-9]{1,5}", rest):
            return None
    else:
        address = node
        if node.count(":") == 1:
            address, _, port = node.partition(":")
            if not re.fullmatch(r"[0-9]{1,5}", port):
                return None
    if len(address) > 45:
        return None
    try:
        return str(ip_address(address))
    except ValueError:
        return None
