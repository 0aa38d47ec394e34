"""Finds the messages in templates, as an extraction method of Babel.

Only as much of the template language is read here as tells expressions from text; the expressions
are Python, and Babel's own extractor for Python reads them. So this needs no template engine.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from io import BytesIO
from typing import IO, Any, NamedTuple

from cyclone.locale._errors import TranslationError

Extracted = tuple[int, str, object, list[str]]
"""Line, function, message or messages, comments: what Babel asks of an extractor."""

_CLOSERS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_OPENER = re.compile(r"\{(?:%|#|\{(?!\{))")
_NO_PYTHON = re.compile(r"\s*(?:autoescape|block|comment|end|extends|include|super|whitespace)\b")
_BRACKET = {")": "(", "]": "[", "}": "{"}
# One string literal or one bracket; a quote that opens no literal matches alone.
_LEXEME = re.compile(
    r"'''(?:\\.|[^\\])*?'''"
    r'|"""(?:\\.|[^\\])*?"""'
    r"|'(?:\\.|[^'\\\n])*'"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|['\"()\[\]{}]",
    re.DOTALL,
)
_MAX_CLOSERS = 8


class Directive(NamedTuple):
    """One ``{{ }}``, ``{% %}`` or ``{# #}``: its opener, the line it starts on, what is inside."""

    opener: str
    lineno: int
    content: str


def directives(source: str, name: str = "<string>") -> Iterator[Directive]:
    """The directives of a template, in order. `TranslationError` for one that does not end."""
    position = 0
    lineno = 1
    while (match := _OPENER.search(source, position)) is not None:
        lineno += source.count("\n", position, match.start())
        opener, start = match[0], match.end()
        if source.startswith("!", start):  # {{! stands for two braces
            position = start + 1
            continue
        end = _end(source, start, opener)
        if end < 0:
            raise TranslationError(f"{opener} is not closed", name, lineno)
        yield Directive(opener, lineno, source[start:end])
        lineno += source.count("\n", match.start(), end)
        position = end + 2


def _end(source: str, start: int, opener: str) -> int:
    """Where the directive's closer is: the first one that is not inside a string or a bracket.

    A directive without Python ends at its very first closer, and so does one for which none of the
    next few will do. -1 if there is none.
    """
    closer = _CLOSERS[opener]
    first = end = source.find(closer, start)
    if opener == "{#" or (opener == "{%" and _NO_PYTHON.match(source, start)):
        return first
    for _ in range(_MAX_CLOSERS):
        if end < 0:
            break
        if _is_balanced(source[start:end]):
            return end
        end = source.find(closer, end + 1)
    return first


def _is_balanced(code: str) -> bool:
    open_brackets = []
    for match in _LEXEME.finditer(code):
        lexeme = match[0]
        if lexeme in "([{":
            open_brackets.append(lexeme)
        elif lexeme in ")]}":
            if not open_brackets or open_brackets.pop() != _BRACKET[lexeme]:
                return False
        elif lexeme in "'\"":
            return False
    return not open_brackets


def extract_template(
    fileobj: IO[bytes],
    keywords: Collection[str],
    comment_tags: Collection[str] = (),
    options: Mapping[str, object] | None = None,
) -> Iterator[Extracted]:
    """Babel extraction method ``cyclone``: the messages in a template's expressions.

    It is registered for Babel under that name, so a ``babel.cfg`` may say ``[cyclone:
    templates/**.html]``. A ``{# Translators: ... #}`` that starts with one of ``comment_tags``
    goes with the messages of its own and the next line. The option ``encoding`` defaults to UTF-8.
    Raises `TranslationError`, naming file and line, on a template that cannot be read.
    """
    name = str(getattr(fileobj, "name", "<template>"))
    source = _decode(fileobj.read(), str((options or {}).get("encoding", "utf-8-sig")), name)
    calls = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, keywords))})\s*\(")
    comments: list[str] = []
    comments_end = -1
    for directive in directives(source, name):
        if directive.opener == "{#":
            lines = _tagged(directive.content, comment_tags)
            if lines:
                comments = lines
                comments_end = directive.lineno + directive.content.count("\n")
        elif calls.search(directive.content) and not _is_no_python(directive):
            for lineno, function, messages, _ in _python(directive, keywords, name):
                near = 0 <= lineno - comments_end <= 1
                yield lineno, function, messages, comments if near else []


def _decode(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        lineno = data.count(b"\n", 0, error.start) + 1
        raise TranslationError(f"not {encoding} text ({error.reason})", name, lineno) from None
    except LookupError as error:
        raise TranslationError(str(error), name) from None


def _tagged(comment: str, comment_tags: Collection[str]) -> list[str]:
    text = comment.strip()
    if not any(text.startswith(tag) for tag in comment_tags):
        return []
    return [line.strip() for line in text.splitlines()]


def _is_no_python(directive: Directive) -> bool:
    return directive.opener == "{%" and _NO_PYTHON.match(directive.content) is not None


def _python(directive: Directive, keywords: Collection[str], name: str) -> Iterator[Extracted]:
    """The calls in one directive. A statement's keyword is one more name to Babel's tokenizer."""
    from tokenize import TokenError

    from babel.messages.extract import extract_python

    # In brackets, so that its line breaks and indentation mean nothing.
    code = f"(\n{directive.content}\n)".encode()
    try:
        # Babel annotates its extractors with another tuple than the one they give.
        found: Any = extract_python(
            BytesIO(code), dict.fromkeys(keywords), (), {"encoding": "utf-8"}
        )
        for lineno, function, messages, comments in found:
            yield lineno + directive.lineno - 2, function, messages, comments
    except (TokenError, SyntaxError, ValueError, LookupError) as error:
        text = error.args[0] if error.args else error
        raise TranslationError(
            f"{directive.opener} holds no Python expression ({text})", name, directive.lineno
        ) from None
