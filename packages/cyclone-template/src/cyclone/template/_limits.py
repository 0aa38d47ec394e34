"""Bounds on what one template may ask of the compiler."""

MAX_DEPTH = 90
"""How deep directives may nest; Python itself allows 100 levels of indentation."""

MAX_FILES = 100
"""How long a chain of ``extends`` or of ``include`` may be."""


class Limits:
    """Bounds for compiling a template; over one of them a :class:`ParseError` is raised.

    ``max_size`` is in characters of one file. ``max_directives`` counts what the compiled template
    holds after includes are put in place, so that files that include each other many times over
    cannot grow without end.
    """

    __slots__ = ("max_directives", "max_size")

    def __init__(self, *, max_size: int = 16 * 1024 * 1024, max_directives: int = 200_000) -> None:
        self.max_size: int = max_size
        self.max_directives: int = max_directives


DEFAULT_LIMITS = Limits()
