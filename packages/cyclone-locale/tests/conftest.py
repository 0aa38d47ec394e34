"""Fixtures of the locale tests."""

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest

from cyclone.locale import _registry


@pytest.fixture(autouse=True)
def fresh_registry() -> Iterator[None]:
    """No translations at the start of a test, and none left behind."""
    _registry.replace(lambda old: _registry.Snapshot())
    yield
    _registry.replace(lambda old: _registry.Snapshot())


@pytest.fixture
def csv_folder(tmp_path: Path) -> Callable[..., Path]:
    """Writes ``CODE=text`` into ``CODE.csv`` files and gives their folder."""

    def make(**files: str | bytes) -> Path:
        folder = tmp_path / "csv"
        folder.mkdir(exist_ok=True)
        for code, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (folder / f"{code}.csv").write_bytes(data)
        return folder

    return make


PO = """
msgid ""
msgstr ""
"Language: fr\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "school"
msgstr "école"

msgid "file"
msgid_plural "files"
msgstr[0] "fichier"
msgstr[1] "fichiers"

msgctxt "law"
msgid "right"
msgstr "le droit"

msgctxt "good"
msgid "right"
msgstr "le bien"

msgctxt "organization"
msgid "club"
msgid_plural "clubs"
msgstr[0] "le club"
msgstr[1] "les clubs"

msgctxt "stick"
msgid "club"
msgid_plural "clubs"
msgstr[0] "le bâton"
msgstr[1] "les bâtons"
"""


@pytest.fixture
def mo_folder(tmp_path: Path) -> Callable[..., Path]:
    """Compiles ``LANGUAGE=po text`` into ``LANGUAGE/LC_MESSAGES/app.mo``."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    def make(**catalogues: str) -> Path:
        folder = tmp_path / "mo"
        for language, po in catalogues.items():
            target = folder / language / "LC_MESSAGES" / "app.mo"
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("wb") as file:
                write_mo(file, read_po(BytesIO(po.encode())))
        return folder

    return make


@pytest.fixture
def french_po() -> str:
    return PO
