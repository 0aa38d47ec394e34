"""From tokens to nodes; every directive once, by what it renders."""

# ruff: noqa: E501

from typing import Any

import pytest

from cyclone.template import DictLoader, Template
from cyclone.template import _nodes as nodes


def _render(source: str, **kwargs: Any) -> str:
    return Template(source).generate(**kwargs).decode()


@pytest.mark.parametrize(
    ("source", "kwargs", "expected"),
    [
        ("{{ x }}", {"x": "<b>"}, "&lt;b&gt;"),
        ("{{ x }}", {"x": b"<\xc3\xa9>"}, "&lt;é&gt;"),
        ("{{ x }} {{ y }} {{ z }} {{ n }}", {"x": 1, "y": 1.5, "z": True, "n": None}, "1 1.5 True None"),
        ("{{ x }}", {"x": ["<"]}, "[&#x27;&lt;&#x27;]"),
        ("{{ 2 + 2 }}", {}, "4"),
        ("{{ '%' }}{{ '%s' % 1 }}", {}, "%1"),
        ("{{ a, b }}", {"a": 1, "b": 2}, "(1, 2)"),
        ("{{ x # a comment }}", {"x": 1}, "1"),
        ("{{ x +\n  y }}", {"x": 1, "y": 2}, "3"),
        ('{{ """a\nb""" }}', {}, "a\nb"),
        ("{{ {'a': {'b': 1}}['a']['b'] }}", {}, "1"),
        ("{% raw x %}", {"x": "<b>"}, "<b>"),
        ("a{# x #}b{% comment y %}c", {}, "abc"),
        ("{{!x}} {%!y%} {#!z#}", {}, "{{x}} {%y%} {#z#}"),
        ("{% apply upper %}a{{ x }}{% end %}", {"upper": lambda s: s.upper(), "x": "<"}, "A&LT;"),
        ("{% apply lambda s: s[::-1] %}ab{% end %}", {}, "ba"),
        ("{% apply squeeze %} a  b {% end %}", {}, "a b"),
        ("{% apply linkify %}www.a.com{% end %}", {}, '<a href="http://www.a.com">www.a.com</a>'),
        ("{% autoescape None %}{{ x }}", {"x": "<"}, "<"),
        ("{{ x }}{% autoescape None %}{{ x }}", {"x": "<"}, "<<"),
        ("{% autoescape url_escape %}{{ x }}", {"x": "a b/"}, "a+b%2F"),
        ("{% autoescape f %}{{ x }}", {"x": "a", "f": lambda b: repr(b)}, "b'a'"),
        ("{% block a %}x{% end %}", {}, "x"),
        ("{% for i in r %}{{ i }},{% end %}", {"r": range(3)}, "0,1,2,"),
        ("{% for i in r %}{% if i == 2 %}{% break %}{% end %}{{ i }}{% end %}", {"r": range(5)}, "01"),
        ("{% for i in r %}{% if i % 2 %}{% continue %}{% end %}{{ i }}{% end %}", {"r": range(5)}, "024"),
        ("{% for i in r %}{{ i }}{% else %}none{% end %}", {"r": []}, "none"),
        ("{% for a, b in r %}{{ a }}{{ b }}{% end %}", {"r": [(1, 2)]}, "12"),
        ("{% while x %}{{ x.pop() }}{% else %}.{% end %}", {"x": [1, 2]}, "21."),
        ("{% if x %}a{% elif y %}b{% else %}c{% end %}", {"x": 0, "y": 1}, "b"),
        ("{% if x %}a{% elif y %}b{% else %}c{% end %}", {"x": 0, "y": 0}, "c"),
        ("{% if x %}a{% end %}", {"x": 0}, ""),
        ("{% if x %}{% else %}{% end %}", {"x": 0}, ""),
        ("{% if(x) %}a{% end %}", {"x": 1}, "a"),
        ("{% try %}a{{ 1/0 }}{% except %}b{% end %}", {}, "ab"),
        ("{% try %}a{% except %}b{% else %}c{% finally %}d{% end %}", {}, "acd"),
        ("{% try %}{{ x }}{% except NameError as e %}{{ type(e) is not None }}{% end %}", {}, "True"),
        ("{% try %}{% for i in r %}{{ i }}{{ 1 / i }}{% end %}{% except %}!{% end %}", {"r": [1, 0]}, "11.00!"),
        ("{% with x as y %}{{ y }}{% end %}", {"x": memoryview(b"ab")}, "&lt;memory"),
        ("{% match x %} {% case 1 %}a{% case str() %}b{% case _ %}c{% end %}", {"x": "q"}, "b"),
        ("{% match x %}{# #}{% case [a, *b] if a %}{{ a }}{{ b }}{% end %}", {"x": [1, 2]}, "1[2]"),
        ("{% import math %}{{ math.floor(1.5) }}", {}, "1"),
        ("{% import os.path as p %}{{ p.basename('a/b') }}", {}, "b"),
        ("{% from math import floor, ceil %}{{ floor(1.5) }}{{ ceil(1.5) }}", {}, "12"),
        ("{% set x = 1 %}{{ x }}", {}, "1"),
        ("{% set x += 1 %}{{ x }}", {"x": 1}, "2"),
        ("{% set x = x or 'y' %}{{ x }}", {"x": ""}, "y"),
        ("{% set x, y = 1, 2; z = 3 %}{{ x }}{{ y }}{{ z }}", {}, "123"),
        ("{% set l.append(1) %}{{ l }}", {"l": []}, "[1]"),
        ("{% module M(1) %}", {"_tt_modules": type("N", (), {"M": staticmethod(lambda x: f"<{x}>")})}, "<1>"),
        ("{% if 1 %}{# only a comment #}{% end %}", {}, ""),
        ("{% end_of_text_ is no directive", {}, None),
        ("{{ (lambda x: x + y)(1) }}", {"y": 2}, "3"),
        ("{{ sum(i * n for i in r) }}", {"r": [1, 2], "n": 3}, "9"),
        ("{{ [x for x in r if x] }}{{ x }}", {"r": [0, 1], "x": 5}, "[1]5"),
        ("{{ f'{x!r:>4}' }}", {"x": 1}, "   1"),
    ],
)  # fmt: skip
def test_every_directive(source: str, kwargs: dict[str, Any], expected: str | None) -> None:
    if expected is None:
        with pytest.raises(Exception, match="Missing end block"):
            Template(source)
        return
    assert _render(source, **kwargs).startswith(expected)


def test_async_directives_parse() -> None:
    template = Template("{% async for x in y %}{% end %}{% async with a as b %}{% end %}")
    kinds = [(type(node), node.operator) for node in template.file.children]  # type: ignore[attr-defined]
    assert kinds == [(nodes.Control, "for"), (nodes.Control, "with")]


def test_jumps_inside_a_block_inside_a_loop() -> None:
    source = "{% for i in r %}{% block b %}{% if i %}{% break %}{% end %}{% end %}x{% end %}"
    assert _render(source, r=[0, 1, 0]) == "x"


def test_whitespace_of_a_realistic_loop() -> None:
    loader = DictLoader({"t.txt": "{% for i in x\n %}{% if i %}, {% end %}{{i\n}}{% end\n%}"})
    assert loader.load("t.txt").generate(x=range(3)) == b"0, 1, 2"
