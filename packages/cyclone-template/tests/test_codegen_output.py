"""Values that are collected and escaped together: the same output as one by one."""

import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclone.escape import xhtml_escape
from cyclone.template import DictLoader, Template, TemplateError
from cyclone.template._codegen import Location
from cyclone.template._codegen_output import (
    Item,
    chosen,
    concatenated,
    escaped_value,
    fits_fstring,
    fused,
    in_fstring,
    is_harmless,
    is_literal,
    paired,
)

_AT = Location(Template(""), 1, None)


def _one_by_one(source: str, **names: object) -> bytes:
    """With a function of one's own nothing is escaped later than it is printed."""
    return Template(source).generate(xhtml_escape=lambda value: xhtml_escape(value), **names)


def test_is_literal() -> None:
    assert is_literal("'x'")
    assert not is_literal("_tt_s(x)")


@pytest.mark.parametrize(
    ("code", "harmless"), [("'x y'", True), ("'<'", False), ("'\\n'", False), ("_tt_s(x)", False)]
)
def test_is_harmless(code: str, harmless: bool) -> None:
    assert is_harmless(code) is harmless


@pytest.mark.parametrize(
    ("code", "fits"),
    [("x.y", True), ("x['y']", True), ("'a' + \"b\"", False), ("{}", False), ("'\\n'", False)],
)
def test_fits_fstring(code: str, fits: bool) -> None:
    assert fits_fstring(code) is fits
    if fits:
        compile(in_fstring(code), "x", "eval")


def _items(codes: str) -> list[Item]:
    """Literal text for ``t``, an escaped value for ``v``, ready values for ``r`` and ``R``.

    ``R`` is one that no f-string of Python 3.11 can hold.
    """
    made = {
        "t": lambda: Item("'text'", _AT),
        "v": lambda: escaped_value("x.y", "escape", _AT),
        "r": lambda: Item("_tt_s(x, _tt_p)", _AT),
        "R": lambda: Item("_tt_s({}, _tt_p)", _AT),
    }
    return [made[code]() for code in codes]


@pytest.mark.parametrize("codes", ["t", "v", "r", "R", "tvt", "vv", "tvRtv", "RR", "rtrv", "vRr"])
def test_fused_and_paired_are_python(codes: str) -> None:
    statement = "\n".join(code for code, _ in fused(_items(codes)))
    compile(statement, "fused", "exec")
    for pair in paired(_items(codes)):
        text = "\n".join(code for code, _ in pair)
        assert text.endswith(",")
        names: dict[str, Any] = {"_tt_type": type, "_tt_str": str, "_tt_int": int, "_tt_p": None}
        names |= {"_tt_s": lambda *_: "ready", "x": type("X", (), {"y": "value"})}
        value, ready = eval(f"({text})", names)
        assert value in ("", "value")
        assert set(ready.replace("text", " ").replace("ready", " ")) <= {" "}


@pytest.mark.parametrize(
    ("codes", "text"), [("", ""), ("t", "text"), ("tr", "textready"), ("Rt", "readytext")]
)
def test_concatenated(codes: str, text: str) -> None:
    names = {"_tt_s": lambda *_: "ready", "x": 1, "_tt_p": None}
    assert eval(concatenated(_items(codes)), names) == text


@pytest.mark.parametrize(
    ("codes", "pairs"), [("t", 1), ("v", 1), ("tvt", 2), ("vv", 2), ("trt", 1), ("tRt", 3)]
)
def test_how_many_pairs(codes: str, pairs: int) -> None:
    assert len(list(paired(_items(codes)))) == pairs


def test_a_choice_of_texts_takes_in_the_text_beside_it() -> None:
    item = chosen([("a", Item("'x'", _AT)), ("", Item("''", _AT))], _AT)
    assert item.deferred is None
    (pair,) = paired([Item("'<'", _AT), item, Item("'>'", _AT)])
    assert [code for code, _ in pair] == ["'', ('<' 'x' '>' if (a) else '<' '' '>'),"]
    (pair,) = paired([item, Item(repr("long" * 99), _AT)])
    assert len(pair) == 2


class Tag(str):
    def __str__(self) -> str:
        return "other"


class Counter:
    """Prints another number each time, and one that has to be escaped."""

    count = 0

    def __str__(self) -> str:
        self.count += 1
        return f"<{self.count}>"


