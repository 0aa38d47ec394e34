"""From the text of a template to literal text and directives, each with its line."""

import re
from collections.abc import Iterator

from ._errors import ParseError
from ._limits import Limits
from ._python import find_end

# Of several braces in a row the innermost open a directive, so that LaTeX can be written.
_OPEN = re.compile(r"\{(?:\{(?!\{)|%|#)")
_WORD = re.compile(r"\S+")
_NOT_PYTHON = frozenset(
    {"autoescape", "block", "comment", "end", "extends", "include", "super", "whitespace"}
)

Token = tuple[str, str, int]
"""Kind (``text``, ``{{`` or ``{%``), contents, line."""


class Reader:
    """The tokens of one template file, read once from front to back.

    ``line`` is the line of the token at hand.
    """

    def __init__(self, name: str, source: str | bytes, limits: Limits) -> None:
        self.name = name
        self.line = 1
        self._counted = 0
        self.text = self._decoded(source)
        if len(self.text) > limits.max_size:
            raise ParseError(f"template larger than {limits.max_size} characters", name, 1)

    def _decoded(self, source: str | bytes) -> str:
        if isinstance(source, str):
            if not source.isascii() and re.search("[\ud800-\udfff]", source):
                at = re.split("[\ud800-\udfff]", source, maxsplit=1)[0]
                raise ParseError("text is not valid Unicode", self.name, at.count("\n") + 1)
            return source.removeprefix("\ufeff")
        if not isinstance(source, bytes):
            raise TypeError(f"a template is a str or bytes, not {type(source).__name__}")
        try:
            return source.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            line = source.count(b"\n", 0, error.start) + 1
            raise ParseError("text is not valid UTF-8", self.name, line) from None

    def _at(self, position: int) -> int:
        """Move to ``position`` and return its line."""
        self.line += self.text.count("\n", self._counted, position)
        self._counted = position
        return self.line

    def fail(self, message: str, directive: str = "") -> ParseError:
        """A parse error at the current line."""
        return ParseError(message, self.name, self.line, directive)

    def tokens(self) -> Iterator[Token]:
        """Literal text and directives in order, without comments."""
        text = self.text
        position = 0
        while opening := _OPEN.search(text, position):
            start = opening.start()
            if start > position:
                yield "text", text[position:start], self._at(position)
            line = self._at(start)
            inside = opening.end()
            brace = opening[0]
            if text.startswith("!", inside):
                # "{{!" stands for the braces themselves.
                yield "text", brace, line
                position = inside + 1
                continue
            end = self._end(brace, inside)
            position = end + 2
            if brace != "{#":
                yield brace, text[inside:end].strip(), line
        if position < len(text):
            yield "text", text[position:], self._at(position)

    def _end(self, brace: str, inside: int) -> int:
        if brace == "{#":
            end, missing = self.text.find("#}", inside), "Missing end comment #}"
        elif brace == "{{":
            end, missing = find_end(self.text, inside, "}}"), "Missing end expression }}"
        else:
            word = _WORD.search(self.text, inside)
            python = word is None or word[0] not in _NOT_PYTHON
            end = find_end(self.text, inside, "%}") if python else self.text.find("%}", inside)
            missing = "Missing end block %}"
        if end < 0:
            raise self.fail(missing)
        return end
