"""Just enough of Python's tokens: where an expression ends, and which names it uses."""

import re
from collections.abc import Iterator
from keyword import iskeyword

# A string literal with its prefix, a comment, a name that is not an attribute, or a bracket. The
# possessive quantifiers keep an unterminated string from being read more than once.
_TOKEN = re.compile(
    r"""
    (?P<string>(?:(?<!\w)[bBfFrRuU]{1,2})?(?:
        \"\"\"(?:[^"\\]++|\\.|"(?!""))*+\"\"\" | '''(?:[^'\\]++|\\.|'(?!''))*+'''
      | "(?!"")(?:[^"\\\n]++|\\.)*+" | '(?!'')(?:[^'\\\n]++|\\.)*+' | \"\" | '' ))
  | (?P<broken>["'])
  | (?P<comment>\#)
  | (?P<open>[(\[{])
  | (?P<close>[)\]}])
  | (?P<name>(?<![\w.])[^\W\d]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
_SPECIAL = re.compile(r"[\"'#(\[{)\]}]")
_NAME = re.compile(r"(?<![\w.])[^\W\d]\w*")
_PAIRS = {")": "(", "]": "[", "}": "{"}


def find_end(text: str, start: int, closer: str) -> int:
    """Where the directive's ``closer`` (``}}`` or ``%}``) stands in ``text``, or -1.

    That is the first one, unless it is inside a string or an open bracket of the Python code and a
    later one is not: ``{{ {"a": {"b": 1}} }}`` and ``{{ "%}" }}`` are read as they are meant.
    """
    first = text.find(closer, start)
    if first < 0 or not _SPECIAL.search(text, start, first):
        return first
    depth: list[str] = []
    position = start
    while True:
        token = _TOKEN.search(text, position)
        end = text.find(closer, position)
        if end < 0:
            return first
        if not depth and (token is None or end <= token.start()):
            return end
        if token is None or token["broken"]:
            return first
        if token["comment"]:
            # A comment runs to the end of its line; outside brackets the directive ends it too.
            newline = text.find("\n", token.start())
            if newline < 0 or (not depth and end < newline):
                return first if depth else end
            position = newline
            continue
        if token["open"]:
            depth.append(token["open"])
        elif token["close"] and (not depth or depth.pop() != _PAIRS[token["close"]]):
            return first
        position = token.end()


def is_balanced(code: str) -> bool:
    """Whether strings and brackets of ``code`` are complete: it cannot reach outside its place."""
    depth: list[str] = []
    position = 0 if _SPECIAL.search(code) else len(code)
    while token := _TOKEN.search(code, position):
        position = token.end()
        if token["broken"]:
            return False
        if token["open"]:
            depth.append(token["open"])
        elif token["close"] and (not depth or depth.pop() != _PAIRS[token["close"]]):
            return False
        elif token["comment"]:
            position = code.find("\n", position)
            if position < 0:
                break
    return not depth


def names_in(code: str) -> Iterator[str]:
    """The names that ``code`` may look up: a superset, without attributes and keywords."""
    if '"' not in code and "'" not in code:
        for name in _NAME.findall(code):
            if not iskeyword(name):
                yield name
        return
    for token in _TOKEN.finditer(code):
        if token["name"]:
            if not iskeyword(token["name"]):
                yield token["name"]
        elif token["string"] and "f" in token["string"][:2].lower():
            yield from (
                name
                for name in _NAME.findall(token["string"].lstrip("fFrR"))
                if not iskeyword(name)
            )


def one_line(code: str) -> str:
    """``code`` with its line ends made blanks, where they mean nothing (no string, no comment)."""
    if "\n" not in code or '"""' in code or "'''" in code or "#" in code or "\\" in code:
        return code
    return " ".join(code.split("\n"))


def has_await(code: str) -> bool:
    """Whether ``code`` uses the keywords ``await`` or ``async`` (not merely in a string)."""
    if "await" not in code and "async" not in code:
        return False
    for token in _TOKEN.finditer(code):
        if token["name"] in ("await", "async"):
            return True
        if token["string"] and "f" in token["string"][:2].lower() and "await" in token["string"]:
            return True
    return False