_SOURCES = [
    "{% for x in xs %}<b>{{ x }}</b>{{ x }}{% end %}",
    "{% for x in xs %}{{ x }}{{ x }}{% raw x %}{% end %}",
    "{% for x in xs %}{% raw x %}|{{ x }}{% end %}",
    "{% for x in xs %}{{ x }}{% if x %}<i>{% else %}{{ x }}{% end %};{% end %}",
    "{% for x in xs %}{{ x }}{% if x %}{{ x }}{% else %}<i>{% end %};{% end %}",
    "{% for x in xs %}{{ x }}{% if x %}{{ x }}{% elif x is None %}<i>{% else %}&{% end %}{% end %}",
    "{% for x in xs %}{{ x }}{% if x %}no{% end %}{% if x %}{{ x }}{% end %}{% end %}",
    "{% for x in xs %}{{ x }}\n{% if x %}\n{{ x }}<{% else %}>{% end %}{% end %}",
    "{% for x in xs %}{{ x }}{% for y in xs %}<{{ y }}>{{ x }}{% end %}{% end %}",
    "{% for x in xs %}{{ x }}<{% if not x %}{% break %}{% end %}{{ x }}>{% end %}",
    "{% for x in xs %}{{ x }}<{% if not x %}{% continue %}{% end %}{{ x }}>{% end %}",
    "{% for x in xs %}{{ x }}<{{ x }}{% else %}{{ xs }}{% end %}",
    "{% for x in xs %}{% set y = x %}{{ y }}<{{ y }}{% end %}",
    "{% for x in xs %}{% apply f %}{{ x }}{% for y in xs %}{{ y }}{{ y }}{% end %}{% end %}"
    "&{% end %}",
    "{% for x in xs %}{% try %}{{ x }}{{ 1 / 0 }}{% except %}{{ x }}{% end %}{% end %}",
    "{% try %}{% for x in xs %}{{ x }}<{{ 1 / (x is None) }}{% end %}{% except %}!{% end %}",
    "{% set n = [] %}{% while len(n) < 40 %}{% set n.append(n) %}{{ len(n) }}<{{ '&' }}{% end %}",
    "{% for x in xs %}{{ x }}{{ {'a': x}['a'] }}{{ '\\'\"' }}{{ f'{x}' }}{% end %}",
    "{% for x in xs %}{{ x }},{{ x # why\n}};{% end %}",
    "{% for x in xs %}" + "<{{ x }}>" * 40 + "{% end %}",
    "<{{ xs }}>" * 200,
    "{{ counter }}{% for x in xs %}{{ counter }}{{ x }}{{ counter }}{% end %}"
    + "{{ counter }}" * 9,
    "{% for x in xs %}{{ x }}{% set seen.append(1) %}{{ seen }}{% end %}",
]
_VALUES: list[object] = [
    "a",
    "<",
    "a\0b",
    1,
    0,
    "",
    None,
    True,
    1.5,
    b"&",
    Tag("<t>"),
    ["'"],
    10**20,
]


@pytest.mark.parametrize("source", _SOURCES)
@pytest.mark.parametrize(
    "values",
    [_VALUES, [], ["a"] * 20, ["<"] * 20, ["a"] * 19 + ["'"], ["\0"] * 20, list(range(30))],
    ids=["all", "none", "safe", "special", "one", "separator", "ints"],
)
def test_the_output_is_that_of_one_by_one(source: str, values: list[object]) -> None:
    def names() -> dict[str, Any]:
        return {"xs": values, "f": lambda text: text, "counter": Counter(), "seen": ["<"]}

    assert Template(source).generate(**names()) == _one_by_one(source, **names())


_TEXTS = st.sampled_from(["", "<p>", "&", "'", '"', "x\0y", "{ ", "% ", "\\ ", "text", "\n"])
_LEAVES = st.one_of(
    _TEXTS,
    st.sampled_from(["{{ x }}", "{{ i }}", "{% raw x %}", "{{ f(x) }}", "{% set i += 1 %}"]),
    st.sampled_from(["{% if i % 3 == 0 %}{% break %}{% end %}", "{{ x if i % 2 else '<' }}"]),
)


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=4).map("".join)
    return st.one_of(
        body.map(lambda text: f"{{% for x in xs %}}{text}{{% end %}}"),
        st.tuples(body, body).map(lambda t: f"{{% if i % 2 %}}{t[0]}{{% else %}}{t[1]}{{% end %}}"),
        body.map(lambda text: f"{{% apply f %}}{text}{{% end %}}".replace("{% break %}", "")),
        body.map(lambda text: f"{{% try %}}{text}{{% finally %}}{{% end %}}"),
    )


