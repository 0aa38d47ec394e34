"""Translations in CSV files."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from io import StringIO
from itertools import chain
from pathlib import Path

from cyclone.locale._cldr import CATEGORIES
from cyclone.locale._errors import TranslationError, log, printable
from cyclone.locale._registry import Messages

FORMS = ("unknown", "singular", "plural", *CATEGORIES)
"""What the third column of a CSV file may say; an empty or missing one means ``unknown``."""

_FILE_NAME = re.compile(r"([a-z]+(?:_[A-Z][a-z]{3})?(?:_(?:[A-Z]+|[0-9]{3}))?)\.csv")
_END = "\x1dend of file"


def find_csv(directory: Path) -> list[tuple[str, Path]]:
    """The locale code and path of each ``CODE.csv`` in a directory, sorted.

    Raises `OSError` when the directory cannot be read. A CSV file whose name is no locale code is
    logged and left out.
    """
    found = []
    for path in sorted(directory.iterdir()):
        if path.suffix != ".csv":
            continue
        code = locale_of(path)
        if code is None:
            log().error("Unrecognized locale in the file name: %s", printable(str(path)))
        else:
            found.append((code, path))
    return found


def locale_of(path: Path) -> str | None:
    """The locale code that a CSV file's name tells."""
    match = _FILE_NAME.fullmatch(path.name)
    return match and match[1]


def detect_encoding(data: bytes) -> str:
    """UTF-16 if the bytes begin with its mark, else UTF-8 with or without one."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig"


def decode(data: bytes, encoding: str | None, name: str) -> str:
    """The text of a translation file; a `TranslationError` names the line that is not text."""
    encoding = encoding or detect_encoding(data)
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        lineno = data[: error.start].decode(encoding, "replace").count("\n") + 1
        raise TranslationError(f"not {encoding} text ({error.reason})", name, lineno) from None


def rows(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV file with the line each starts on.

    Raises `TranslationError` on a quoted field that never ends or a field that is too long.
    """
    # A row of our own marks the end: an unfinished quoted field would swallow it.
    lines = chain(StringIO(text, newline=""), ["\n", _END])
    reader = csv.reader(lines)
    lineno = 1
    try:
        for row in reader:
            if row == [_END]:
                return
            if row and row[-1].endswith(_END):
                raise TranslationError("a quoted field is not closed", name, lineno)
            yield lineno, row
            lineno = reader.line_num + 1
    except csv.Error as error:
        raise TranslationError(str(error), name, lineno) from None


def read_csv(path: Path, encoding: str | None = None) -> Messages:
    """The translations in one CSV file.

    Rows of one column are ignored, and so are rows without a translation. A row with an unknown
    plural form is logged with file and line, and left out.
    """
    messages: Messages = {}
    name = str(path)
    for lineno, row in rows(decode(path.read_bytes(), encoding, name), name):
        if len(row) < 2:
            continue
        message, translation, form = (cell.strip() for cell in (*row, "")[:3])
        form = form or "unknown"
        if form not in FORMS:
            place = f"{name}:{lineno}"
            log().error("%s: unrecognized plural form %a", printable(place), form)
        elif translation:
            texts = messages.setdefault(form, {})
            texts[message] = texts[row[0]] = translation
    return messages
