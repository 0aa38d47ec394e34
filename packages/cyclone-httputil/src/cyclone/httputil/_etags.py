"""Entity tags: RFC 9110 section 8.8.3, and the two ways to compare them."""

import re
from typing import Final

from ._errors import HTTPOutputError

_ETAG: Final = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LIST: Final = re.compile(r'[ \t,]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|\Z)')


def quote_etag(value: str, weak: bool = False) -> str:
    """Write an entity tag: the opaque ``value`` in quotes, after ``W/`` if it is weak.

    `HTTPOutputError` if the value holds a quote, white space or a control character.
    """
    etag = f'W/"{value}"' if weak else f'"{value}"'
    if not _ETAG.fullmatch(etag):
        raise HTTPOutputError(f"Invalid entity tag {value!r}")
    return etag


def is_strong(etag: str) -> bool:
    """Whether ``etag`` (quoted) is well formed and not weak."""
    return etag.startswith('"') and _ETAG.fullmatch(etag) is not None


def parse_etags(header: str) -> list[str]:
    """The entity tags of an ``If-Match`` or ``If-None-Match`` header, each as written.

    ``["*"]`` for the wildcard. What is not a tag ends the list; never raises, linear.
    """
    if header.strip(" \t") == "*":
        return ["*"]
    tags = []
    position = 0
    while (match := _LIST.match(header, position)) is not None:
        tags.append(match[1])
        position = match.end()
    return tags


def etag_matches(header: str, etag: str | None, weak: bool = True) -> bool:
    """Whether ``etag`` (quoted; None: there is no representation) is in the list of ``header``.

    The weak comparison ignores ``W/`` and is that of ``If-None-Match``; with ``weak=False`` both
    must be strong, as for ``If-Match``. ``*`` matches whatever exists.
    """
    if etag is None:
        return False
    tags = parse_etags(header)
    if tags == ["*"]:
        return True
    if weak:
        opaque = etag.removeprefix("W/")
        return any(tag.removeprefix("W/") == opaque for tag in tags)
    return is_strong(etag) and etag in tags
