"""What goes wrong in cyclone.locale, and where it is logged."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from logging import Logger


class TranslationError(ValueError):
    """A translation file that cannot be read.

    ``filename`` is the file's path and ``lineno`` the line (from 1), or 0 where the format has
    no lines. The message starts with both, so that ``str(error)`` can be shown as it is.
    """

    def __init__(self, message: str, filename: str, lineno: int = 0) -> None:
        place = f"{filename}:{lineno}" if lineno else filename
        super().__init__(f"{printable(place)}: {message}")
        self.filename = filename
        self.lineno = lineno


def printable(text: str) -> str:
    r"""``text`` with control characters and lone surrogates written as ``\x0a``, ``\ud800``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def log() -> Logger:
    """The logger of this package; ``logging`` is imported only when something is to be said."""
    import logging

    return logging.getLogger("cyclone.general")


def fill(translated: str, source: str, values: Mapping[str, object]) -> str:
    """A translated pattern with its values; the source's own pattern if a translator broke it."""
    try:
        return translated % values
    except (KeyError, TypeError, ValueError) as error:
        log().error("Broken translation %a of %a (%s)", translated, source, printable(repr(error)))
        return source % values
