"""Tokens of Python: where a directive ends and which names it uses."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.template import ParseError, Template
from cyclone.template._python import find_end, has_await, is_balanced, names_in, one_line


@pytest.mark.parametrize(
    ("text", "end"),
    [
        (" x }} y }}", 3),
        (' {"a": {"b": 1}} }}', 17),
        ('{"a": {"b": 1}}}}', 15),
        (' "}}" }}', 6),
        (" '''}}''' }}", 10),
        (" f'{x}}}' }}", 10),
        (" 'it\\'s }}' }}", 12),
        (" x # }} y", 5),
        (" ( # }}\n ) }}", 11),
        (" it's }} b", 6),
        (" ( }} b", 3),
        (" ) }} b", 3),
        (" x", -1),
        (' "}}', 2),
        (" x['}}'] }}", 9),
    ],
)
def test_find_end(text: str, end: int) -> None:
    assert find_end(text, 0, "}}") == end


@pytest.mark.parametrize(
    ("code", "balanced"),
    [
        ("a", True),
        ("a[b(c)]{}", True),
        ("a) + (b", False),
        ("(", False),
        (")", False),
        ("[)", False),
        ("'('", True),
        ("'", False),
        ('"""a"b"""', True),
        ("a # (", True),
        ("( # )\n)", True),
        ("rb'x' 'y'", True),
        ("'a\nb'", False),
        ("''", True),
        ("if'a'else'b'", True),
    ],
)
def test_is_balanced(code: str, balanced: bool) -> None:
    assert is_balanced(code) is balanced


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("a.b.c(d, e=f)", {"a", "d", "e", "f"}),
        ("x if y else None", {"x", "y"}),
        ("'a' + b\"c\" + d", {"d"}),
        ("f'{a}' + rf\"{b}\"", {"a", "b"}),
        ("é + _", {"é", "_"}),
        ("1.5 + 0x1f", set()),
        ("[p for p in people]", {"p", "people"}),
    ],
)
def test_names_in(code: str, names: set[str]) -> None:
    assert set(names_in(code)) == names


@pytest.mark.parametrize(
    ("code", "awaits"),
    [
        ("await x", True),
        ("f(await x)", True),
        ("async for x in y", True),
        ("'await x'", False),
        ("awaiting", False),
        ("x.await_", False),
        ("f'{await x}'", True),
    ],
)
def test_has_await(code: str, awaits: bool) -> None:
    assert has_await(code) is awaits


def test_one_line() -> None:
    assert one_line("a +\nb") == "a + b"
    assert one_line("'''a\nb'''") == "'''a\nb'''"
    assert one_line("a # c\n+ b") == "a # c\n+ b"


@given(st.text(alphabet=st.sampled_from("ab'\"()[]{}#%}\n\\ f.x1"), max_size=40))
def test_any_text_is_a_template_or_a_parse_error(code: str) -> None:
    for form in ("{{%s}}", "{%% if %s %%}{%% end %%}", "{%% set %s %%}"):
        lineno = 1
        try:
            Template(form % code)
        except ParseError as error:
            lineno = error.lineno
        assert lineno >= 1
