"""What is wrong with a template is said in the template's terms."""

import pickle

import pytest

from cyclone.template import (
    DictLoader,
    ParseError,
    Template,
    TemplateError,
    TemplateNotFoundError,
)


def test_tornados_form() -> None:
    error = ParseError("asdf")
    assert str(error) == "asdf at None:0"
    assert (error.message, error.filename, error.lineno) == ("asdf", None, 0)
    assert isinstance(error, TemplateError)


def test_the_offending_directive_is_a_note() -> None:
    error = ParseError("wrong", "a.html", 3, "{% foo %}")
    assert error.__notes__ == ["    {% foo %}"]
    assert ParseError("wrong", directive="x" * 1000).__notes__ == [f"    {'x' * 200}..."]


def test_errors_can_be_pickled() -> None:
    copy = pickle.loads(pickle.dumps(ParseError("wrong", "a.html", 3, "x")))
    assert (str(copy), copy.directive) == ("wrong at a.html:3", "x")


@pytest.mark.parametrize(
    ("source", "message", "line"),
    [
        ("\n{{ x", "Missing end expression }}", 2),
        ("\n{% if", "Missing end block %}", 2),
        ("\n{# x", "Missing end comment #}", 2),
        ("{{ }}", "Empty expression", 1),
        ("{% %}", "Empty block tag", 1),
        ("\n\n{% if x %}\n\n", "Missing {% end %} block for if", 3),
        ("x\n{% end %}", "Extra {% end %} block", 2),
        ("{% if x %}{% end %}{% end %}", "Extra {% end %} block", 1),
        ("\n{% frob x %}", "unknown operator: 'frob'", 2),
        ("{% else %}", "else outside for/if/try/while block", 1),
        ("{% apply f %}{% else %}{% end %}", "else block cannot be attached to apply block", 1),
        ("{% for x in y %}{% elif z %}{% end %}", "elif block cannot be attached to for", 1),
        ("{% break %}", "break outside for/while block", 1),
        ("{% if x %}{% continue %}{% end %}", "continue outside for/while block", 1),
        ("{% for i in x %}{% apply f %}{% break %}{% end %}{% end %}", "break outside", 1),
        ("{% try %}{% end %}", "try without except or finally", 1),
        ("{% match x %}{% end %}", "match without a case", 1),
        ("{% match x %}y{% case 1 %}{% end %}", "only white space can stand before", 1),
        ("{% super %}", "super outside a block", 1),
        ("{% block a %}{% super %}{% end %}", "block 'a' has no parent version", 1),
        ("{% block a %}{% end %}\n{% block a %}{% end %}", "block 'a' is defined twice", 2),
        ("{% extends %}", "extends missing file path", 1),
        ("{% include %}", "include missing file path", 1),
        ("{% set %}", "set missing statement", 1),
        ("{% import %}", "import missing statement", 1),
        ("{% from %}", "import missing statement", 1),
        ("{% raw %}", "raw missing expression", 1),
        ("{% module %}", "module missing expression", 1),
        ("{% block %}{% end %}", "block missing name", 1),
        ("{% apply %}{% end %}", "apply missing method name", 1),
        ("{% autoescape %}", "autoescape missing function name", 1),
        ("{% if %}{% end %}", "if missing expression", 1),
        ("{% if x %}a{% elif %}b{% end %}", "elif missing expression", 1),
        ("{% if x %}a{% else if y %}b{% end %}", "else takes no expression", 1),
        ("{% try %}a{% finally x %}b{% end %}", "finally takes no expression", 1),
        ("{% for x in y %}\n<{{ x if }}{{ x }}{% end %}", "invalid syntax", 2),
        ("{% for x in y %}\n<{{ x; y }}{{ x }}{% end %}", "invalid syntax", 2),
        ("{% if x %}{% endif %}", "unknown operator: 'endif': every block ends with {% end %}", 1),
        ("{% async foo %}{% end %}", "unknown operator: 'async'", 1),
        ("\n{{ x + }}", "invalid syntax", 2),
        ("a\n{% set x = = 1 %}", "invalid syntax", 2),
        ("a\n{% if x y %}{{ 1 }}\n{{ 2 }}{% end %}", "", 2),
        ("\n{{ (x }}", "unfinished string or bracket", 2),
        ("\n{{ x) + (y }}", "unfinished string or bracket", 2),
        ("\n{{ 'x }}", "unfinished string or bracket", 2),
        ("{{ x = 1 }}", "", 1),
        ("{{ *x }}", "", 1),
        ("{{ x; y }}", "", 1),
        ("{% from os import * %}", "import * only allowed at module level", 1),
        ("{{ yield x }}", "a template cannot use yield or return", 1),
        ("{{ (yield x) }}", "a template cannot use yield", 1),
        ("{% set return %}", "a template cannot use yield or return", 1),
        ("\n{{ '\x00' }}", "null character in a directive", 2),
        ("{% extends 'x' %}", "extends and include need a template loader", 1),
        ("\n{% include 'x' %}", "extends and include need a template loader", 2),
        ("{% if x %}{% extends 'x' %}{% end %}", "extends must not stand inside", 1),
        ("{% extends 'x' %}{% extends 'y' %}", "can extend only one other", 1),
        ("\n{{ " + "(" * 500 + ")" * 500 + " }}", "", 2),
        ("\n{{ " + "-" * 50_000 + "1 }}", "", 2),
        ("\n{% if " + "-" * 50_000 + "1 %}{% end %}", "", 2),
    ],
)
def test_parse_errors(source: str, message: str, line: int) -> None:
    with pytest.raises(ParseError) as info:
        Template(source, name="t.html")
    assert message in info.value.message
    assert (info.value.filename, info.value.lineno) == ("t.html", line)
    assert "generated" not in str(info.value)


