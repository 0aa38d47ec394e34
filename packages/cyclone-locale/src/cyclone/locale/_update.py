"""Brings a CSV translation file or a ``.pot`` up to date with the messages of the source."""

from __future__ import annotations

import codecs
import csv
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path

from cyclone.locale._cldr import plural_categories
from cyclone.locale._collect import Messages, catalog
from cyclone.locale._csv import decode, detect_encoding, locale_of, rows
from cyclone.locale._errors import TranslationError


@dataclass(frozen=True)
class Update:
    """What a file is to hold, and how that differs from what it holds."""

    path: Path
    data: bytes
    changed: bool
    summary: str


def update_csv(path: Path, messages: Messages, encoding: str | None = None) -> Update:
    """The CSV file with a row for every message that has none yet, its translation left empty.

    What the file holds stays as it is, byte for byte; new rows go to its end. A plural message gets
    one row for each plural category of the file's language. Contexts are left out: CSV
    has none. Raises `TranslationError` if the file is broken or its name is no locale code.
    """
    code = locale_of(path)
    if code is None:
        raise TranslationError("the name of a CSV file is its locale: CODE.csv", str(path))
    old = path.read_bytes() if path.exists() else b""
    text = decode(old, encoding, str(path))
    known = _known(text, str(path))
    wanted: dict[tuple[str, str], None] = {}
    for key in messages:
        wanted.update(dict.fromkeys(_new_rows(key.message, key.plural, code, known)))
    used = {key.message for key in messages} | {key.plural for key in messages}
    unused = len({message for message, _ in known} - used)
    added = _csv_text(wanted, "\r\n" if "\r\n" in text else "\n")
    if added and text and not text.endswith(("\n", "\r")):
        added = ("\r\n" if "\r\n" in text else "\n") + added
    summary = f"{path}: {len(wanted)} new rows, {unused} messages not in the source"
    data = _encode(text + added, old, encoding) if added else old
    return Update(path, data, bool(added) or not path.exists(), summary)


def _known(text: str, name: str) -> set[tuple[str, str]]:
    """The message and plural form of each row."""
    known = set()
    for _, row in rows(text, name):
        if len(row) > 1:
            form = row[2].strip() if len(row) > 2 else ""
            known.add((row[0].strip(), form or "unknown"))
    return known


def _new_rows(
    message: str, plural: str | None, code: str, known: set[tuple[str, str]]
) -> Iterable[tuple[str, str]]:
    if plural is None:
        return [] if (message.strip(), "unknown") in known else [(message, "")]
    names = {message.strip(), plural.strip()}
    if {(message.strip(), "singular"), (plural.strip(), "plural")} <= known:
        return []
    return [
        (message if category == "one" else plural, category)
        for category in plural_categories(code)
        if not any((name, category) in known for name in names)
    ]


def _csv_text(new: Iterable[tuple[str, str]], newline: str) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator=newline)
    for message, form in new:
        writer.writerow((message, "", form) if form else (message, ""))
    return buffer.getvalue()


def _encode(text: str, old: bytes, encoding: str | None) -> bytes:
    if encoding is None:
        encoding = detect_encoding(old)
        if encoding == "utf-8-sig" and not old.startswith(codecs.BOM_UTF8):
            encoding = "utf-8"
    return text.encode(encoding)


def update_pot(path: Path, messages: Messages, project: str, version: str) -> Update:
    """The ``.pot`` of all messages; unchanged if only its date would differ."""
    from babel.messages.pofile import write_po

    buffer = BytesIO()
    write_po(buffer, catalog(messages, project, version))
    data = buffer.getvalue()
    old = path.read_bytes() if path.exists() else b""
    changed = _undated(old) != _undated(data)
    return Update(path, data if changed else old, changed, f"{path}: {len(messages)} messages")


def _undated(data: bytes) -> list[bytes]:
    skipped = (b'"POT-Creation-Date', b"# Copyright", b"# FIRST AUTHOR", b'"Generated-By')
    return [line for line in data.splitlines() if not line.startswith(skipped)]


def write(update: Update) -> None:
    """Replace the file as a whole: whoever reads it meanwhile sees the old or the new one."""
    path = update.path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(update.data)
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
