"""The ``Accept-Language`` header (RFC 9110 section 12.5.4) as pure functions.

A client writes this header: it is read in linear time, up to a limit, and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from cyclone.locale._codes import candidates, split_code

MAX_HEADER_LENGTH = 4096
"""Characters of an ``Accept-Language`` header that are looked at; the rest is ignored."""

MAX_LANGUAGES = 64
"""Languages of an ``Accept-Language`` header that are looked at; the rest is ignored."""

# RFC 4647 2.1 language-range, with the underscore that some clients send.
_RANGE = re.compile(r"\*|[A-Za-z]{1,8}(?:[-_](?:[A-Za-z0-9]{1,8}|\*)){0,8}")
# RFC 9110 12.4.2 qvalue; more decimals than its three are harmless.
_WEIGHT = re.compile(r"(?:0(?:\.[0-9]{0,16})?|1(?:\.0{0,16})?)")


def parse_accept_language(header: str) -> list[tuple[str, float]]:
    """The languages of an ``Accept-Language`` header with their weights, best first.

    Equal weights keep the header's order. Left out: languages with ``q=0`` (refused by the
    client), and items that are not well formed. At most `MAX_LANGUAGES` items within the first
    `MAX_HEADER_LENGTH` characters count.
    """
    return [(tag, weight) for tag, weight in _parse(header) if weight > 0]


def negotiate_language(header: str, supported: Iterable[str], default: str) -> str:
    """The code of ``supported`` that serves the sender of ``header`` best, else ``default``.

    Each accepted language is tried in order of weight: itself, then without its script or its
    region (``es-GT``, then ``es``). If none fits, the first accepted language of which *any*
    region is supported wins (``pt`` takes ``pt_BR``). ``*`` means any language:
    ``default``, or the first other one when the header refuses the default with ``q=0``.
    """
    spelled = {_key(code): code for code in sorted(supported)}
    parsed = _parse(header)
    weights = {_key(tag): weight for tag, weight in reversed(parsed)}
    accepted = [tag for tag, weight in parsed if weight > 0]
    allowed = {key: code for key, code in spelled.items() if not _is_refused(key, weights)}
    for tag in accepted:
        if tag == "*":
            return _anything(default, allowed, weights)
        for candidate in candidates(tag):
            if _key(candidate) in allowed:
                return allowed[_key(candidate)]
    return _same_language(accepted, allowed) or default


def _parse(header: str) -> list[tuple[str, float]]:
    found = []
    for item in header[:MAX_HEADER_LENGTH].split(",", MAX_LANGUAGES)[:MAX_LANGUAGES]:
        tag, _, parameters = item.partition(";")
        tag = tag.strip(" \t")
        weight = _weight(parameters)
        if weight is not None and _RANGE.fullmatch(tag):
            found.append((tag, weight))
    found.sort(key=lambda pair: -pair[1])
    return found


def _weight(parameters: str) -> float | None:
    """The q-value among an item's parameters: 1 if there is none, None if it is malformed."""
    for parameter in parameters.split(";"):
        name, equals, value = parameter.partition("=")
        if name.strip(" \t") in ("q", "Q") and equals:
            value = value.strip(" \t")
            return float(value) if _WEIGHT.fullmatch(value) else None
    return 1.0


def _key(code: str) -> str:
    return code.replace("-", "_").lower()


def _is_refused(key: str, weights: dict[str, float]) -> bool:
    """Whether the most specific range of the header that covers ``key`` has ``q=0``."""
    while key:
        if key in weights:
            return weights[key] == 0
        key = key.rpartition("_")[0]
    return False


def _anything(default: str, allowed: dict[str, str], weights: dict[str, float]) -> str:
    if not _is_refused(_key(default), weights):
        return default
    return next(iter(allowed.values()), default)


def _same_language(accepted: list[str], allowed: dict[str, str]) -> str | None:
    by_language: dict[tuple[str, str], str] = {}
    for code in allowed.values():
        language, script, _ = split_code(code)
        by_language.setdefault((language, script), code)
        by_language.setdefault((language, ""), code)
    for tag in accepted:
        language, script, _ = split_code(tag)
        if (language, script) in by_language:
            return by_language[language, script]
    return None
