"""Restart a program when its sources change, under the name Tornado gives the module.

With ``debug=True`` (or ``autoreload=True``) an application calls :func:`start` by itself. A program
of any kind is run and restarted, also after an error at import time, by::

    python -m cyclone.web.autoreload [--until-success] [-m module | script.py] [arguments...]
"""

from __future__ import annotations

import importlib.util
import runpy
import sys
import traceback

from ._autoreload import add_reload_hook, start, wait, watch
from ._log import general_log

_USAGE = "usage: python -m cyclone.web.autoreload [--until-success] [-m module | script] ..."

__all__ = ["add_reload_hook", "main", "start", "wait", "watch"]


def main() -> None:
    """Run a module or script as ``__main__``; when it has ended, wait for a change and restart."""
    until_success, module, arguments = _parse(sys.argv[1:])
    if module is None and not arguments:
        print(_USAGE, file=sys.stderr)
        raise SystemExit(2)
    status = _run(module, arguments)
    if until_success and not status:
        return
    wait()


def _parse(arguments: list[str]) -> tuple[bool, str | None, list[str]]:
    """Split off our own options; as with Python itself, all behind the program is the program's."""
    until_success = arguments[:1] == ["--until-success"]
    arguments = arguments[1:] if until_success else arguments
    if arguments[:1] == ["-m"]:
        return until_success, arguments[1] if len(arguments) > 1 else None, arguments[2:]
    if arguments and arguments[0].startswith("-"):
        return until_success, None, []
    return until_success, None, arguments


def _run(module: str | None, arguments: list[str]) -> object:
    """Run the program; return its exit status, and watch all that took part in a failure."""
    before = sys.argv
    try:
        if module is not None:
            sys.argv = [before[0], *arguments]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            sys.argv = arguments
            runpy.run_path(arguments[0], run_name="__main__")
    except SystemExit as error:
        general_log.info("Program exited with status {status}", status=error.code)
        return error.code
    except Exception as error:
        general_log.error("Program ended with an exception", exc_info=error)
        for frame in traceback.extract_tb(error.__traceback__):
            watch(frame.filename)
        filename = getattr(error, "filename", None)
        if isinstance(filename, str):
            watch(filename)  # of a SyntaxError or TranslationError: no frame is in that file
        return 1
    finally:
        sys.argv = before
        _watch_program(module, arguments)
    general_log.info("Program ended")
    return 0


def _watch_program(module: str | None, arguments: list[str]) -> None:
    """Watch the program itself: runpy takes it out of sys.modules."""
    if module is None:
        watch(arguments[0])
        return
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return
    if spec is not None and spec.origin is not None:
        watch(spec.origin)


if __name__ == "__main__":
    main()
