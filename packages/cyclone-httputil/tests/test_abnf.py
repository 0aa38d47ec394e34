"""The grammar."""

import pytest

from cyclone.httputil import HTTP_WHITESPACE, is_token
from cyclone.httputil._abnf import unquote_string


def test_white_space_is_two_characters() -> None:
    assert HTTP_WHITESPACE == " \t"


@pytest.mark.parametrize("text", ["GET", "x-y", "!#$%&'*+-.^_`|~09azAZ"])
def test_tokens(text: str) -> None:
    assert is_token(text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a\n", "a(", "a/b", "\xe9", "\u0131", '"a"'])
def test_not_tokens(text: str) -> None:
    assert not is_token(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a", "a"), ('"a b"', "a b"), ('"a\\"b\\\\"', 'a"b\\'), ('"a', '"a'), ('"', '"'), ('""', "")],
)
def test_quoted_strings(text: str, expected: str) -> None:
    assert unquote_string(text) == expected


def test_quoted_strings_take_linear_time() -> None:
    """BP-06: a pattern that backtracks would not end."""
    assert unquote_string('"' + "\\" * 100_001).startswith('"')
    assert unquote_string('"' + '\\"' * 100_000).startswith('"')
