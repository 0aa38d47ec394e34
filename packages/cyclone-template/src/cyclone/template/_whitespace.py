"""White space of the literal text."""

import re

_BLANKS = re.compile(r"[\t ]+")
_SPACES = re.compile(r"\s+")

MODES = frozenset({"all", "single", "oneline"})


def filter_whitespace(mode: str, text: str) -> str:
    """Treat the white space in ``text`` according to ``mode``.

    ``all`` keeps it. ``single`` makes one blank of several, and one newline of any run that has a
    newline in it. ``oneline`` makes one blank of every run. Raises ``ValueError`` for another mode.
    """
    if mode == "all":
        return text
    if mode == "single":
        return _SPACES.sub(_single, _BLANKS.sub(" ", text))
    if mode == "oneline":
        return _SPACES.sub(" ", text)
    raise ValueError(f"unknown whitespace mode {mode!r}: use all, single or oneline")


def _single(run: re.Match[str]) -> str:
    return "\n" if "\n" in run[0] else run[0]
