"""The grammar."""

from __future__ import annotations

import pytest

from cyclone.httpclient._abnf import AUTH_PARAM, METHOD, SCHEME, TOKEN


@pytest.mark.parametrize("text", ["GET", "X-Y", "a!#$%&'*+.^_`|~9"])
def test_tokens(text: str) -> None:
    assert TOKEN.fullmatch(text)
    assert METHOD.fullmatch(text)


@pytest.mark.parametrize("text", ["", "A B", "A\r", "A\n", "\u00e9", "A:", "A/", '"'])
def test_no_tokens(text: str) -> None:
    assert not TOKEN.fullmatch(text)
    assert not METHOD.fullmatch(text)


def test_parameters_and_schemes() -> None:
    match = AUTH_PARAM.match('a = "b\\"c"')
    assert match is not None
    assert match.groups() == ("a", 'b\\"c', None)
    assert SCHEME.match("Basic") is not None
    assert SCHEME.match("a=b") is None
