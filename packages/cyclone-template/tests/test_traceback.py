"""Tracebacks show the template's lines."""

# ruff: noqa: E501

import contextlib
import linecache
import pdb  # noqa: T100
import sys
import traceback
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from cyclone.template import DictLoader, Loader, Template


def _trace(template: Template, **kwargs: Any) -> str:
    with pytest.raises(ZeroDivisionError) as info:
        template.generate(**kwargs)
    return "".join(traceback.format_exception(info.value))


@pytest.mark.parametrize(
    ("files", "lines"),
    [
        ({"t": "one\ntwo {{ 1/0 }}\n"}, ['File "t", line 2', "# t:2", "two {{ 1/0 }}"]),
        ({"t": "\n{% if 1/0 %}\n{% end %}"}, ['File "t", line 2', "{% if 1/0 %}"]),
        ({"t": "{% set x = (\n1,\n) %}\n{% set y = 1/0 %}"}, ['File "t", line 4']),
        ({"t": "\n\n{% for x in r %}{{ 1/x }}{% end %}"}, ['File "t", line 3']),
        ({"t": "{% if 0 %}x{% elif 1/0 %}y{% end %}"}, ['File "t", line 1']),
        ({"t": "{% if 0 %}x{% else %}\n\n{{ 1/0 }}{% end %}"}, ['File "t", line 3']),
        ({"t": "{% apply f %}\n{{ 1/0 }}\n{% end %}"}, ['File "t", line 2', "{{ 1/0 }}"]),
        ({"t": "\n{{ [1/x for x in r] }}"}, ['File "t", line 2']),
        ({"t": '{{ """\n\n""" }}{{ 1/0 }}'}, ['File "t", line 3']),
        (
            {"t": "\n{% include p %}", "p": "\n\n{{ 1/0 }}"},
            ['File "t", line 2', "{% include p %}", 'File "p", line 3', "# p:3 (via t:2)"],
        ),
        (
            {"t": "{% extends b %}\n{% block x %}{{ 1/0 }}{% end %}", "b": "\n\n{% block x %}{% end %}"},
            ['File "b", line 3', 'File "t", line 2', "# t:2 (via b:3)"],
        ),
        ({"t": "{% extends b %}", "b": "\n{{ 1/0 }}"}, ['File "b", line 2', "# b:2\n"]),
        (
            {"t": "{% include a %}", "a": "{% include b %}", "b": "{{ 1/0 }}"},
            ["# b:1 (via a:1, t:1)"],
        ),
        (
            {
                "t": "{% extends b %}{% block x %}\n{% super %}{% end %}",
                "b": "{% block x %}\n\n{{ 1/0 }}{% end %}",
            },
            ['File "t", line 2', 'File "b", line 3'],
        ),
    ],
)  # fmt: skip
def test_a_run_time_error(files: dict[str, str], lines: list[str]) -> None:
    text = _trace(DictLoader(files).load("t"), r=[0], f=lambda value: value)
    position = 0
    for line in lines:
        assert line in text[position:], text
        position = text.index(line, position)
    assert "generated" not in text
    assert "_tt_" not in text


def test_files_are_named_by_their_path(tmp_path: Path) -> None:
    (tmp_path / "x.html").write_text("<p>\n{{ 1/0 }}")
    text = _trace(Loader(tmp_path).load("x.html"))
    assert f'File "{tmp_path / "x.html"}", line 2, in template  # x.html:2' in text
    assert "    {{ 1/0 }}\n" in text


def test_templates_of_one_name_do_not_mix() -> None:
    assert "first {{ 1/0 }}" in _trace(Template("first {{ 1/0 }}"))
    assert "second {{ 1/0 }}" in _trace(Template("second {{ 1/0 }}"))


def test_a_function_called_by_the_template_is_shown() -> None:
    def helper() -> float:
        return 1 / 0

    text = _trace(Template("{{ f() }}"), f=helper)
    assert text.index("{{ f() }}") < text.index("in helper")


def test_a_template_inside_a_template() -> None:
    inner = Template("\n{{ 1/0 }}", name="inner")
    text = _trace(Template("{{ f() }}", name="outer"), f=inner.generate)
    assert text.index("# outer:1") < text.index("# inner:2")


def test_an_error_keeps_its_cause() -> None:
    def fail() -> None:
        try:
            raise KeyError("inner")
        except KeyError as error:
            raise ZeroDivisionError from error

    assert "KeyError: 'inner'" in _trace(Template("{{ f() }}"), f=fail)


def test_the_debugger_sees_the_templates_line_and_variables() -> None:
    with pytest.raises(ZeroDivisionError) as info:
        Template("one\n{{ x/0 }}", name="t.txt").generate(x=7)
    entry = info.value.__traceback__
    while entry is not None and entry.tb_next is not None:
        entry = entry.tb_next
    assert entry is not None
    output = StringIO()
    debugger = pdb.Pdb(stdin=StringIO("p x\nl\nq\n"), stdout=output)
    debugger.reset()
    debugger.setup(entry.tb_frame, info.value.__traceback__)
    debugger.onecmd("p x")
    debugger.onecmd("list")
    assert "7" in output.getvalue()
    assert "{{ x/0 }}" in output.getvalue()


def test_generated_code_is_known_to_linecache_while_it_runs() -> None:
    def look() -> str:
        frame = sys._getframe(1)
        # Python 3.15 warns where there is only one of the two
        assert frame.f_globals["__spec__"].loader is frame.f_globals["__loader__"]
        linecache.lazycache(frame.f_code.co_filename, frame.f_globals)
        return linecache.getline(frame.f_code.co_filename, frame.f_lineno)

    assert b"# t:2" in Template("\n{% raw look() %}", name="t").generate(look=look)


def test_recursion_is_an_ordinary_error() -> None:
    template = Template("{{ f() }}")

    def again() -> bytes:
        return template.generate(f=again)

    with pytest.raises(RecursionError):
        template.generate(f=again)


def test_no_reference_cycle_keeps_the_values_alive() -> None:
    import gc
    import weakref

    class Value:
        pass

    template = Template("{{ 1/0 }}{{ x }}")
    value = Value()
    reference = weakref.ref(value)
    gc.disable()
    try:
        with contextlib.suppress(ZeroDivisionError):
            template.generate(x=value)
        del value
        assert reference() is None
    finally:
        gc.enable()
