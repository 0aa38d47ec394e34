"""Many values at once: the output of loops, joined and escaped in few operations.

Work goes in portions whose text the processor's cache and the allocator's small blocks can hold.
"""

from __future__ import annotations

from itertools import chain
from operator import countOf

from cyclone.escape import xhtml_escape

from ._runtime import escaped, plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ._runtime import Converter

# What "%s" makes of them is their text, and none of them can be derived from with its own.
_PLAIN = frozenset({str, int, float, bool, type(None)})

# So many pieces are encoded one by one.
_FEW = 64
# How many values of a table are joined together.
_PORTION = 2000
# How many pieces are escaped together, and from how many rows on each column by itself.
_BLOCK = 128
_MANY_ROWS = 16
_MOST_ROWS = 1024


def finished(pieces: list[str], width: int, first: int = 0) -> str:
    """The output of pieces that are by turns a value not yet escaped and text that is.

    ``width`` is the number of pieces after which the same expressions follow again, or 0. Those are
    escaped together, for one that never gives anything to escape, as a number or a date, is the
    rule; the ``first`` of them, where there is no value, are left out. Otherwise it is so many
    values in a row.
    """
    length = len(pieces)
    if not width or length < _MANY_ROWS * width:
        for start in range(0, length, _BLOCK):
            _escape(pieces, start, start + _BLOCK, 2)
    else:
        reach = _MOST_ROWS * width
        for block in range(0, length, reach):
            for start in range(block + first, block + width, 2):
                _escape(pieces, start, block + reach, width)
    return "".join(pieces)


def _escape(pieces: list[str], start: int, stop: int, step: int) -> None:
    values = pieces[start:stop:step]
    text = "\0".join(values)
    if "&" in text or "<" in text or "'" in text or '"' in text or ">" in text:
        parts = xhtml_escape(text).split("\0")
        if len(parts) != len(values):
            # A value holds the separator itself.
            parts = [xhtml_escape(value) for value in values]
        pieces[start:stop:step] = parts


def encoded(pieces: list[str]) -> bytes:
    """The output as UTF-8.

    One letter that is not ASCII makes CPython encode the whole text letter by letter: where the
    pieces are few, as after loops that were joined, most of them may still be ASCII.
    """
    if len(pieces) == 1:
        return pieces[0].encode("utf-8")
    if len(pieces) > _FEW:
        return "".join(pieces).encode("utf-8")
    return b"".join([piece.encode("utf-8") for piece in pieces])


def ended(pieces: list[str], width: int, first: int = 0) -> str:
    """The output of pieces that are all ready."""
    return "".join(pieces)


def joined(values: object, convert: Converter, head: str, before: str, after: str) -> str | None:
    """The output of a loop over a list whose body prints the item between two texts.

    Whole lists of strings and numbers are joined and escaped at once. None when this cannot be
    done; then the loop has to be run. No code of the values is called here.
    """
    if (type(values) is not list and type(values) is not tuple) or not values:
        return None
    if convert is not escaped and convert is not plain:
        return None
    output = [head]
    for start in range(0, len(values), _PORTION):
        portion = values[start : start + _PORTION] if len(values) > _PORTION else values
        part = _joined(portion, convert is escaped, before, after)
        if part is None:
            return None
        output.append(part)
    return "".join(output)


def _joined(values: Sequence[object], escape: bool, before: str, after: str) -> str | None:
    count = len(values)
    if type(values[0]) is int and countOf(map(type, values), int) == count:
        return f"{_literal(before)}%d{_literal(after)}" * count % tuple(values)
    text = _joined_text(values)
    if text is None or text.count("\0") >= count:
        return None
    if escape:
        text = xhtml_escape(text)
    return f"{before}{_separated(text, after + before)}{after}"


def _joined_text(values: Sequence[object]) -> str | None:
    """The values as text with NUL between them, or None if one is not of the plainest types."""
    if type(values[0]) is str and type(values[-1]) is str:
        try:
            return "\0".join(values)  # type: ignore[arg-type]
        except TypeError:
            pass
    if not _PLAIN.issuperset(map(type, values)):
        return None
    return ("%s\0" * (len(values) - 1) + "%s") % tuple(values)


class _RowTexts:
    """The literal texts of a table: around each row, and around each cell in it."""

    __slots__ = ("after", "before", "row_after", "row_before")

    def __init__(self, row_before: str, before: str, after: str, row_after: str) -> None:
        self.row_before = row_before
        self.before = before
        self.after = after
        self.row_after = row_after


def joined_rows(
    rows: object,
    convert: Converter,
    head: str,
    row_before: str,
    before: str,
    after: str,
    row_after: str,
) -> str | None:
    """The same for a list of lists."""
    if (type(rows) is not list and type(rows) is not tuple) or not rows:
        return None
    kind = type(rows[0])
    if (kind is not list and kind is not tuple) or countOf(map(type, rows), kind) != len(rows):
        return None
    if (convert is not escaped and convert is not plain) or not min(map(len, rows)):
        return None
    if "\1" in before or "\1" in after:
        # The template's own text must not be taken for the end of a row.
        return None
    texts = _RowTexts(row_before, before, after, row_after)
    output = [head]
    portion = max(1, _PORTION // len(rows[0]))
    for start in range(0, len(rows), portion):
        part = _joined_rows(rows[start : start + portion], convert is escaped, texts)
        if part is None:
            return None
        output.append(part)
    return "".join(output)


def _joined_rows(rows: Sequence[Sequence[object]], escape: bool, texts: _RowTexts) -> str | None:
    width = len(rows[0])
    same = countOf(map(len, rows), width) == len(rows)
    if same and type(rows[0][0]) is int and type(rows[0][-1]) is int:
        cells = tuple(chain.from_iterable(rows))
        if countOf(map(type, cells), int) == len(cells):
            row = f"{_literal(texts.before)}%d{_literal(texts.after)}" * width
            row = f"{_literal(texts.row_before)}{row}{_literal(texts.row_after)}"
            return row * len(rows) % cells
    text = _joined_rows_text(rows, width if same else 0)
    if (
        text is None
        or text.count("\1") >= len(rows)
        or text.count("\0") > sum(map(len, rows)) - len(rows)
    ):
        return None
    if escape:
        text = xhtml_escape(text)
    first, last = texts.row_before + texts.before, texts.after + texts.row_after
    return f"{first}{_separated(text, texts.after + texts.before, last + first)}{last}"


def _joined_rows_text(rows: Sequence[Sequence[object]], width: int) -> str | None:
    """The cells with NUL between them and SOH between rows, which have ``width`` cells or 0."""
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


def _separated(text: str, cells: str, rows: str | None = None) -> str:
    """``text`` with literals in the place of the separators."""
    if text.isascii():
        # bytes.replace leaps from match to match, str.replace looks at every letter twice.
        data = text.encode().replace(b"\0", cells.encode())
        return (data if rows is None else data.replace(b"\1", rows.encode())).decode()
    text = text.replace("\0", cells)
    return text if rows is None else text.replace("\1", rows)


def _literal(text: str) -> str:
    """Text as a part of a pattern for ``%``."""
    return text.replace("%", "%%") if "%" in text else text
