"""Compiling generated code."""

import pytest

from cyclone.template import ParseError, Template


def test_only_names_that_are_used_are_looked_up() -> None:
    template = Template("{{ a.b(c=d) }}{% for e in f %}{% end %}")
    assert template.program.names == {"a", "c", "d", "e", "f"}


@pytest.mark.parametrize(
    ("source", "directive"),
    [
        ("{{ ok }}{{ x y }}", "x y"),
        ("{{ ok }}{% if x y %}{% end %}", "if x y"),
        ("{{ ok }}{% set 1 = 2 %}", "1 = 2"),
        ("{{ ok }}{% from x import %}", "from x import"),
    ],
)
def test_a_syntax_error_shows_the_offending_directive(source: str, directive: str) -> None:
    with pytest.raises(ParseError) as info:
        Template(source)
    assert info.value.directive == directive


def test_a_template_is_a_function_without_memory() -> None:
    template = Template("{% set l = [] %}{% set l.append(1) %}{{ l }}")
    assert template.generate() == template.generate() == b"[1]"


def test_many_names() -> None:
    source = "".join(f"{{{{ v{i} }}}}" for i in range(500))
    values = {f"v{i}": i for i in range(500)}
    assert Template(source).generate(**values) == "".join(map(str, range(500))).encode()


def test_an_encoder_put_in_the_place_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs for Tornado replace ``escape.json_encode``, to write dates and the like."""
    monkeypatch.setattr("cyclone.escape.json_encode", lambda value: f"mine {len(value)}")
    assert Template("{{ json_encode(value) }}").generate(value={1, 2}) == b"mine 2"
