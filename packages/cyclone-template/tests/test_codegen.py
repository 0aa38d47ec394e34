"""Generated code: lines, merging, what is bound."""

import pytest

from cyclone.template import DictLoader, Template


def test_text_and_values_are_added_in_one_operation() -> None:
    code = Template("a{{ x }}b{# #}c{{ y }}d").code
    assert code.count("_tt_out.append(") == 1


def test_what_an_f_string_cannot_hold_stands_by_itself() -> None:
    source = """a{{ x['k'] }}b{{ "%s'" % y }}c{{ {1: 2}[1] }}d{{ '\\\\' }}e{{ x["k"] # why
    }}f{{ '{' }}g{{ f'{y:>3}' }}h"""
    assert Template(source).generate(x={"k": 1}, y=2) == b"a1b2&#x27;c2d\\e1f{g  2h"


def test_long_runs_are_cut() -> None:
    source = "{{ x }}," * 200
    template = Template(source)
    assert template.generate(x=1) == b"1," * 200
    assert 1 < template.code.count("_tt_out.append(") < 10


@pytest.mark.parametrize(
    "text", ["'", '"', "\\", "\n", "{", "%", "é", "\x00", "\r", "''\"\"", "# x"]
)
def test_any_text_survives(text: str) -> None:
    assert Template(f"a{text}b{{{{ x }}}}{text}").generate(x=1).decode() == f"a{text}b1{text}"


def test_every_line_has_a_place() -> None:
    files = {"t": "{% include p %}\n{% for x in [1] %}{{ x }}{% end %}", "p": '{{ """\n\n""" }}'}
    template = DictLoader(files).load("t")
    program = template.program
    for number, line in enumerate(template.code.split("\n"), 1):
        if line:
            assert line.endswith(f"# {program.location(number)}")


def test_a_try_keeps_what_was_printed() -> None:
    source = "{% try %}a{{ 1 }}b{% if 1 %}c{% end %}{{ 1/0 }}d{% except %}!{% end %}"
    assert Template(source).generate() == b"a1bc!"
    source = "{% with suppress(ZeroDivisionError) %}a{{ 1/0 }}{% end %}b"
    assert Template("{% from contextlib import suppress %}" + source).generate() == b"ab"
