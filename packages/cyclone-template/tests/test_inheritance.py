"""extends, block, super, include."""

# ruff: noqa: E501

import pytest

from cyclone.template import DictLoader

BASE = "<{% block title %}base{% end %}|{% block body %}{% end %}>"


def _render(name: str, files: dict[str, str], **kwargs: object) -> str:
    return DictLoader(files).load(name).generate(**kwargs).decode()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"t": BASE}, "<base|>"),
        ({"t": "{% extends b %}", "b": BASE}, "<base|>"),
        ({"t": "x{% extends b %}y{% block title %}t{% end %}z", "b": BASE}, "<t|>"),
        ({"t": "{% extends b %}{% block title %}t{% super %}!{% end %}", "b": BASE}, "<tbase!|>"),
        (
            {
                "t": "{% extends m %}{% block title %}t{% super %}{% end %}",
                "m": "{% extends b %}{% block title %}m{% super %}{% end %}{% block body %}B{% end %}",
                "b": BASE,
            },
            "<tmbase|B>",
        ),
        (
            {"t": "{% extends m %}{% block title %}t{% super %}{% end %}", "m": "{% extends b %}", "b": BASE},
            "<tbase|>",
        ),
        (
            {
                "t": "{% extends b %}{% block inner %}new{% end %}",
                "b": "{% block outer %}[{% block inner %}old{% end %}]{% end %}",
            },
            "[new]",
        ),
        (
            {"t": "{% extends b %}{% block nav %}mine{% end %}", "b": "{% include n %}", "n": "({% block nav %}nav{% end %})"},
            "(mine)",
        ),
        ({"t": "{% include p %}{% include p %}", "p": "{% block a %}p{% end %}"}, "pp"),
        ({"t": "a{% include p %}c", "p": "{% extends b %}{% block title %}p{% end %}", "b": BASE}, "a<p|>c"),
        (
            {"t": "{% for i in [1, 2] %}{% block row %}{{ i }}{% end %}{% end %}"},
            "12",
        ),
        (
            {
                "t": "{% extends b %}{% block row %}<{{ i }}>{% end %}",
                "b": "{% for i in [1, 2] %}{% block row %}{{ i }}{% end %}{% end %}",
            },
            "<1><2>",
        ),
        ({"t": "{% set x = 1 %}{% include p %}{{ x }}", "p": "{{ x }}{% set x = 2 %}"}, "12"),
        ({"t": "{% include 'p' %}{% include \"p\" %}", "p": "p"}, "pp"),
    ],
)  # fmt: skip
def test_rendering(files: dict[str, str], expected: str) -> None:
    assert _render("t", files) == expected


def test_each_file_keeps_its_own_escaping() -> None:
    files = {
        "base": "{% autoescape None %}{% block a %}{{ x }}{% end %}{% block b %}{{ x }}{% end %}",
        "child": "{% extends base %}{% block a %}{{ x }}{% super %}{% end %}",
    }
    assert _render("child", files, x="<") == "&lt;<<"


def test_an_included_file_that_is_rendered_too() -> None:
    loader = DictLoader({"a": "{% include b %}", "b": "b{{ x }}"})
    assert loader.load("a").generate(x=1) == loader.load("b").generate(x=1) == b"b1"
