"""From values to text."""

import types
from collections.abc import Generator
from datetime import date
from enum import IntEnum
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.escape import xhtml_escape
from cyclone.template import Template
from cyclone.template._runtime import _ordinary, escaped, is_awaitable, plain, unescaped


class Tag(str):
    def __str__(self) -> str:
        return "other"


class Color(IntEnum):
    RED = 1


class Evil(int):
    def __str__(self) -> str:
        return "<evil>"


class EvilFloat(float):
    def __repr__(self) -> str:
        return "<evil>"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<", "&lt;"),
        ("a&b", "a&amp;b"),
        ("'\">", "&#x27;&quot;&gt;"),
        (b"\xc3\xa9<", "é&lt;"),
        (1, "1"),
        (10**30, "1" + "0" * 30),
        (True, "True"),
        (None, "None"),
        (1.0, "1.0"),
        (float("nan"), "nan"),
        (1e100, "1e+100"),
        (Fraction(1, 2), "1/2"),
        (["<"], "[&#x27;&lt;&#x27;]"),
        (Tag("<b>"), "&lt;b&gt;"),
        (Tag("safe"), "safe"),
        (Color.RED, "1"),
        (Evil(1), "&lt;evil&gt;"),
        (EvilFloat(1), "&lt;evil&gt;"),
    ],
    ids=repr,
)
def test_escaped(value: object, expected: str) -> None:
    assert escaped(value, None) == expected
    assert Template("{{ x }}").generate(x=value).decode() == expected
    assert Template("{% for i in x %}{{ i }}{% end %}").generate(x=[value]).decode() == expected


@given(st.text(alphabet=st.sampled_from("<>&\"'a é"), max_size=20))
def test_escaped_is_xhtml_escape(text: str) -> None:
    assert escaped(text, None) == xhtml_escape(text)


@pytest.mark.parametrize("value", ["<", b"<", Tag("<")])
def test_plain(value: object) -> None:
    assert plain(value, None) == "<"
    assert Template("a{% raw x %}b").generate(x=value) == b"a<b"
    assert Template("{% for i in x %}{% raw i %}{% end %}").generate(x=[value]) == b"<"


@pytest.mark.parametrize(
    ("value", "expected"),
    [("<", "<"), (b"<", "<"), (Tag("<"), "<"), (Evil(1), "<evil>"), (None, "None"), (1.5, "1.5")],
    ids=repr,
)
def test_unescaped(value: object, expected: str) -> None:
    for _ in range(2):
        assert unescaped(value, None) == expected


def test_types_are_remembered_only_if_they_cannot_be_made() -> None:
    for value in (date(2026, 1, 1), Evil(1), Color.RED, (i for i in [1]), None):
        unescaped(value, None)
        escaped(value, None)
    assert {date, type(None)} <= _ordinary
    assert _ordinary.isdisjoint({Evil, Color, types.GeneratorType, str, bytes})


def test_is_awaitable() -> None:
    async def coroutine() -> None:
        pass

    @types.coroutine
    def old() -> Generator[None, None, None]:
        yield

    made = coroutine()
    assert is_awaitable(made)
    made.close()
    assert is_awaitable(old())
    assert not is_awaitable(x for x in [1])
    assert not is_awaitable("x")
