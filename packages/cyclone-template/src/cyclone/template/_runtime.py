"""What generated code calls: from a value to the text that is printed.

Each function takes the value and the rendering at hand. That is None in ``Template.generate``,
which cannot wait; otherwise a value that has to be awaited leaves a place in the output.
"""

from __future__ import annotations

from itertools import chain
from operator import countOf

from cyclone.escape import json_encode, linkify, squeeze, url_escape, xhtml_escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeGuard

    from ._rendering import Rendering

    Row = list[object] | tuple[object, ...]
    Function = Callable[[object], object]
    Converter = Callable[[object, Rendering | None], str]

_NUL = "\0"
_MANY_ROWS = 16
_BLOCK = 256
_HEAP_TYPE = 1 << 9

# Types written in C, which are not made at run time, whose values are neither awaited nor text:
# asking a type costs more than printing its value.
_ordinary: set[type] = set()

# What "%s" makes of them is their text, and none of them can be derived from with its own.
_PLAIN = frozenset({str, int, float, bool, type(None)})

# These take text as well as bytes; any other function gets bytes, as it always has.
_TAKE_TEXT = frozenset({json_encode, linkify, squeeze, url_escape, xhtml_escape})


def escaped(value: object, rendering: Rendering | None) -> str:
    """The value as HTML-escaped text: the fast path of ``{{ value }}``."""
    if type(value) is str:
        # The same as xhtml_escape, without the cost of a call.
        if "&" in value or "<" in value:
            value = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            if '"' not in value and "'" not in value:
                return value
            return value.replace('"', "&quot;").replace("'", "&#x27;")
        if "'" in value:
            value = value.replace("'", "&#x27;")
        if '"' in value:
            value = value.replace('"', "&quot;")
        if ">" in value:
            value = value.replace(">", "&gt;")
        return value
    if type(value) is int:
        return f"{value}"
    if type(value) is float:
        return repr(value)
    if type(value) in _ordinary:
        return xhtml_escape(str(value))
    if isinstance(value, (str, bytes)):
        return xhtml_escape(value)
    if is_awaitable(value):
        return _place(value, rendering, escaped)
    _remember(type(value))
    return xhtml_escape(str(value))


