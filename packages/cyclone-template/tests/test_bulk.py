"""Loops whose values are joined at once."""

from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclone.escape import xhtml_escape
from cyclone.template import Template, _bulk
from cyclone.template._bulk import encoded, ended, finished, joined, joined_rows
from cyclone.template._runtime import escaped, plain


class Tag(str):
    def __str__(self) -> str:
        return "other"


class Color(IntEnum):
    RED = 1


class Evil(int):
    def __str__(self) -> str:
        return "<evil>"


@pytest.fixture(params=[_bulk._PORTION, 3], ids=["whole", "portions"])
def _portions(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_bulk, "_PORTION", request.param)
    monkeypatch.setattr(_bulk, "_MOST_ROWS", 4 * request.param)


_VALUES = st.one_of(
    st.text(alphabet=st.sampled_from("<>&\"'a\0 é%"), max_size=5),
    st.integers(),
    st.floats(),
    st.booleans(),
    st.none(),
    st.binary(max_size=3).map(lambda data: data.hex().encode()),
    st.sampled_from([Tag("<"), Color.RED, Evil(2)]),
)


@settings(deadline=None)
@given(st.lists(_VALUES, max_size=6), st.text(alphabet="<%s>\0é", max_size=4))
def test_joining_a_loop_changes_nothing(values: list[object], text: str) -> None:
    before, after = f"[{text}", f"{text}]"
    source = f"{before}{{{{ x }}}}{after}"
    at_once = Template(f"{{% for x in xs %}}{source}{{% end %}}")
    one_by_one = Template(f"{{% for x in xs %}}{{% set y = x %}}{source}{{% end %}}")
    for kind in (list, tuple, iter):
        made: Any = kind
        assert at_once.generate(xs=made(values)) == one_by_one.generate(xs=made(values))


_ROWS = st.one_of(
    st.lists(st.lists(_VALUES, max_size=3), max_size=4),
    st.lists(st.lists(st.text(alphabet="<&a\0\1%", max_size=3), max_size=3), max_size=4),
    st.lists(st.lists(st.integers(), min_size=2, max_size=2), max_size=4),
)


@settings(deadline=None)
@given(_ROWS, st.text(alphabet="<%s>\0\1é", max_size=4))
def test_joining_a_table_changes_nothing(rows: list[list[object]], text: str) -> None:
    inner = f"{{% for x in r %}}{text}{{{{ x }}}}{text}]{{% end %}}"
    at_once = Template(f"a{{% for r in rows %}}({text}{inner}{text}){{% end %}}")
    one_by_one = Template(
        f"a{{% for r in rows %}}{{% set s = r %}}({text}{inner}{text}){{% end %}}"
    )
    for outer in (list, tuple, iter):
        for row in (list, tuple):
            kind: Any = outer
            given_rows = [row(cells) for cells in rows]
            expected = one_by_one.generate(rows=kind(given_rows))
            assert at_once.generate(rows=kind(given_rows)) == expected


@pytest.mark.parametrize("text", ["\0", "\1", "%", "%s", "\0\1"])
def test_text_that_looks_like_a_separator(text: str) -> None:
    source = f"{{% for r in t %}}({text}{{% for c in r %}}{text}{{{{ c }}}}{{% end %}}){{% end %}}"
    for rows in ([["a", "b"], ["c"]], [[1, 2], [3, 4]]):
        expected = "".join(f"({text}{''.join(f'{text}{c}' for c in row)})" for row in rows)
        assert Template(source).generate(t=rows).decode() == expected


def test_the_variables_of_a_table_stay() -> None:
    source = "{% for r in t %}{% for c in r %}{{ c }}{% end %};{% end %}{{ r }}{{ c }}"
    assert Template(source).generate(t=[[1, 2], [3, 4]]) == b"12;34;[3, 4]4"
    assert (
        Template(source).generate(t=[["a"], ["b", "c"]]) == b"a;bc;[&#x27;b&#x27;, &#x27;c&#x27;]c"
    )


def test_joined_leaves_alone_what_it_does_not_know() -> None:
    unknown: list[object] = [
        [],
        {},
        "ab",
        iter([1]),
        [b"a"],
        [1, Evil(2)],
        ["a", Tag("")],
        ["a\0b"],
    ]
    for values in (*unknown, [1, "\0"], [[]], (), 5):
        assert joined(values, escaped, "", "", "") is None
    assert joined(["a"], lambda value, rendering: "x", "", "", "") is None
    assert joined(["<", "b"], escaped, "h", "[", "]") == "h[&lt;][b]"
    assert joined(["<", "b"], plain, "", "[", "]") == "[<][b]"
    assert joined((1, 2), escaped, "", "%", "%") == "%1%%2%"
    assert joined([1, "<", None, True, 1.5], escaped, "", "%", "%") == "%1%%&lt;%%None%%True%%1.5%"


@pytest.mark.usefixtures("_portions")
@pytest.mark.parametrize("last", ["x", "<", 7, None, "\0", "\1", b"x"], ids=repr)
@pytest.mark.parametrize("count", [1, 2, 3, 4, 50])
def test_portions(last: object, count: int) -> None:
    for filler in ("a", "&", 1, 1.5):
        values = [*[filler] * (count - 1), last]
        text = "".join(f"({escaped(value, None)})" for value in values)
        assert joined(values, escaped, "head", "(", ")") in (f"head{text}", None)
        rows = [[filler, last]] * count
        text = "".join(f"[({escaped(a, None)})({escaped(b, None)})]" for a, b in rows)
        assert joined_rows(rows, escaped, "head", "[", "(", ")", "]") in (f"head{text}", None)


@pytest.mark.usefixtures("_portions")
@pytest.mark.parametrize("rows", [1, 15, 16, 100, 3000])
@pytest.mark.parametrize("special", ["<", "\0", "a\0b", ""])
def test_finished(rows: int, special: str) -> None:
    for at in (0, rows // 2, rows - 1):
        pieces = [piece for n in range(rows) for piece in (f"v{n}", "<br>", "w", "</b>")]
        pieces[4 * at] = special
        pieces[4 * at + 2] = "'"
        expected = "".join(
            xhtml_escape(piece) if number % 2 == 0 else piece for number, piece in enumerate(pieces)
        )
        assert finished(pieces[:], 4) == finished(pieces[:], 0) == expected
        assert ended(pieces, 4) == "".join(pieces)
        pieces[::4] = [""] * rows
        pieces[4 * at + 2] = special
        assert finished(pieces[:], 4, 2) == finished(pieces[:], 4) == finished(pieces[:], 0)
        assert ended(pieces, 4, 2) == "".join(pieces)
    assert finished([], 4) == finished([], 0) == ""


@given(st.lists(st.text(alphabet=st.sampled_from("ab<é€\U0001f600"), max_size=9)), st.booleans())
def test_pieces_are_encoded_as_one_text(pieces: list[str], many: bool) -> None:
    pieces *= _bulk._FEW if many else 1
    assert encoded(pieces) == "".join(pieces).encode()
