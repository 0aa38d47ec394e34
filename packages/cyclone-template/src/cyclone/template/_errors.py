"""What goes wrong with a template, and where."""


class TemplateError(Exception):
    """Base class of the errors that the template engine itself raises.

    An exception raised *inside* a template (by an expression or a called function) passes through
    unchanged; its traceback shows the template's lines.
    """


class ParseError(TemplateError):
    """The template cannot be compiled.

    ``message`` says why, ``filename`` (the template's name) and ``lineno`` where, as in Python's
    ``SyntaxError``. ``directive`` is the text of the directive concerned, or "".
    """

    def __init__(
        self, message: str, filename: str | None = None, lineno: int = 0, directive: str = ""
    ) -> None:
        super().__init__(message, filename, lineno, directive)
        self.message = message
        self.filename = filename
        self.lineno = lineno
        self.directive = directive
        if directive:
            shown = directive if len(directive) <= 200 else f"{directive[:200]}..."
            self.add_note(f"    {shown}")

    def __str__(self) -> str:
        return f"{self.message} at {self.filename}:{self.lineno}"


class TemplateNotFoundError(ParseError, FileNotFoundError, KeyError):
    """A template that another one extends or includes does not exist.

    It is what the loaders raise for a missing template too (``FileNotFoundError`` from files,
    ``KeyError`` from a dictionary), so one ``except`` clause serves both.
    """

    def __init__(self, message: str, filename: str | None = None, lineno: int = 0) -> None:
        ParseError.__init__(self, message, filename, lineno)

    def __str__(self) -> str:
        return ParseError.__str__(self)
