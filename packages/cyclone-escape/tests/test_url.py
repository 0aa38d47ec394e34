"""URL escaping."""

import time
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.escape import parse_qs_bytes, url_escape, url_unescape


@pytest.mark.parametrize(
    ("value", "plus", "expected"),
    [
        ("+ #%/", True, "%2B+%23%25%2F"),
        ("+ #%/", False, "%2B%20%23%25/"),
        ("é", True, "%C3%A9"),
        (b"\xe9", True, "%E9"),
    ],
)
def test_url_escape(value: str | bytes, plus: bool, expected: str) -> None:
    assert url_escape(value, plus=plus) == expected


@pytest.mark.parametrize("as_bytes", [False, True], ids=["text", "bytes"])
@pytest.mark.parametrize(
    ("value", "encoding", "plus", "expected"),
    [
        ("%C3%A9", "utf-8", True, "é"),
        ("%C3%A9", "latin-1", True, "Ã©"),
        ("%C3%A9", None, True, b"\xc3\xa9"),
        ("a+b", "utf-8", True, "a b"),
        ("a+b", "utf-8", False, "a+b"),
        ("a+b", None, True, b"a b"),
        ("a+b", None, False, b"a+b"),
        ("%zz%4", None, True, b"%zz%4"),
    ],
)
def test_url_unescape(
    value: str, encoding: str | None, plus: bool, expected: object, as_bytes: bool
) -> None:
    given_value = value.encode() if as_bytes else value
    assert url_unescape(given_value, encoding, plus) == expected


@given(st.text(alphabet=st.sampled_from("%4a1zF=\r\n +"), max_size=30))
def test_unescaping_agrees_with_urllib(text: str) -> None:
    assert url_unescape(text, None, plus=False) == unquote_to_bytes(text)


@given(st.text(max_size=30).filter(lambda text: text.isprintable()), st.booleans())
def test_escaping_round_trips(text: str, plus: bool) -> None:
    assert url_unescape(url_escape(text, plus), plus=plus) == text


@pytest.mark.parametrize("value", [5, None])
@pytest.mark.parametrize("plus", [True, False])
def test_what_is_no_text_is_named(value: object, plus: bool) -> None:
    with pytest.raises(TypeError, match=f"not {type(value).__name__}"):
        url_escape(value, plus)  # type: ignore[arg-type]


def test_parse_qs_bytes() -> None:
    parsed = parse_qs_bytes(b"a=1&b=%41+%2B&a=2&&c&d=", keep_blank_values=True)
    assert parsed == {"a": [b"1", b"2"], "b": [b"A +"], "c": [b""], "d": [b""]}
    assert parse_qs_bytes("c&d=") == {}
    assert parse_qs_bytes("%E9=%E9") == {"é": [b"\xe9"]}
    assert parse_qs_bytes(b"") == {}


def test_hv14_a_semicolon_separates_nothing() -> None:
    assert parse_qs_bytes("a=1;b=2") == {"a": [b"1;b=2"]}


def test_hv13_the_number_of_fields_can_be_limited() -> None:
    assert len(parse_qs_bytes("a=1&b=2", max_num_fields=2)) == 2
    with pytest.raises(ValueError, match="more than 1 fields"):
        parse_qs_bytes("a=1&b=2", max_num_fields=1)


@pytest.mark.parametrize("query", ["a=1&&b=2", "a=1&b"], ids=["empty", "no-equals"])
def test_strict_parsing(query: str) -> None:
    with pytest.raises(ValueError, match="bad query field"):
        parse_qs_bytes(query, strict_parsing=True)


@pytest.mark.parametrize("piece", ["%41", "%", "%zz", "+", "&", ";", "=", "%4"])
def test_hv12_percent_decoding_is_linear(piece: str) -> None:
    data = piece * (600_000 // len(piece))
    start = time.process_time()
    parse_qs_bytes(f"a={data}")
    url_unescape(data, None)
    # 60 kB in 5 ms would be 50 ms here; the rest is for a busy machine.
    assert time.process_time() - start < 2
