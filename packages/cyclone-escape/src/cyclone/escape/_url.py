"""Percent-encoding of URLs and query strings."""

import re

from ._text import to_unicode, utf8

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import overload

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})++")


def url_escape(value: str | bytes, plus: bool = True) -> str:
    """Percent-encode ``value`` (text as UTF-8).

    With ``plus`` a space becomes ``+`` and ``/`` is encoded: for query strings. Without it a space
    becomes ``%20`` and ``/`` stays: for paths.
    """
    from urllib.parse import quote, quote_plus

    try:
        return quote_plus(value) if plus else quote(value)
    except TypeError:
        raise TypeError(f"expected bytes or str, not {type(value).__name__}") from None


if TYPE_CHECKING:

    @overload
    def url_unescape(value: str | bytes, encoding: None, plus: bool = True) -> bytes: ...
    @overload
    def url_unescape(value: str | bytes, encoding: str = "utf-8", plus: bool = True) -> str: ...


def url_unescape(
    value: str | bytes, encoding: str | None = "utf-8", plus: bool = True
) -> str | bytes:
    """Decode percent-encoded text.

    With ``plus`` a ``+`` is a space (query strings); without it ``+`` stays (paths). With
    ``encoding=None`` the result is ``bytes``; otherwise undecodable bytes become U+FFFD. An
    invalid escape is left as it is. The time is linear in the length.
    """
    if encoding is None:
        data = utf8(value)
        return _unquote(data.replace(b"+", b" ") if plus else data)
    from urllib.parse import unquote, unquote_plus

    decode = unquote_plus if plus else unquote
    return decode(to_unicode(value), encoding=encoding)


def _unquote(data: bytes) -> bytes:
    """Percent-decode; a run of escapes is decoded at once in C, so the cost per ``%`` is small."""
    if b"%" not in data:
        return data
    return _ESCAPES.sub(_decode_run, data)


def _decode_run(run: re.Match[bytes]) -> bytes:
    return bytes.fromhex(run[0].replace(b"%", b" ").decode("ascii"))


def parse_qs_bytes(
    qs: str | bytes,
    keep_blank_values: bool = False,
    strict_parsing: bool = False,
    *,
    max_num_fields: int | None = None,
) -> dict[str, list[bytes]]:
    """Parse a query string into lists of ``bytes`` by field name (names are read as Latin-1).

    Only ``&`` separates fields. Raises ``ValueError`` when there are more than ``max_num_fields``
    fields, and with ``strict_parsing`` for a field without ``=``.
    """
    data = qs.encode("latin-1") if isinstance(qs, str) else qs
    fields: dict[str, list[bytes]] = {}
    if not data:
        return fields
    if max_num_fields is not None and data.count(b"&") >= max_num_fields:
        raise ValueError(f"more than {max_num_fields} fields")
    escaped = b"%" in data
    for field in data.replace(b"+", b" ").split(b"&"):
        name, equals, value = field.partition(b"=")
        if strict_parsing and not equals:
            raise ValueError(f"bad query field: {field!r}")
        if value or (keep_blank_values and field):
            if escaped:
                if b"%" in value:
                    value = _ESCAPES.sub(_decode_run, value)
                name = _unquote(name)
            key = name.decode("latin-1")
            if key in fields:
                fields[key].append(value)
            else:
                fields[key] = [value]
    return fields
