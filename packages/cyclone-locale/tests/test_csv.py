"""CSV translation files."""

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.locale import TranslationError
from cyclone.locale._csv import FORMS, detect_encoding, find_csv, locale_of, read_csv, rows

Make = Callable[..., Path]


def read(folder: Path, encoding: str | None = None) -> dict[str, dict[str, str]]:
    return read_csv(folder / "fr.csv", encoding)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('"school","école"\n', {"unknown": {"school": "école"}}, id="two columns"),
        pytest.param("a,b", {"unknown": {"a": "b"}}, id="no last newline"),
        pytest.param("a,b,\n", {"unknown": {"a": "b"}}, id="empty form"),
        pytest.param("a,b,unknown\n", {"unknown": {"a": "b"}}, id="unknown"),
        pytest.param(
            "a,b,singular\nc,d,plural\n",
            {"singular": {"a": "b"}, "plural": {"c": "d"}},
            id="singular and plural",
        ),
        pytest.param(
            "".join(f"m,{form},{form}\n" for form in FORMS[3:]),
            {form: {"m": form} for form in FORMS[3:]},
            id="categories",
        ),
        pytest.param("a,b,unknown,more,still\n", {"unknown": {"a": "b"}}, id="more columns"),
        pytest.param("# a comment\n\na,b\n", {"unknown": {"a": "b"}}, id="short rows"),
        pytest.param("a,\nb,c\n", {"unknown": {"b": "c"}}, id="not translated yet"),
        pytest.param(
            "x, y ,\n", {"unknown": {"x": "y"}}, id="spaces around the translation are not part"
        ),
        pytest.param(" x ,y\n", {"unknown": {"x": "y", " x ": "y"}}, id="spaces around a message"),
        pytest.param('"a\nb","c ""d"""\r\n', {"unknown": {"a\nb": 'c "d"'}}, id="quoted"),
        pytest.param("a\u2028b,c\x0bd\n", {"unknown": {"a\u2028b": "c\x0bd"}}, id="odd spaces"),
        pytest.param("a,1\na,2\n", {"unknown": {"a": "2"}}, id="the last one counts"),
        pytest.param("", {}, id="empty file"),
    ],
)
def test_read(csv_folder: Make, text: str, expected: dict[str, dict[str, str]]) -> None:
    assert read(csv_folder(fr=text)) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings_by_their_mark(csv_folder: Make, encoding: str) -> None:
    assert read(csv_folder(fr="school,école\n".encode(encoding))) == {
        "unknown": {"school": "école"}
    }


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-16-le"])
def test_utf_16_of_either_order(csv_folder: Make, encoding: str) -> None:
    data = "\ufeffschool,école\n".encode(encoding)
    assert detect_encoding(data) == "utf-16"
    assert read(csv_folder(fr=data))["unknown"]["school"] == "école"


def test_an_encoding_may_be_given(csv_folder: Make) -> None:
    folder = csv_folder(fr="school,école\n".encode("latin-1"))
    assert read(folder, "latin-1")["unknown"]["school"] == "école"


@pytest.mark.parametrize(
    ("data", "lineno", "reason"),
    [
        pytest.param(b"a,b\nc,\xff\n", 2, "not utf-8-sig text", id="not UTF-8"),
        pytest.param("a,b\nc,é\n".encode("latin-1"), 2, "not utf-8-sig text", id="Latin-1"),
        pytest.param("a,b\n".encode("utf-16") + b"\x00", 2, "not utf-16 text", id="odd UTF-16"),
        pytest.param(b'a,b\nc,"d\ne,f\n', 2, "a quoted field is not closed", id="open quote"),
        pytest.param(b'"', 1, "a quoted field is not closed", id="only a quote"),
        pytest.param(b"a,b\nc," + b"x" * 200_000, 2, "field larger than", id="field too long"),
    ],
)
def test_a_broken_file_is_named_with_its_line(
    csv_folder: Make, data: bytes, lineno: int, reason: str
) -> None:
    folder = csv_folder(fr=data)
    with pytest.raises(TranslationError, match=reason) as caught:
        read(folder)
    assert caught.value.filename == str(folder / "fr.csv")
    assert caught.value.lineno == lineno
    assert str(caught.value).startswith(f"{folder / 'fr.csv'}:{lineno}: ")


def test_an_unknown_form_is_logged_with_its_line(
    csv_folder: Make, caplog: pytest.LogCaptureFixture
) -> None:
    folder = csv_folder(fr="a,b\nc,d,dual\n\ne,f\n")
    assert read(folder) == {"unknown": {"a": "b", "e": "f"}}
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert "fr.csv:2: unrecognized plural form 'dual'" in caplog.text


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fr.csv", "fr"),
        ("fr_FR.csv", "fr_FR"),
        ("zh_Hant_TW.csv", "zh_Hant_TW"),
        ("zh_Hant.csv", "zh_Hant"),
        ("es_419.csv", "es_419"),
        ("fr-FR.csv", None),
        ("FR.csv", None),
        ("fr.old.csv", None),
        ("fr\n.csv", None),
    ],
)
def test_file_names(name: str, code: str | None) -> None:
    assert locale_of(Path(name)) == code


def test_find(csv_folder: Make, caplog: pytest.LogCaptureFixture) -> None:
    folder = csv_folder(fr="", de_AT="", **{"NOT a\ncode": ""})
    (folder / "readme.txt").write_text("")
    assert [code for code, _ in find_csv(folder)] == ["de_AT", "fr"]
    assert "NOT a\\ncode.csv" in caplog.text


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        find_csv(tmp_path / "none")


@given(st.text(alphabet='ab,"\n\r é\x0b', max_size=80))
def test_any_text_gives_rows_or_an_error(text: str) -> None:
    last = 0
    try:
        for lineno, row in rows(text, "x.csv"):
            assert last < lineno <= text.count("\n") + text.count("\r") + 2
            assert all(isinstance(cell, str) for cell in row)
            last = lineno
    except TranslationError:
        pass


@pytest.mark.parametrize("piece", ['"', ",", "\n", '"",', "a,b\n", '"\n'])
def test_linear_time(piece: str) -> None:
    start = time.process_time()
    try:
        for _ in rows(piece * (400_000 // len(piece)), "x.csv"):
            pass
    except TranslationError:
        pass
    assert time.process_time() - start < 2
