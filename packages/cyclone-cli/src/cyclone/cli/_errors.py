"""Why a program cannot be started."""

from __future__ import annotations


class StartError(Exception):
    """The application cannot be started; the message is one line for the user.

    ``exit_code`` is what the process ends with: 2 when the command line is wrong (no such module or
    attribute), 1 when what it names cannot be had (a port in use, an application that raises).
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def in_one_line(error: BaseException) -> str:
    """Name the error and what it says, with the file and line of a syntax error."""
    text = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {text}" if text else name
