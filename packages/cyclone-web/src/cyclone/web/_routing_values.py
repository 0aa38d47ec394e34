"""Values out of a path, checked."""

from __future__ import annotations

from ._errors import HTTPError

_MAX_DIGITS = 40


def path_int(text: str | None, low: int = 0, high: int = 2**63 - 1) -> int:
    r"""Return the number that a group of a route caught, as by ``(\d+)``.

    HTTPError 404 for anything else than ASCII digits (with a minus if *low* is negative) and for a
    number outside of *low* to *high*. ``int()`` itself takes other scripts' digits and underscores,
    and refuses very long numbers with a ValueError, which would be a 500::

        def get(self, entry: str) -> None:
            number = path_int(entry)
    """
    digits = text or ""
    if low < 0:
        digits = digits.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()) or len(digits.lstrip("0")) > _MAX_DIGITS:
        raise HTTPError(404)
    magnitude = int(digits.lstrip("0") or "0")
    number = -magnitude if text is not None and text.startswith("-") else magnitude
    if not low <= number <= high:
        raise HTTPError(404)
    return number
