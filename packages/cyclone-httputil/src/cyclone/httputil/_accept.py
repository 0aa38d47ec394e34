"""Content negotiation: ``Accept``, ``Accept-Encoding`` and their relatives, with q-values."""

import re
from collections.abc import Iterable
from typing import Final

from ._abnf import HTTP_WHITESPACE
from ._params import parse_parameters

_MAX_ITEMS: Final = 100

# A list is split at commas outside quotes; an unclosed quote extends to the end
_ELEMENT: Final = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*+"?)++', re.DOTALL)
_QVALUE: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


def parse_accept(header: str) -> list[tuple[str, float]]:
    """The values of an ``Accept*`` header with their q, the most wanted first.

    ``text/html;level=1;q=0.5`` gives ``("text/html;level=1", 0.5)``: parameters other than q stay
    with the value, which is in lower case but for them. A q of 0 is kept, since it forbids; a
    malformed q counts as 0. Equal q's keep their order. Values after the 100th are not looked at.
    """
    items = []
    for count, match in enumerate(_ELEMENT.finditer(header)):
        if count >= _MAX_ITEMS:
            break
        value, parameters = parse_parameters(match[0])
        if not value:
            continue
        q = parameters.pop("q", "1")
        quality = float(q) if _QVALUE.fullmatch(q) else 0.0
        rest = "".join([f";{name}={text}" for name, text in parameters.items()])
        items.append((value.lower() + rest, quality))
    items.sort(key=lambda item: -item[1])
    return items


def choose_encoding(header: str | None, offered: Iterable[str]) -> str | None:
    """The content coding to use for a request with this ``Accept-Encoding``.

    ``offered``: the codings the server can make, the one it likes best first; of those, the one
    with the highest q is taken. None means to send the body as it is: nothing offered is
    accepted, or ``identity`` is wanted more, or there is no such header
    (`RFC 9110 section 12.5.3 <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.3>`_).
    """
    if not header:
        return None
    wanted: dict[str, float] = {}
    for value, q in parse_accept(header):
        # the first of several wins, and the highest q came first
        wanted.setdefault("gzip" if value == "x-gzip" else value, q)
    anything = wanted.get("*", 0.0)
    best, best_q = None, wanted.get("identity", 0.0)
    for coding in offered:
        q = wanted.get(coding.lower(), anything)
        if q > best_q or (q == best_q and q > 0 and best is None):
            best, best_q = coding, q
    return best


def choose_media_type(header: str | None, offered: Iterable[str]) -> str | None:
    """The media type to answer with, for a request with this ``Accept`` header.

    ``offered``: what the server can make, the one it likes best first. The most specific range
    that covers a type gives its q (`RFC 9110 section 12.5.1
    <https://www.rfc-editor.org/rfc/rfc9110#section-12.5.1>`_). No header accepts all; None means
    that nothing offered is acceptable (406).
    """
    types = list(offered)
    if not header or not header.strip(HTTP_WHITESPACE):
        return types[0] if types else None
    ranges: dict[str, float] = {}
    for value, q in parse_accept(header):
        ranges.setdefault(value.replace(" ", ""), q)
    best, best_q = None, 0.0
    for media_type in types:
        q = _quality(media_type, ranges)
        if q > best_q:
            best, best_q = media_type, q
    return best


def _quality(media_type: str, ranges: dict[str, float]) -> float:
    whole = media_type.lower().replace(" ", "")
    essence = whole.partition(";")[0]
    main = essence.partition("/")[0]
    for candidate in (whole, essence, f"{main}/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0
