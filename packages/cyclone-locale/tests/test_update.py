"""Bringing translation files up to date."""

import os
from pathlib import Path

import pytest

from cyclone.locale import TranslationError
from cyclone.locale._collect import Key, Messages, Uses
from cyclone.locale._csv import read_csv
from cyclone.locale._update import update_csv, update_pot, write


def found(*keys: Key) -> Messages:
    return {key: Uses([("app.py", 1)]) for key in keys}


FILE = Key("%(n)d file", "%(n)d files")


@pytest.mark.parametrize(
    ("code", "rows"),
    [
        ("de", ['"%(n)d file","","one"', '"%(n)d files","","other"']),
        ("ja", ['"%(n)d files","","other"']),
        (
            "cs_CZ",
            [
                '"%(n)d file","","one"',
                '"%(n)d files","","few"',
                '"%(n)d files","","many"',
                '"%(n)d files","","other"',
            ],
        ),
    ],
)
def test_a_new_file(tmp_path: Path, code: str, rows: list[str]) -> None:
    update = update_csv(tmp_path / f"{code}.csv", found(Key('Say "hi"'), FILE))
    assert update.changed
    assert update.data.decode().splitlines() == ['"Say ""hi""",""', *rows]
    write(update)
    assert read_csv(update.path) == {}
    assert not update_csv(update.path, found(Key('Say "hi"'), FILE)).changed


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"a,b", b'a,b\n"new",""\n', id="no last newline"),
        pytest.param(b"a,b\r\n", b'a,b\r\n"new",""\r\n', id="CRLF"),
        pytest.param(b"a,b\r\nc,d", b'a,b\r\nc,d\r\n"new",""\r\n', id="CRLF, no last one"),
        pytest.param(b"# note\n\na , b\n", b'# note\n\na , b\n"new",""\n', id="as it was"),
        pytest.param(b"\xef\xbb\xbfa,b\n", b'\xef\xbb\xbfa,b\n"new",""\n', id="UTF-8 with mark"),
        pytest.param(
            "a,é\n".encode("utf-16"), 'a,é\n"new",""\n'.encode("utf-16"), id="UTF-16"
        ),
    ],
)  # fmt: skip
def test_what_is_there_stays(tmp_path: Path, old: bytes, new: bytes) -> None:
    path = tmp_path / "fr.csv"
    path.write_bytes(old)
    update = update_csv(path, found(Key("a"), Key("new")))
    assert update.data == new
    assert update_csv(path, found(Key("a"))).data == old
    assert not update_csv(path, found(Key("a"))).changed


def test_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "fr.csv"
    path.write_bytes("a,é\n".encode("latin-1"))
    assert update_csv(path, found(Key("ü")), "latin-1").data == 'a,é\n"ü",""\n'.encode("latin-1")


@pytest.mark.parametrize(
    "old",
    [
        "%(n)d file,x,singular\n%(n)d files,y,plural\n",
        "%(n)d file,x,one\n%(n)d files,y,few\n%(n)d file,y,many\n%(n)d files,,other\n",
    ],
)
def test_a_plural_that_is_there(tmp_path: Path, old: str) -> None:
    path = tmp_path / "cs.csv"
    path.write_text(old)
    assert not update_csv(path, found(FILE)).changed


def test_messages_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "fr.csv"
    path.write_text("a,b\nJanuary,janvier\n")
    update = update_csv(path, found(Key("a"), Key("c"), Key("right", None, "x"), Key("right")))
    assert update.summary == f"{path}: 2 new rows, 1 messages not in the source"


def test_a_broken_file(tmp_path: Path) -> None:
    path = tmp_path / "fr.csv"
    path.write_text('a,b\nc,"d\n')
    with pytest.raises(TranslationError, match=r"fr\.csv:2: "):
        update_csv(path, found(Key("a")))


def test_a_name_that_is_no_locale(tmp_path: Path) -> None:
    with pytest.raises(TranslationError, match=r"CODE\.csv"):
        update_csv(tmp_path / "Messages.csv", found())


def test_pot(tmp_path: Path) -> None:
    path = tmp_path / "app.pot"
    update = update_pot(path, found(FILE, Key("right", None, "law")), "Shop", "1.0")
    text = update.data.decode()
    assert 'msgid_plural "%(n)d files"' in text
    assert 'msgctxt "law"' in text
    assert "Shop 1.0" in text
    assert "#: app.py:1" in text
    write(update)
    assert path.read_bytes() == update.data


def test_a_pot_is_not_rewritten_for_its_date(tmp_path: Path) -> None:
    path = tmp_path / "app.pot"
    messages = found(Key("a"))
    data = update_pot(path, messages, "P", "1").data
    path.write_bytes(data.replace(b"POT-Creation-Date: 20", b"POT-Creation-Date: 19"))
    again = update_pot(path, messages, "P", "1")
    assert not again.changed
    assert again.data == path.read_bytes()
    assert update_pot(path, found(Key("b")), "P", "1").changed


def test_write_keeps_the_mode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "new" / "fr.csv"
    write(update_csv(path, found(Key("a"))))
    path.chmod(0o640)
    link = tmp_path / "de.csv"
    link.symlink_to(path)
    write(update_csv(link, found(Key("b"))))
    assert link.is_symlink()
    assert path.read_text() == '"a",""\n"b",""\n'
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(path.parent) == ["fr.csv"]
