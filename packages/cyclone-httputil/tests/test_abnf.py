"""The grammar."""

import pytest

from cyclone.httputil import HTTP_WHITESPACE, is_token


def test_white_space_is_two_characters() -> None:
    assert HTTP_WHITESPACE == " \t"


@pytest.mark.parametrize("text", ["GET", "x-y", "!#$%&'*+-.^_`|~09azAZ"])
def test_tokens(text: str) -> None:
    assert is_token(text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a\n", "a(", "a/b", "\xe9", "\u0131", '"a"'])
def test_not_tokens(text: str) -> None:
    assert not is_token(text)
