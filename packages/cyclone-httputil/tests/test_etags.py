"""Entity tags."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import HTTPOutputError, etag_matches, parse_etags, quote_etag


@pytest.mark.parametrize(
    ("header", "tags"),
    [
        ("", []),
        ("*", ["*"]),
        (" * ", ["*"]),
        ('"a"', ['"a"']),
        ('W/"a"', ['W/"a"']),
        ('"a", W/"b" ,"c"', ['"a"', 'W/"b"', '"c"']),
        ('"a,b"', ['"a,b"']),
        ('""', ['""']),
        (',, "a",,', ['"a"']),
        ('"a" junk, "b"', []),
        ('"a", b, "c"', ['"a"']),
        ("a", []),
        ('w/"a"', []),
        ('"a', []),
        ('"a b"', []),
    ],
)
def test_parse(header: str, tags: list[str]) -> None:
    assert parse_etags(header) == tags


@pytest.mark.parametrize(
    ("header", "etag", "weak", "strong"),
    [
        ('"a"', '"a"', True, True),
        ('"a"', '"b"', False, False),
        ('W/"a"', '"a"', True, False),
        ('"a"', 'W/"a"', True, False),
        ('W/"a"', 'W/"a"', True, False),
        ('"x", "a"', '"a"', True, True),
        ('"xa"', '"a"', False, False),
        ("*", '"a"', True, True),
        ("*", None, False, False),
        ('"a"', None, False, False),
        ("", '"a"', False, False),
    ],
)
def test_comparison(header: str, etag: str | None, weak: bool, strong: bool) -> None:
    assert etag_matches(header, etag) is weak
    assert etag_matches(header, etag, weak=False) is strong


def test_quote() -> None:
    assert quote_etag("a") == '"a"'
    assert quote_etag("a", weak=True) == 'W/"a"'


@pytest.mark.parametrize("value", ['a"b', "a b", "a\r\nb", "\x00", "\u0142"])
def test_quote_refuses(value: str) -> None:
    with pytest.raises(HTTPOutputError):
        quote_etag(value)


@pytest.mark.parametrize(
    "header",
    ['"a",' * 100_000, '"' * 200_000, " ," * 100_000, '"a"' + " " * 200_000, 'W/"' * 100_000],
)
def test_long_headers_take_linear_time(header: str) -> None:
    begun = time.process_time()
    parse_etags(header)
    assert time.process_time() - begun < 1


@given(st.text('W/"a,* '))
def test_any_header(header: str) -> None:
    for tag in parse_etags(header):
        assert tag in header
        assert etag_matches(header, tag)


@given(st.lists(st.text(st.characters(min_codepoint=0x23, max_codepoint=0x7E))))
def test_what_is_written_is_read_back(values: list[str]) -> None:
    tags = [quote_etag(value) for value in values]
    assert parse_etags(", ".join(tags)) == tags
