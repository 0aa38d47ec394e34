"""Parameters, charsets, file names and Content-Disposition."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import (
    HTTPInputError,
    check_charset,
    content_disposition,
    parse_parameters,
)
from cyclone.httputil._params import base_name, extended_value


@pytest.mark.parametrize(
    ("text", "value", "parameters"),
    [
        ("", "", {}),
        ("form-data", "form-data", {}),
        (" text/html ; Charset=UTF-8 ", "text/html", {"charset": "UTF-8"}),
        ('a; b="c;d"; e=f', "a", {"b": "c;d", "e": "f"}),
        (r'a; b="\"\\"; c=""', "a", {"b": '"\\', "c": ""}),
        (r'a; b="C:\dir\x"', "a", {"b": r"C:\dir\x"}),
        ('a; b="unclosed; c=d', "a", {"b": "unclosed; c=d"}),
        ("a; b=1; B=2", "a", {"b": "1"}),
        ("a;;; b ;c=1;", "a", {"c": "1"}),
        ("a; =1; b = 2 ", "a", {"b": "2"}),
        ('a; b="c" junk; d=e', "a", {"b": "c", "d": "e"}),
        ("a; b=\t\tc", "a", {"b": "c"}),
        (";b=c", "", {"b": "c"}),
    ],
)
def test_parameters(text: str, value: str, parameters: dict[str, str]) -> None:
    assert parse_parameters(text) == (value, parameters)


@pytest.mark.parametrize(
    "text",
    [
        "form-data; " + 'x="' + ";" * 200_000 + '"; name="a"',
        'form-data; name="' + ";" * 200_000,
        "form-data; " + 'a="\\' * 50_000,
        "form-data; " + 'a="\\";' * 50_000,
        "form-data" + "x; !=" * 50_000,
        "form-data; " + "a=b; " * 50_000,
        ";" * 200_000,
        "a;" + " " * 200_000,
        "a;b=" + " " * 200_000 + ";",
        'a;b="' + '\\"' * 100_000,
    ],
)
def test_parameters_take_linear_time(text: str) -> None:
    """BP-06, BP-11."""
    begun = time.process_time()
    parse_parameters(text)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "text",
    [
        'form-data; name="' + ";" * 60_000,
        'form-data; name="' + ";" * 60_000 + '"',
        'form-data; a="' + "\\" * 60_000,
        # As many parameters as the longest line of a header has room for
        "x" + "; !=" * 4096,
        "form-data" + ' ;a="b"' * 2340,
    ],
)
def test_parameters_take_less_than_5_ms_BP_06(text: str) -> None:
    """BP-06: the best of three, since others use this machine too."""
    times = []
    for _ in range(3):
        begun = time.process_time()
        parse_parameters(text)
        times.append(time.process_time() - begun)
    assert min(times) < 0.005


@given(st.text())
def test_any_text_has_parameters(text: str) -> None:
    parse_parameters(text)


@given(st.text("ab=;\" \\*'"))
def test_near_parameters(text: str) -> None:
    value, parameters = parse_parameters(text)
    assert ";" not in value
    assert all(name and name == name.strip().lower() for name in parameters)


@pytest.mark.parametrize("name", ["UTF-8", "utf8", "us-ascii", "ISO-8859-1", "koi8-r", "Shift_JIS"])
def test_charsets(name: str) -> None:
    "x".encode(check_charset(name))


@pytest.mark.parametrize(
    "name",
    [
        "foo",
        "utf-7",
        "idna",
        "base64",
        "unicode_escape",
        "zlib",
        "rot13",
        "",
        "utf-8\n",
        "x" * 9999,
    ],
)
def test_what_is_no_charset(name: str) -> None:
    """BP-18."""
    with pytest.raises(HTTPInputError, match="Unsupported charset"):
        check_charset(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UTF-8''caf%C3%A9", "caf\xe9"),
        ("utf-8'en'%e2%82%ac%20x", "\u20ac x"),
        ("iso-8859-1''%E9", "\xe9"),
        ("us-ascii''a", "a"),
        ("UTF-8''%FF", None),
        ("utf-7''a", None),
        ("a", None),
        ("UTF-8'a", None),
        ("", None),
    ],
)
def test_extended_values(text: str, expected: str | None) -> None:
    assert extended_value(text) == expected


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("ab.txt", "ab.txt"),
        ("a;b.txt", "a;b.txt"),
        ("a b\tc.txt", "a b\tc.txt"),
        (r"a\b.txt", r"a\b.txt"),
        (r"a\"b.txt", r"a\"b.txt"),
        ("\u0442\u0435\u0441\u0442.txt", "\u0442\u0435\u0441\u0442.txt"),
        ("", ""),
        pytest.param("../../x", "x", id="BP-09-up"),
        pytest.param("/etc/passwd", "passwd", id="BP-09-absolute"),
        pytest.param("a/b", "b", id="BP-09-slash"),
        pytest.param("a/", "_", id="BP-09-final-slash"),
        pytest.param("..", "_", id="BP-09-dots"),
        pytest.param(".", "_", id="BP-09-dot"),
        pytest.param("C:\\x", "x", id="BP-09-drive"),
        pytest.param("C:x", "x", id="BP-09-drive-relative"),
        pytest.param("\\\\host\\share\\x", "x", id="BP-09-unc"),
        pytest.param("..\\x", "x", id="BP-09-backslash-up"),
        pytest.param("a\\..\\x", "x", id="BP-09-backslash-within"),
        pytest.param("x\\..", "_", id="BP-09-backslash-final-dots"),
        pytest.param("/..\\..\\x", "x", id="BP-09-mixed"),
        pytest.param("a" * 4096 + ".txt", "a" * 251 + ".txt", id="BP-09-long"),
    ],
)
def test_base_names(sent: str, kept: str) -> None:
    assert base_name(sent) == kept


@given(st.text("ab./\\: "))
def test_base_names_stay_below(sent: str) -> None:
    name = base_name(sent)
    assert "/" not in name
    assert name not in (".", "..")
    assert bool(name) == bool(sent)
    assert not name.startswith(("..\\", "\\\\"))
    assert base_name(name) == name


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("a b;c.txt", 'attachment; filename="a b;c.txt"'),
        ("", "attachment"),
        ("../x.txt", 'attachment; filename="x.txt"'),
        (
            "caf\xe9.txt",
            "attachment; filename=\"caf_.txt\"; filename*=UTF-8''caf%C3%A9.txt",
        ),
        ("100%.txt", "attachment; filename=\"100_.txt\"; filename*=UTF-8''100%25.txt"),
        pytest.param(
            'a"\r\nX: y;.txt',
            "attachment; filename=\"a___X: y;.txt\"; filename*=UTF-8''a%22__X%3A%20y%3B.txt",
            id="RI-08",
        ),
        pytest.param(
            "\u0442\u0435.txt",
            "attachment; filename=\"__.txt\"; filename*=UTF-8''%D1%82%D0%B5.txt",
            id="RI-08-unicode",
        ),
        ("\udc80", 'attachment; filename="?"'),
    ],
)
def test_content_disposition(filename: str, header: str) -> None:
    assert content_disposition(filename) == header


def test_inline() -> None:
    assert content_disposition("a.txt", attachment=False) == 'inline; filename="a.txt"'


@given(st.text())
def test_any_filename_makes_a_safe_header(filename: str) -> None:
    header = content_disposition(filename)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') in (0, 2)
    _, parameters = parse_parameters(header)
    if "filename*" in parameters:
        assert extended_value(parameters["filename*"])