@pytest.mark.parametrize(
    "opening",
    ["{% if 1 %}", "{% for x in y %}", "{% block b%d %}", "{% apply f %}", "{% try %}"],
)
@pytest.mark.parametrize("closed", [True, False])
def test_f50_a_thousand_levels_are_a_parse_error(opening: str, closed: bool) -> None:
    end = "{% finally %}{% end %}" if "try" in opening else "{% end %}"
    source = "".join(opening.replace("%d", str(i)) + "\n" for i in range(1000))
    with pytest.raises(ParseError, match="nested more than 90 deep at deep:91"):
        Template(source + end * 1000 * closed, name="deep")


def test_pythons_own_limit_of_nested_loops_is_told_with_its_line() -> None:
    source = "{% for x in y %}\n" * 30 + "{% end %}" * 30
    with pytest.raises(ParseError, match="nested") as info:
        Template(source)
    assert 15 < info.value.lineno < 30


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a": "\n{% include b %}", "b": "{% include a %}"}, "include cycle: a -> b -> a at b:1"),
        ({"a": "\n{% include a %}"}, "include cycle: a -> a at a:2"),
        ({"a": "\n{% extends b %}", "b": "{% extends a %}"}, "extends cycle: a -> b -> a at b:1"),
        ({"a": "{% extends a %}"}, "extends cycle: a -> a at a:1"),
        ({"a": "\n{% extends none %}"}, "template 'none' does not exist at a:2"),
        ({"a": "\n\n{% include none %}"}, "template 'none' does not exist at a:3"),
        ({"a": "{% include b %}", "b": "\n{{ x + }}"}, "invalid syntax at b:2"),
        ({"a": "{% include b %}", "b": "\n{% if x %}"}, "Missing {% end %} block for if at b:2"),
        ({"a": b"x\n\xff"}, "text is not valid UTF-8 at a:2"),
        ({"a": "x\n\ud800"}, "text is not valid Unicode at a:2"),
    ],
)
def test_errors_between_files(files: dict[str, str | bytes], message: str) -> None:
    loader = DictLoader(files)
    for _ in range(2):
        with pytest.raises(ParseError) as info:
            loader.load("a")
        assert str(info.value).startswith(message)


@pytest.mark.parametrize("directive", ["include", "extends"])
def test_a_long_chain_of_files_is_refused(directive: str) -> None:
    files = {str(i): f"{{% {directive} {i + 1} %}}" for i in range(500)}
    files["500"] = ""
    with pytest.raises(ParseError, match="100"):
        DictLoader(files).load("0")


def test_a_missing_template_can_be_caught_in_any_way() -> None:
    error = TemplateNotFoundError("template 'x' does not exist", "a.html", 2)
    assert isinstance(error, ParseError)
    assert isinstance(error, OSError)
    assert isinstance(error, LookupError)
    assert str(error) == "template 'x' does not exist at a.html:2"
    assert (error.filename, error.lineno) == ("a.html", 2)
