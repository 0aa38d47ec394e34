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

    Function = Callable[[object], object]
    Converter = Callable[[object, Rendering | None], str]

_NUL = "\0"

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
    if isinstance(value, (str, bytes)):
        return xhtml_escape(value)
    if is_awaitable(value):
        return _place(value, rendering, escaped)
    return xhtml_escape(str(value))


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

    Whole lists of strings, or of ints, are joined and escaped at once. None when this cannot be
    done; then the loop has to be run. No code of the values is called here.
    """
    if (type(values) is not list and type(values) is not tuple) or not values:
        return None
    if convert is not escaped and convert is not plain:
        return None
    count = len(values)
    first = type(values[0])
    if type(values[-1]) is not first:
        # Mixed, as a row of a table often is: the try below would be a waste.
        return None
    if first is str:
        try:
            text = "\0".join(values)
        except TypeError:
            return None
        if text.count("\0") >= count:
            return None
        if convert is escaped:
            text = xhtml_escape(text)
        return f"{head}{before}{text.replace(_NUL, after + before)}{after}"
    if first is int and countOf(map(type, values), int) == count:
        return head + f"{_literal(before)}%d{_literal(after)}" * count % tuple(values)
    return None


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
    first = type(rows[0][0])
    if type(rows[0][-1]) is not first or type(rows[-1][-1]) is not first:
        return None
    if first is str:
        try:
            text = "\1".join(["\0".join(row) for row in rows])
        except TypeError:
            return None
        if text.count("\1") >= len(rows) or text.count("\0") > sum(map(len, rows)) - len(rows):
            return None
        if "\1" in before or "\1" in after:
            # The template's own text must not be taken for the end of a row.
            return None
        if convert is escaped:
            text = xhtml_escape(text)
        text = text.replace("\0", after + before)
        text = text.replace("\1", f"{after}{row_after}{row_before}{before}")
        return f"{head}{row_before}{before}{text}{after}{row_after}"
    width = len(rows[0])
    if first is int and countOf(map(len, rows), width) == len(rows):
        cells = tuple(chain.from_iterable(rows))
        if countOf(map(type, cells), int) == len(cells):
            row = f"{_literal(before)}%d{_literal(after)}" * width
            return head + f"{_literal(row_before)}{row}{_literal(row_after)}" * len(rows) % cells
    return None


def _literal(text: str) -> str:
    """Text as a part of a pattern for ``%``."""
    return text.replace("%", "%%") if "%" in text else text


def _takes_text(function: Function) -> bool:
    try:
        return function in _TAKE_TEXT
    except TypeError:
        return False


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
