"""Directives with a cheaper form."""

import pytest

from cyclone.template import Template
from cyclone.template import _nodes as nodes
from cyclone.template._codegen_loops import (
    is_choice,
    is_expression,
    prints_values,
    simple_loop,
    table_loop,
)


def _first(source: str) -> nodes.Control:
    node = Template(source).file.children[0]
    if not isinstance(node, nodes.Control):
        raise TypeError(node)
    return node


@pytest.mark.parametrize(
    ("source", "simple"),
    [
        ("{% for x in y %}{{ x }}{% end %}", True),
        ("{% for x in y.z %}<{{ x }}>{% end %}", True),
        ("{% for x in y[0] %}{% raw x %}{% end %}", True),
        ("{% for x in f() %}{{ x }}{% end %}", False),
        ("{% for x, z in y %}{{ x }}{% end %}", False),
        ("{% for x in y %}{{ x }}{{ x }}{% end %}", False),
        ("{% for x in y %}{{ x.z }}{% end %}", False),
        ("{% for x in y %}text{% end %}", False),
        ("{% for x in y %}{{ x }}{% else %}{% end %}", False),
        ("{% while x %}{{ x }}{% end %}", False),
    ],
)
def test_simple_loop(source: str, simple: bool) -> None:
    assert (simple_loop(_first(source)) is not None) is simple


@pytest.mark.parametrize(
    ("source", "choice"),
    [
        ("{% if a %}x{% end %}", True),
        ("{% if a %}x{% elif b %}{{ y }}{% else %}{% end %}", True),
        ("{% if a %}x{{ y }}{% end %}", False),
        ("{% if a %}{% set x = 1 %}{% end %}", False),
        ("{% if a %}x\n{% else %}y{% end %}", False),
        ("{% while a %}x{% end %}", False),
    ],
)
def test_is_choice(source: str, choice: bool) -> None:
    assert is_choice(_first(source)) is choice


@pytest.mark.parametrize(("a", "b"), [(0, 0), (0, 1), (1, 0)])
def test_choices_render_like_statements(a: int, b: int) -> None:
    source = "{% if a %}A{% elif b %}{{ c }}{% else %}-{% end %}{% if a %}x{% elif b %}y{% end %}"
    expected = "Ax" if a else "&lt;y" if b else "-"
    assert Template(source).generate(a=a, b=b, c="<").decode() == expected


@pytest.mark.parametrize(
    ("source", "table"),
    [
        ("{% for r in t %}a{% for c in r %}{{ c }}{% end %}b{% end %}", True),
        ("{% for r in t %}{% for c in r %}{{ c }}{% end %}{% end %}", True),
        ("{% for r in t %}{% for c in s %}{{ c }}{% end %}{% end %}", False),
        ("{% for r in t %}{% for r in r %}{{ r }}{% end %}{% end %}", False),
        ("{% for r in t %}{{ r }}{% for c in r %}{{ c }}{% end %}{% end %}", False),
        ("{% for r in t %}{% if r %}{% end %}{% end %}", False),
        ("{% for r in t %}x{% end %}", False),
    ],
)
def test_table_loop(source: str, table: bool) -> None:
    assert (table_loop(_first(source)) is not None) is table


@pytest.mark.parametrize(
    ("source", "prints"),
    [
        ("{% for x in y %}{{ x }}{% end %}", True),
        ("{% for x in y %}{% if x %}{{ x }}{% end %}{% end %}", True),
        ("{% for x in y %}{% if x %}{% else %}{{ x }}{% end %}{% end %}", True),
        ("{% for x in y %}{% else %}{{ x }}{% end %}", True),
        ("{% for x in y %}{% block b %}{% end %}{% end %}", True),
        ("{% for x in y %}{% raw x %}{% end %}", False),
        ("{% for x in y %}text{% set z = x %}{% end %}", False),
    ],
)
def test_prints_values(source: str, prints: bool) -> None:
    assert prints_values(_first(source)) is prints


@pytest.mark.parametrize(
    ("content", "plain"),
    [
        ("", True),
        ("text\n<", True),
        ("a{{ x }}b{% raw x %}", True),
        ("\n{{ x }}", False),
        ("{{ (y := x) }}", False),
        ("{{ x # why\n}}", False),
        ("{% if x %}{{ x }}{% end %}", False),
        ("{{ x }}," * 30, False),
    ],
)
def test_is_expression(content: str, plain: bool) -> None:
    source = f"{{% apply f %}}{content}{{% end %}}"
    node = Template(source).file.children[0]
    assert isinstance(node, nodes.Apply)
    assert is_expression(node) is plain
    as_function = Template(f"{{% apply f %}}{content}{{% set z = 1 %}}{{% end %}}")
    kwargs = {"x": "<'\"", "f": lambda value: b"(" + value + b")"}
    assert Template(source).generate(**kwargs) == as_function.generate(**kwargs)
