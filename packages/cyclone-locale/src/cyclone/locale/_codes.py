"""Locale codes (``es``, ``es_GT``, ``zh_Hant_TW``) and what may stand in for each.

Codes are written with underscores as POSIX and Babel do; ``-`` (RFC 5646) is read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_CODE_LENGTH = 64
"""A longer code, which no language has (RFC 5646 section 4.4.1 asks for 35), matches nothing."""

_REGION = re.compile(r"[A-Za-z]{2}|[0-9]{3}")
_SCRIPT = re.compile(r"[A-Za-z]{4}")


def split_code(code: str) -> tuple[str, str, str]:
    """The language, script and region of a code in their usual case; ``""`` for one not there.

    What else a code may carry (variants, extensions) is left out.
    """
    if not code or len(code) > MAX_CODE_LENGTH:
        return "", "", ""
    language, *rest = code.replace("-", "_").split("_")
    script = region = ""
    for part in rest:
        if len(part) < 2:
            break  # RFC 5646 2.2.6: a single character starts an extension
        if not script and not region and _SCRIPT.fullmatch(part):
            script = part.title()
        elif not region and _REGION.fullmatch(part):
            region = part.upper()
    return language.lower(), script, region


def candidates(code: str) -> Iterator[str]:
    """The codes that may serve a reader of ``code``, the closest first.

    ``es_GT`` gives ``es_GT`` and ``es``; ``zh_Hant_TW`` gives ``zh_Hant_TW``, ``zh_Hant``,
    ``zh_TW``, ``zh``; and so does ``zh_TW``, whose usual script is traditional.
    """
    if not code or len(code) > MAX_CODE_LENGTH:
        return
    yield code.replace("-", "_")
    language, script, region = split_code(code)
    if not language:
        return
    if script:
        if region:
            yield f"{language}_{script}_{region}"
            yield f"{language}_{region}"
        yield f"{language}_{script}"
        likely = "" if region else _likely(f"{language}_{script}")[1]
        if likely:
            yield f"{language}_{likely}"
    elif region:
        yield f"{language}_{region}"
        likely = _likely(f"{language}_{region}")[0]
        if likely:
            yield f"{language}_{likely}_{region}"
            yield f"{language}_{likely}"
    yield language


def closest(code: str, supported: frozenset[str]) -> str | None:
    """The first of the `candidates` of ``code`` that is in ``supported``."""
    for candidate in candidates(code):
        if candidate in supported:
            return candidate
    return None


def _likely(code: str) -> tuple[str, str]:
    """The script and region CLDR expects of ``code`` where they differ from its language's."""
    from babel.core import get_global

    _, script, region = split_code(get_global("likely_subtags").get(code, ""))
    return script, region
