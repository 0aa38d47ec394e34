"""Tracebacks that show the template's files and lines instead of generated code."""

from __future__ import annotations

import re
import sys
from types import CodeType, FrameType, TracebackType

from ._codegen import Location
from ._program import Program

_UNBOUND = re.compile(r"variable '(\w+)'")


def program_of(frame: FrameType) -> Program | None:
    """The template whose generated code a frame runs, if any."""
    program = frame.f_globals.get("_tt_program")
    if isinstance(program, Program) and frame.f_code.co_filename == program.filename:
        return program
    return None


def current_location() -> Location | None:
    """The template line being rendered: that of the nearest generated frame."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        program = program_of(frame)
        if program is not None:
            return program.location(frame.f_lineno)
        frame = frame.f_back
    return None


def translated(error: Exception) -> Exception:
    """``error`` with its traceback's generated frames replaced by the template lines they run.

    A variable that the namespace does not have is a ``NameError`` here, as it would be in Python.
    """
    entries = []
    traceback = error.__traceback__
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    if (isinstance(error, NameError) and type(error) is not NameError) or _is_free(error):
        error = _name_error(error, entries[-1])
    entry = result = None
    shown: Location | None = None
    # The first entry is the frame that catches: raising again adds it.
    for entry in reversed(entries[1:]):
        program = program_of(entry.tb_frame)
        if program is None:
            shown = None
            result = TracebackType(result, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
            continue
        location = program.location(entry.tb_lineno)
        # A comprehension or an apply on one line is two frames, which say the same.
        if shown is None or str(shown) != str(location):
            result = located(location, result, entry.tb_frame)
        shown = location
    try:
        return error.with_traceback(result)
    finally:
        # The new frames refer to this one: a variable left here would make a cycle of it all.
        del error, entries, traceback, result, entry


def _is_free(error: Exception) -> bool:
    return isinstance(error, NameError) and "free variable" in str(error)


def _name_error(error: Exception, last: TracebackType) -> Exception:
    program = program_of(last.tb_frame)
    match = _UNBOUND.search(str(error))
    if program is None or match is None or match[1] not in program.names:
        return error
    better = NameError(f"name {match[1]!r} is not defined", name=match[1])
    better.__context__ = error.__context__
    better.__cause__ = error.__cause__
    better.__suppress_context__ = error.__suppress_context__
    return better


def located(
    location: Location, result: TracebackType | None, frame: FrameType | None = None
) -> TracebackType:
    """Traceback entries for a template line and the lines that included it, outermost first."""
    variables = {}
    if frame is not None:
        hidden = ("_tt_", "__")
        variables = {k: v for k, v in frame.f_locals.items() if not k.startswith(hidden)}
    name = f"template  # {location}"
    place = location
    try:
        while True:
            result = _entry(place, name, variables, result)
            if place.parent is None:
                return result
            place, name = place.parent, "template"
    finally:
        del frame, result, variables


def _entry(
    location: Location, name: str, variables: dict[str, object], after: TracebackType | None
) -> TracebackType:
    template = location.template
    filename = template.path or template.name
    if template.path is None:
        _remember(filename, template.source)
    code = compile("raise _tt_stop", filename, "exec")
    code = code.replace(co_name=name, co_firstlineno=location.line, co_linetable=_line_table(code))
    entry = None
    try:
        exec(code, {"__name__": template.name, "_tt_stop": _Stop}, variables)
    except _Stop as stop:
        entry = stop.__traceback__.tb_next if stop.__traceback__ else None
    try:
        if entry is None:
            raise RuntimeError("a frame was not made")
        return TracebackType(after, entry.tb_frame, entry.tb_lasti, location.line)
    finally:
        del after, entry, variables


class _Stop(BaseException):
    """Raised to get hold of a frame."""


def _line_table(code: CodeType) -> bytes:
    """All instructions on the first line, without columns: those of the template are not Python's.

    The format is that of PEP 626's successor in CPython 3.11+ (``Objects/locations.md``): entry
    kind 13 is "line only", for up to eight code units.
    """
    units = len(code.co_code) // 2
    table = bytearray()
    while units > 0:
        length = min(units, 8)
        table += bytes((0x80 | 13 << 3 | length - 1, 0))
        units -= length
    return bytes(table)


def _remember(filename: str, source: str) -> None:
    """Let :mod:`linecache` know the text of a template that is in no file."""
    import linecache

    lines = [f"{line}\n" for line in source.split("\n")]
    linecache.cache[filename] = (len(source), None, lines, filename)
