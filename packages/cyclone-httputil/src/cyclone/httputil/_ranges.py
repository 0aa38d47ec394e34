"""Byte ranges: RFC 9110 section 14."""

import re
from typing import Final

from ._dates import parse_http_date
from ._errors import RangeNotSatisfiable
from ._etags import is_strong

MAX_RANGES: Final = 16

_OWS: Final = " \t"
_SPEC: Final = re.compile(r"([0-9]*)-([0-9]*)")
# More digits than any size has; int() of a very long string would raise (CN-09)
_MAX_DIGITS: Final = 18


def parse_byte_ranges(
    header: str, size: int, max_ranges: int = MAX_RANGES
) -> list[tuple[int, int]] | None:
    """The ranges that a ``Range`` header asks for, of a representation of ``size`` bytes.

    Returns (start, end) pairs as for slicing (``end`` is exclusive), in the order asked for and
    within the size; ranges that lie beyond it are left out. None when the header is to be ignored
    and the whole be sent: another unit, a syntax error, or more than ``max_ranges`` ranges.
    `RangeNotSatisfiable` when no range overlaps.
    Linear, and nothing is merged (ST-12, ST-13).
    """
    unit, equals, value = header.partition("=")
    if not equals or unit.strip(_OWS).lower() != "bytes":
        return None
    if value.count(",") >= 4 * max_ranges:  # empty list elements are legal, but not endless
        return None
    specs = [spec for spec in (part.strip(_OWS) for part in value.split(",")) if spec]
    if not specs or len(specs) > max_ranges:
        return None
    ranges = []
    for spec in specs:
        match = _SPEC.fullmatch(spec)
        if match is None:
            return None
        first, last = match.groups()
        bounds = _suffix(last, size) if not first else _from_to(first, last, size)
        if bounds is None:
            return None
        if bounds[0] < bounds[1]:
            ranges.append(bounds)
    if not ranges:
        raise RangeNotSatisfiable(size)
    return ranges


def _suffix(digits: str, size: int) -> tuple[int, int] | None:
    """``-N``: the last N bytes, or all of them."""
    if not digits:
        return None
    return max(0, size - _number(digits)), size


def _from_to(first: str, last: str, size: int) -> tuple[int, int] | None:
    """``A-B`` or ``A-``; None if B comes before A."""
    start = _number(first)
    if not last:
        return start, size
    end = _number(last)
    return None if end < start else (start, min(end + 1, size))


def _number(digits: str) -> int:
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


def format_content_range(start: int, end: int, size: int) -> str:
    """The ``Content-Range`` of the bytes from ``start`` up to and without ``end``."""
    return f"bytes {start}-{end - 1}/{size}"


def if_range_matches(
    header: str, etag: str | None = None, last_modified: float | None = None
) -> bool:
    """Whether an ``If-Range`` header lets the ``Range`` of the same request count.

    ``etag`` is that of the representation as sent (quoted), ``last_modified`` its time in seconds
    since the epoch. Tags are compared strongly, so a weak one never matches; a date must be
    equal to the second (`RFC 9110 section 13.1.5
    <https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5>`_).
    """
    header = header.strip(_OWS)
    if '"' in header:
        return etag is not None and header == etag and is_strong(etag)
    date = parse_http_date(header)
    return date is not None and last_modified is not None and date == int(last_modified)