def unescaped(value: object, rendering: Rendering | None) -> str:
    """The value as text that is going to be escaped with others, by :func:`finished`."""
    if type(value) is float:
        return repr(value)
    if type(value) in _ordinary:
        return str(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if is_awaitable(value):
        return _place(value, rendering, escaped)
    _remember(type(value))
    return str(value)


def finished(pieces: list[str], width: int) -> str:
    """The output of pieces that are by turns a value not yet escaped and text that is.

    ``width`` is the number of pieces after which the same expressions follow again, or 0. Those are
    escaped together, for one that never gives anything to escape, as a number or a date, is the
    rule. Otherwise it is so many values in a row.
    """
    length = len(pieces)
    if width and length >= _MANY_ROWS * width:
        starts, reach, step = range(0, width, 2), length, width
    else:
        starts, reach, step = range(0, length, _BLOCK), _BLOCK, 2
    for start in starts:
        values = pieces[start : start + reach : step]
        text = "\0".join(values)
        if "&" in text or "<" in text or "'" in text or '"' in text or ">" in text:
            escaped_values = xhtml_escape(text).split("\0")
            if len(escaped_values) != len(values):
                # A value holds the separator itself.
                escaped_values = [xhtml_escape(value) for value in values]
            pieces[start : start + reach : step] = escaped_values
    return "".join(pieces)


def ended(pieces: list[str], width: int) -> str:
    """The output of pieces that are all ready."""
    return "".join(pieces)


def plain(value: object, rendering: Rendering | None) -> str:
    """The value as text, unescaped: ``{% raw value %}`` and ``{% module %}``."""
    if isinstance(value, str):
        # Exactly a str: a subclass may print as something else.
        return value if type(value) is str else str.__str__(value)
    if isinstance(value, bytes):
        return value.decode("utf-8")
    if is_awaitable(value):
        return _place(value, rendering, plain)
    return str(value)


def converted(value: object, function: Function, rendering: Rendering | None) -> str:
    """The value as text given to an escape function of the template's own choice."""
    if is_awaitable(value):
        return _place(value, rendering, custom(function))
    if not isinstance(value, (str, bytes)):
        value = str(value)
    if type(value) is not str or not _takes_text(function):
        value = value.encode("utf-8") if isinstance(value, str) else value
    return plain(function(value), rendering)


def custom(function: Function) -> Converter:
    """A converter by a function that stands where ``xhtml_escape`` is expected."""
    if function is xhtml_escape:
        return escaped
    return lambda value, rendering: converted(value, function, rendering)


def applied(function: Function, output: str, rendering: Rendering | None) -> str:
    """``{% apply function %}``: the function's result for the output of the directive's content."""
    if rendering is not None and rendering.has_place(output):
        # The function has to see the awaited text, so its result is a place itself.
        return rendering.place_output(output, lambda text: applied(function, str(text), None))
    argument = output if _takes_text(function) else output.encode("utf-8")
    return plain(function(argument), rendering)


def joined(values: object, convert: Converter, head: str, before: str, after: str) -> str | None:
    """The output of a loop over a list whose body prints the item between two texts.

    Whole lists of strings and numbers are joined and escaped at once. None when this cannot be
    done; then the loop has to be run. No code of the values is called here.
    """
    if (type(values) is not list and type(values) is not tuple) or not values:
        return None
    if convert is not escaped and convert is not plain:
        return None
    count = len(values)
    if type(values[0]) is int and countOf(map(type, values), int) == count:
        return head + f"{_literal(before)}%d{_literal(after)}" * count % tuple(values)
    text = _joined_text(values)
    if text is None or text.count("\0") >= count:
        return None
    if convert is escaped:
        text = xhtml_escape(text)
    return f"{head}{before}{text.replace(_NUL, after + before)}{after}"


def _joined_text(values: list[object] | tuple[object, ...]) -> str | None:
    """The values as text with NUL between them, or None if one is not of the plainest types."""
    if type(values[0]) is str and type(values[-1]) is str:
        try:
            return "\0".join(values)  # type: ignore[arg-type]
        except TypeError:
            pass
    if not _PLAIN.issuperset(map(type, values)):
        return None
    return ("%s\0" * (len(values) - 1) + "%s") % tuple(values)


def joined_rows(
    rows: object,
    convert: Converter,
    head: str,
    row_before: str,
    before: str,
    after: str,
    row_after: str,
) -> str | None:
    """The same for a list of lists, in one go for all of them."""
    if (type(rows) is not list and type(rows) is not tuple) or not rows:
        return None
    kind = type(rows[0])
    if (kind is not list and kind is not tuple) or countOf(map(type, rows), kind) != len(rows):
        return None
    if (convert is not escaped and convert is not plain) or not min(map(len, rows)):
        return None
    width = len(rows[0])
    same = countOf(map(len, rows), width) == len(rows)
    if same and type(rows[0][0]) is int and type(rows[0][-1]) is int:
        cells = tuple(chain.from_iterable(rows))
        if countOf(map(type, cells), int) == len(cells):
            row = f"{_literal(before)}%d{_literal(after)}" * width
            return head + f"{_literal(row_before)}{row}{_literal(row_after)}" * len(rows) % cells
    text = _joined_rows_text(rows, width if same else 0)
    if (
        text is None
        or text.count("\1") >= len(rows)
        or text.count("\0") > sum(map(len, rows)) - len(rows)
        # The template's own text must not be taken for the end of a row.
        or "\1" in before
        or "\1" in after
    ):
        return None
    if convert is escaped:
        text = xhtml_escape(text)
    text = text.replace("\0", after + before)
    text = text.replace("\1", f"{after}{row_after}{row_before}{before}")
    return f"{head}{row_before}{before}{text}{after}{row_after}"


def _joined_rows_text(rows: list[Row] | tuple[Row, ...], width: int) -> str | None:
    """The same for rows of ``width`` cells each, or 0 if they differ, with SOH between them."""
    if type(rows[0][0]) is str and type(rows[0][-1]) is str and type(rows[-1][-1]) is str:
        try:
            return "\1".join(["\0".join(row) for row in rows])  # type: ignore[arg-type]
        except TypeError:
            pass
    cells = tuple(chain.from_iterable(rows))
    if not width or not _PLAIN.issuperset(map(type, cells)):
        return None
    row = "%s\0" * (width - 1) + "%s"
    return (f"{row}\1" * (len(rows) - 1) + row) % cells


def _literal(text: str) -> str:
    """Text as a part of a pattern for ``%``."""
    return text.replace("%", "%%") if "%" in text else text


def _takes_text(function: Function) -> bool:
    try:
        return function in _TAKE_TEXT
    except TypeError:
        return False


def _remember(kind: type) -> None:
    """Remember a type whose values print as ``str`` says, if it is there for good.

    Whether a generator is awaited depends on its code.
    """
    if not kind.__flags__ & _HEAP_TYPE and not hasattr(kind, "gi_code"):
        _ordinary.add(kind)


def is_awaitable(value: object) -> TypeGuard[Awaitable[object]]:
    """Whether a value has to be awaited: a coroutine, a future, a Twisted ``Deferred``..."""
    if hasattr(type(value), "__await__"):
        return True
    code = getattr(value, "gi_code", None)
    # CO_ITERABLE_COROUTINE: a generator made awaitable by types.coroutine.
    return code is not None and bool(getattr(code, "co_flags", 0) & 0x100)


def _place(value: Awaitable[object], rendering: Rendering | None, convert: Converter) -> str:
    from ._rendering import refuse_awaitable

    if rendering is None:
        raise refuse_awaitable(value)
    return rendering.place(value, lambda result: convert(result, rendering))
