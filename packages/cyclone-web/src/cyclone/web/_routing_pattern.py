"""What is known of a regular expression without running it: its literal start, the way back.

Two questions are answered here, both from the text of a route's pattern:

- which literal text must every matching path begin with (or be)? The index of a router asks that;
  an answer that is too short costs time, one that is too long would lose a route, so whatever is
  not understood ends the prefix;
- which path does a list of arguments come from? ``reverse_url`` asks that.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_QUANTIFIERS = frozenset("*+?{")
_ANCHOR_ESCAPES = frozenset("AZ")


class Literal(NamedTuple):
    """The literal text a path must start with; *whole* when it must be exactly that text."""

    text: str
    whole: bool


class Group(NamedTuple):
    """A place in a path that an argument fills; *optional* when it may be left out."""

    name: str | None
    optional: bool


class _Token(NamedTuple):
    kind: str  # "char", "any", "anchor", "group", "noncapture", "other"
    text: str
    quantifier: str


def literal_prefix(regex: re.Pattern[str]) -> Literal:
    """Return what any string that ``regex.match`` accepts begins with; never more than that."""
    pattern = regex.pattern
    if regex.flags & ~re.UNICODE or "(?#" in pattern:
        return Literal("", False)
    tokens = _tokens(pattern)
    if tokens is None:
        return Literal("", False)
    text: list[str] = []
    for position, token in enumerate(tokens):
        if token.kind == "anchor" and not token.quantifier:
            if token.text in ("^", r"\A") and not text:
                continue
            if token.text in ("$", r"\Z") and position == len(tokens) - 1:
                return Literal("".join(text), True)
            break
        if token.kind != "char" or token.quantifier:
            break
        text.append(token.text)
    return Literal("".join(text), False)


def literal_suffix(regex: re.Pattern[str]) -> str:
    """Return what any string that ``regex.match`` accepts ends with (before a last line feed)."""
    pattern = regex.pattern
    if regex.flags & ~re.UNICODE or "(?#" in pattern:
        return ""
    tokens = _tokens(pattern)
    if not tokens or tokens[-1].text not in ("$", r"\Z") or tokens[-1].kind != "anchor":
        return ""
    text: list[str] = []
    for token in reversed(tokens[:-1]):
        if token.kind != "char" or token.quantifier:
            break
        text.append(token.text)
    return "".join(reversed(text))


def reverse_parts(regex: re.Pattern[str]) -> list[str | Group] | None:
    """Return the literal texts and groups of *regex* in order; None if the way back is not known.

    What may be absent is left out (``/?``), an unescaped dot stands for itself, a group is one
    place for one argument. Groups within groups, alternatives, classes outside a group cannot be
    reversed.
    """
    tokens = _tokens(regex.pattern)
    if tokens is None:
        return None
    parts: list[str | Group] = []
    for token in tokens:
        if token.kind == "group":
            name = _group_name(token.text)
            if re.compile(token.text, regex.flags & ~re.UNICODE).groups != 1:
                return None
            parts.append(Group(name, token.quantifier[:1] in ("?", "*")))
        elif token.kind == "char" or (token.kind == "any" and not token.quantifier):
            if token.quantifier.startswith("{"):
                return None
            if token.quantifier[:1] not in ("?", "*"):
                parts.append(token.text)
        elif token.kind == "noncapture" and token.quantifier[:1] in ("?", "*"):
            if re.compile(token.text, regex.flags & ~re.UNICODE).groups:
                return None
        elif token.kind != "anchor" or token.quantifier:
            return None
    return parts


def _group_name(text: str) -> str | None:
    return text[4 : text.index(">")] if text.startswith("(?P<") else None


def _tokens(pattern: str) -> list[_Token] | None:
    """Split *pattern* at its top level; None for alternatives and whatever is not understood."""
    tokens: list[_Token] = []
    position = 0
    while position < len(pattern):
        start, char = position, pattern[position]
        if char == "|":
            return None
        if char == "\\":
            position += 2
            escaped = pattern[start + 1 : position]
            if escaped in _ANCHOR_ESCAPES:
                kind, text = "anchor", "\\" + escaped
            elif escaped.isalnum() or escaped == "_":
                kind, text = "other", escaped
            else:
                kind, text = "char", escaped
        elif char == "[":
            position = _class_end(pattern, position)
            kind, text = "other", pattern[start:position]
        elif char == "(":
            end = _group_end(pattern, position)
            if end is None:
                return None
            position = end
            text = pattern[start:position]
            kind = _group_kind(text)
        else:
            position += 1
            text = char
            kind = "anchor" if char in "^$" else "any" if char == "." else "char"
            if char in _QUANTIFIERS:
                kind = "other"
        end_of_quantifier = _quantifier_end(pattern, position)
        tokens.append(_Token(kind, text, pattern[position:end_of_quantifier]))
        position = end_of_quantifier
    return tokens


def _group_kind(text: str) -> str:
    if text.startswith("(?P<") or not text.startswith("(?"):
        return "group"
    return "noncapture" if text.startswith("(?:") else "other"


def _class_end(pattern: str, position: int) -> int:
    """Return the position after the character class that opens at *position*."""
    position += 1
    if pattern[position : position + 1] == "^":
        position += 1
    if pattern[position : position + 1] == "]":
        position += 1
    while position < len(pattern) and pattern[position] != "]":
        position += 2 if pattern[position] == "\\" else 1
    return position + 1


def _group_end(pattern: str, position: int) -> int | None:
    """Return the position after the group that opens at *position*; None if it does not end."""
    depth = 0
    while position < len(pattern):
        char = pattern[position]
        if char == "[":
            position = _class_end(pattern, position)
            continue
        position += 2 if char == "\\" else 1
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
            if not depth:
                return position
    return None


def _quantifier_end(pattern: str, position: int) -> int:
    """Return the position after the quantifier (with its ``?`` or ``+``) that is at *position*."""
    char = pattern[position : position + 1]
    if not char or char not in _QUANTIFIERS:
        return position
    if char == "{":
        closing = pattern.find("}", position)
        position = len(pattern) if closing < 0 else closing
    position += 1
    if pattern[position : position + 1] in ("?", "+"):
        position += 1
    return position