@settings(max_examples=120, deadline=None)
@given(
    st.recursive(_LEAVES, _grown, max_leaves=12),
    st.lists(st.sampled_from(_VALUES), max_size=5),
)
def test_any_nesting_is_that_of_one_by_one(source: str, values: list[object]) -> None:
    whole = (
        f"{{% set i, x = 1, 2 %}}{{% for x in rows %}}{source}{{{{ x }}}}<{{{{ i }}}}{{% end %}}"
    )

    def names() -> dict[str, Any]:
        return {"rows": values * 5, "xs": values[:3], "f": str, "i": 1}

    assert _output(Template(whole).generate, names()) == _output(
        lambda **given: _one_by_one(whole, **given), names()
    )


def _output(render: Callable[..., bytes], names: dict[str, Any]) -> object:
    try:
        return render(**names)
    except UnboundLocalError as error:
        return str(error)
    except NameError as error:
        return str(error)


def test_values_are_looked_at_when_they_are_printed() -> None:
    log: list[str] = []

    class Loud:
        def __init__(self, name: str) -> None:
            self.name = name

        def __str__(self) -> str:
            log.append(f"str {self.name}")
            return self.name

    def make(name: str) -> Loud:
        log.append(f"make {name}")
        return Loud(name)

    source = "{% for n in 'ab' %}{{ make(n) }},{{ make(n + '2') }}{% end %}"
    assert Template(source).generate(make=make) == b"a,a2b,b2"
    names = ["a", "a2", "b", "b2"]
    assert log == [f"{what} {name}" for name in names for what in ("make", "str")]


def test_the_condition_of_a_choice_is_asked_once() -> None:
    asked: list[int] = []

    class Truth:
        def __init__(self, value: bool) -> None:
            self.value = value

        def __bool__(self) -> bool:
            asked.append(1)
            return self.value

    for source in ("{{ t.value }}{% else %}<b>", "<b>{% else %}{{ t.value }}", "{{ t.value }}"):
        template = Template(f"{{% for t in ts %}}-{{% if t %}}{source}{{% end %}};{{% end %}}")
        asked.clear()
        template.generate(ts=[Truth(True), Truth(False)])
        assert len(asked) == 2


@pytest.mark.parametrize("values", [["a", "b", 0], iter(["<", 0])], ids=["list", "iterator"])
def test_an_error_in_a_loop_has_its_own_line(values: object) -> None:
    source = "{% for x in xs %}\n{{ x }}\n<b>{{ 1 // (x != 0) }}</b>\n{{ x }}{% end %}"
    with pytest.raises(ZeroDivisionError) as info:
        Template(source, name="t").generate(xs=values)
    text = "".join(traceback.format_exception(info.value))
    assert 'File "t", line 3' in text
    assert "_tt_" not in text


def test_an_error_of_a_value_that_is_printed_has_its_own_line() -> None:
    class Broken:
        def __str__(self) -> str:
            raise KeyError("broken")

    source = "{% for x in xs %}{{ x }}\n{{ x }}\n{{ broken }}{% end %}"
    with pytest.raises(KeyError) as info:
        Template(source, name="t").generate(xs=["a"], broken=Broken())
    assert 'File "t", line 3' in "".join(traceback.format_exception(info.value))


def test_an_awaitable_in_a_loop_is_refused_with_its_line() -> None:
    async def late() -> None:
        pass

    source = "{% for x in xs %}{{ x }}\n{{ late() }}{% end %}"
    with pytest.raises(TemplateError, match=r"awaited .*t:2"):
        Template(source, name="t").generate(xs=["a"], late=late)


def test_both_names_of_the_escape_function() -> None:
    files = {
        "t": "{% for x in xs %}{{ x }}<{% include other %}{% end %}",
        "other": "{% autoescape escape %}[{{ x }}]{{ x }}",
    }
    template = DictLoader(files).load("t")
    assert template.generate(xs="<>") == b"&lt;<[&lt;]&lt;&gt;<[&gt;]&gt;"

    def own(value: bytes) -> bytes:
        return b"own " + value

    for name, expected in (
        ("escape", b"&lt;<[own <]own <"),
        ("xhtml_escape", b"own <<[&lt;]&lt;"),
    ):
        assert template.generate(xs="<", **{name: own}) == expected


def test_a_generator_is_read_turn_by_turn() -> None:
    log: list[str] = []

    def values() -> Iterator[int]:
        for number in range(3):
            log.append(f"next {number}")
            yield number

    source = "{% for x in values() %}{{ seen(x) }}<{{ x }}{% end %}"
    Template(source).generate(values=values, seen=lambda x: log.append(f"seen {x}"))
    assert log == [f"{what} {n}" for n in range(3) for what in ("next", "seen")]
