"""Why a program cannot be started."""

from __future__ import annotations

import os
import sysconfig
import traceback

_HERE = os.path.dirname(os.path.abspath(__file__))
#: Where code is that is not the program's own.
_OTHERS = (_HERE, *{sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})


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
    kind = type(error)
    name = f"{kind.__module__}.error" if kind.__name__ == "error" else kind.__name__
    return f"{name}: {text}" if text else name


def with_place(error: BaseException) -> str:
    """The same, with the innermost line of the program itself that was being run."""
    text = in_one_line(error)
    if isinstance(error, SyntaxError):
        return text
    own = [
        f"{os.path.relpath(frame.filename)}, line {frame.lineno}"
        for frame in traceback.extract_tb(error.__traceback__)
        if os.path.isfile(frame.filename) and not frame.filename.startswith(_OTHERS)
    ]
    return f"{text} ({own[-1]})" if own else text
