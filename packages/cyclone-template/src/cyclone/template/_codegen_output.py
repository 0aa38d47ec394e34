"""How text and values that follow each other are added to the output.

Outside of loops they make one f-string, in which each value is escaped by a call. Where many values
come, it is cheaper to collect them as they are, each followed by the text after it, and to escape
them together at the end (``_bulk.finished``): that is "deferred" here. What a value is, is
looked at when it is printed in either case.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ._codegen import Location

# More values than this in one tuple display make CPython build a list first.
MAX_RUN = 24
MAX_PAIRS = 15
# No more than this is held back, so that compiling stays linear in time.
MAX_ITEMS = 120
# From so many values on it pays to escape them together.
MANY = 8
# Longer text is not written twice.
_SHORT = 200

_SPECIAL = re.compile(r"[&<>\"'\\]")
_NOT_IN_FSTRING = re.compile(r"[\\#{}\n]")


class Item:
    """Something to print: Python source that gives its text.

    ``deferred`` is other source, for its text before it is escaped, or None if that text is not to
    be escaped. ``rest`` is then ready text after it, or None. ``texts`` are the literal texts among
    which the item is a choice, each with its condition but the last, or nothing.
    """

    __slots__ = ("code", "deferred", "location", "rest", "texts")

    def __init__(
        self,
        code: str,
        location: Location,
        *,
        deferred: str | None = None,
        rest: Item | None = None,
        texts: Sequence[tuple[str, str]] = (),
    ) -> None:
        self.code = code
        self.location = location
        self.deferred = deferred
        self.rest = rest
        self.texts = texts


def escaped_value(code: str, escape: str, location: Location) -> Item:
    """A value to be escaped by the function named ``escape``, one of the two that are ours.

    Most values are strings, then come ints; no other type is told apart without a call.
    """
    call = f"_tt_e_{escape}({code}, _tt_p)"
    name, test = (code, code) if code.isidentifier() else ("_tt_v", f"_tt_v := {code}")
    deferred = (
        f"{name} if _tt_type({test}) is _tt_str else "
        f"f'{{{name}}}' if _tt_type({name}) is _tt_int else _tt_d_{escape}({name}, _tt_p)"
    )
    return Item(call, location, deferred=deferred)


def chosen(branches: Sequence[tuple[str, Item]], location: Location) -> Item:
    """The item that is one of several; each has its condition but the last, which has none."""
    ready = _ready([(condition, item.code) for condition, item in branches], location)
    if all(item.deferred is None for _, item in branches):
        return ready
    if all(item.deferred is not None or is_harmless(item.code) for _, item in branches):
        either = [(condition, f"({item.deferred or item.code})") for condition, item in branches]
        return Item(ready.code, location, deferred=_conditional(either))
    if len(branches) != 2:
        return ready
    # One is a value and the other is ready text; the condition is evaluated once.
    (condition, first), (_, second) = branches
    if first.deferred is not None:
        late = f"'' if (_tt_w := not ({condition})) else {first.deferred}"
        rest = second.code
    else:
        late = f"'' if (_tt_w := not not ({condition})) else {second.deferred}"
        rest = first.code
    after = _ready([("_tt_w", rest), ("", "''")], location)
    return Item(ready.code, location, deferred=late, rest=after)


def _ready(branches: Sequence[tuple[str, str]], location: Location) -> Item:
    texts = branches if all(is_literal(code) for _, code in branches) else ()
    return Item(f"({_conditional(branches)})", location, texts=texts)


def _conditional(branches: Sequence[tuple[str, str]]) -> str:
    return " else ".join(
        f"{code} if ({condition})" if condition else code for condition, code in branches
    )


def is_literal(code: str) -> bool:
    """Whether an item of the output is literal text."""
    return code[0] in "'\""


def is_harmless(code: str) -> bool:
    """Whether an item is literal text that stays as it is when it is escaped."""
    return is_literal(code) and not _SPECIAL.search(code, 1, len(code) - 1)


def fits_fstring(code: str) -> bool:
    """Whether an f-string of Python 3.11 can hold ``code``."""
    return not _NOT_IN_FSTRING.search(code) and not ("'" in code and '"' in code)


def in_fstring(code: str) -> str:
    """An f-string of nothing but ``code``; text beside it becomes part of the same string."""
    quote = '"' if "'" in code else "'"
    return f"f{quote}{{{code}}}{quote}"


def is_glued(item: Item) -> bool:
    """Whether an item can be part of a string with its neighbours."""
    return is_literal(item.code) or fits_fstring(item.code)


def fused(run: Sequence[Item]) -> Iterator[tuple[str, Location]]:
    """The lines that add a run to the output, as one string where possible.

    What an f-string of Python 3.11 cannot hold stands by itself in a tuple.
    """
    glued = [is_glued(item) for item in run]
    head = "_tt_out.append(" if all(glued) or len(run) == 1 else "_tt_out += ("
    last = len(run) - 1
    for index, item in enumerate(run):
        code = item.code
        if glued[index] and not is_literal(code):
            code = in_fstring(code)
        if index == 0:
            code = head + code
        if index == last:
            code += ")"
        elif not (glued[index] and glued[index + 1]):
            code += ","
        yield code, item.location


def concatenated(items: Sequence[Item]) -> str:
    """An expression for the text of all items."""
    if not all(is_glued(item) for item in items):
        return f"''.join(({', '.join(item.code for item in items)},))"
    return (
        " ".join(item.code if is_literal(item.code) else in_fstring(item.code) for item in items)
        or "''"
    )


def paired(run: Sequence[Item]) -> Iterator[list[tuple[str, Location]]]:
    """The same as pairs of a value to be escaped and ready text, each with the lines it takes."""
    value: Item | None = None
    texts: list[Item] = []
    for item in _merged(run):
        follows = item.deferred is None and (not texts or (is_glued(texts[-1]) and is_glued(item)))
        if not follows and (value is not None or texts):
            yield _pair(value, texts)
            value, texts = None, []
        if item.deferred is not None:
            value = item
        else:
            texts.append(item)
    yield _pair(value, texts)


def _pair(value: Item | None, texts: Sequence[Item]) -> list[tuple[str, Location]]:
    lines = [] if value is None else [(f"{value.deferred},", value.location)]
    for item in texts:
        alone = len(texts) == 1 or is_literal(item.code)
        lines.append((item.code if alone else in_fstring(item.code), item.location))
    if value is None:
        lines[0] = f"'', {lines[0][0]}", lines[0][1]
    end = "," if texts else " '',"
    lines[-1] = f"{lines[-1][0]}{end}", lines[-1][1]
    return lines


def _merged(run: Sequence[Item]) -> Iterator[Item]:
    """The items of a run, in which literal text goes into the choice of texts beside it."""
    held: Item | None = None
    for whole in run:
        for item in (whole,) if whole.rest is None else (whole, whole.rest):
            together = held and _together(held, item)
            if held is not None and together is None:
                yield held
            held = together or item
    if held is not None:
        yield held


def _together(first: Item, second: Item) -> Item | None:
    """One choice of texts made of one and the literal text beside it; None for anything else."""
    for choice, text in ((first, second), (second, first)):
        if choice.texts and is_literal(text.code) and len(text.code) <= _SHORT:
            ends = ("", f" {text.code}") if choice is first else (f"{text.code} ", "")
            texts = [(condition, code.join(ends)) for condition, code in choice.texts]
            return Item(f"({_conditional(texts)})", choice.location, texts=texts)
    return None
