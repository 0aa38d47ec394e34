"""What generated code calls: from a value to the text that is printed.

Each function takes the value and the rendering at hand. That is None in ``Template.generate``,
which cannot wait; otherwise a value that has to be awaited leaves a place in the output.
"""

from __future__ import annotations

from cyclone.escape import json_encode, linkify, squeeze, url_escape, xhtml_escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeGuard

    from ._rendering import Rendering

    Function = Callable[[object], object]
    Converter = Callable[[object, Rendering | None], str]

_HEAP_TYPE = 1 << 9

# Types written in C, which are not made at run time, whose values are neither awaited nor text:
# asking a type costs more than printing its value.
_ordinary: set[type] = set()

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
    """The value as text that is going to be escaped with others, by ``_bulk.finished``."""
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
    try:
        argument: object = output if function in _TAKE_TEXT else output.encode("utf-8")
    except TypeError:
        # A callable that cannot be hashed.
        argument = output.encode("utf-8")
    result = function(argument)
    return result if type(result) is str else plain(result, rendering)


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
