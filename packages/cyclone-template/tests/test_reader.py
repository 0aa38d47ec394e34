"""From text to tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.template import Limits, ParseError, Template
from cyclone.template._reader import Reader, Token


def _tokens(text: str | bytes) -> list[Token]:
    return list(Reader("t", text, Limits()).tokens())


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        ("abc", [("text", "abc", 1)]),
        ("a\n{{ b }}\nc", [("text", "a\n", 1), ("{{", "b", 2), ("text", "\nc", 2)]),
        ("{%\nif x\n%}{{ y }}", [("{%", "if x", 1), ("{{", "y", 3)]),
        ("{# \n #}{{ y }}", [("{{", "y", 2)]),
        ("{{! x }} {%! {#!", [("text", "{{", 1), ("text", " x }} ", 1), ("text", "{%", 1),
                              ("text", " ", 1), ("text", "{#", 1)]),
        ("{{{ x }}}", [("text", "{", 1), ("{{", "x", 1), ("text", "}", 1)]),
        ("{ x } {", [("text", "{ x } {", 1)]),
        ("\ufeffx", [("text", "x", 1)]),
        (b"\xef\xbb\xbf\xc3\xa9", [("text", "é", 1)]),
        ("{% comment it's %}x", [("{%", "comment it's", 1), ("text", "x", 1)]),
        ("{% raw '%}' %}", [("{%", "raw '%}'", 1)]),
        ("%} }} #}", [("text", "%} }} #}", 1)]),
        ("{{%x}}", [("{{", "%x", 1)]),
    ],
)  # fmt: skip
def test_tokens(text: str | bytes, tokens: list[Token]) -> None:
    assert _tokens(text) == tokens


@given(st.text(alphabet=st.sampled_from("{}%#!a \n"), max_size=30))
def test_lines_are_right_and_nothing_else_is_raised(text: str) -> None:
    try:
        tokens = _tokens(text)
    except ParseError as error:
        tokens = [("error", "", error.lineno)]
    lines = [line for _, _, line in tokens]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)


@given(st.text(alphabet=st.sampled_from("{}%#!ab \n"), max_size=30))
def test_text_without_directives_comes_out_as_it_is(text: str) -> None:
    escaped = text.replace("{", "{{'{'}}")
    assert Template(escaped).generate().decode() == text
