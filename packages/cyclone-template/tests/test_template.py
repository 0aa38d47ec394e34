"""Template: arguments, names, escaping."""

import asyncio
from typing import Any

import pytest

from cyclone.escape import to_unicode, utf8
from cyclone.template import DictLoader, Template, TemplateError


def test_hello() -> None:
    template = Template("Hello {{ name }}!")
    assert template.name == "<string>"
    assert template.generate(name="<World>") == b"Hello &lt;World&gt;!"
    assert asyncio.run(template.generate_async(name="x")) == b"Hello x!"


def test_bytes_and_text_are_accepted_as_source() -> None:
    assert Template("é{{ 'é' }}".encode()).generate() == "éé".encode()


def test_every_default_name() -> None:
    source = (
        "{% autoescape None %}{{ escape('<') }}{{ xhtml_escape('<') }}{{ url_escape(' ') }}"
        "{{ json_encode([1]) }}{{ squeeze(' a ') }}{{ linkify('a') }}{{ datetime.date(1, 2, 3) }}"
    )
    assert Template(source).generate() == b"&lt;&lt;+[1]aa0001-02-03"


class TestNames:
    """Arguments go before the loader's namespace, that before the defaults, then builtins."""

    @pytest.mark.parametrize(
        ("namespace", "kwargs", "expected"),
        [
            ({}, {}, b"1"),
            ({"len": lambda x: "ns"}, {}, b"ns"),
            ({"len": lambda x: "ns"}, {"len": lambda x: "kw"}, b"kw"),
        ],
    )
    def test_order(
        self, namespace: dict[str, object], kwargs: dict[str, Any], expected: bytes
    ) -> None:
        loader = DictLoader({"t": "{{ len('x') }}"}, namespace=namespace)
        assert loader.load("t").generate(**kwargs) == expected

    def test_the_namespace_is_live(self) -> None:
        namespace: dict[str, object] = {}
        loader = DictLoader({"t": "{{ x }}"}, namespace=namespace)
        template = loader.load("t")
        with pytest.raises(NameError):
            template.generate()
        namespace["x"] = 1
        assert template.generate() == b"1"

    def test_a_missing_name_is_a_name_error_where_it_is_used(self) -> None:
        template = Template("{% if x %}{{ y }}{% end %}ok")
        assert template.generate(x=False) == b"ok"
        with pytest.raises(NameError, match=r"^name 'y' is not defined$") as info:
            template.generate(x=True)
        assert type(info.value) is NameError
        assert info.value.name == "y"
        assert info.value.__context__ is None

    def test_a_missing_name_in_a_closure(self) -> None:
        with pytest.raises(NameError, match=r"^name 'y' is not defined$"):
            Template("{{ [y for x in [1]] }}{{ (lambda: y)() }}").generate()

    def test_a_template_may_change_what_it_got(self) -> None:
        source = "{% set x = x + 1 %}{{ x }}{% if y %}{% set x = 9 %}{% end %}{{ x }}"
        assert Template(source).generate(x=1, y=0) == b"22"

    def test_loop_variables_stay_after_the_loop(self) -> None:
        source = "{% for x in r %}{{ x }}{% end %}{{ x }}{% for y in r %}-{{ y }}-{{ y }}{% end %}"
        assert Template(source + "{{ y }}").generate(r=[1, 2]) == b"122-1-1-2-22"

    def test_nothing_is_kept_from_one_rendering_to_the_next(self) -> None:
        template = Template("{% if first %}{% set x = 1 %}{% end %}{{ x }}")
        assert template.generate(first=True) == b"1"
        with pytest.raises(NameError):
            template.generate(first=False)

    @pytest.mark.parametrize("name", ["match", "case", "type", "_", "print", "id", "é", "self"])
    def test_unusual_names(self, name: str) -> None:
        assert Template(f"{{{{ {name} }}}}").generate(**{name: 1}) == b"1"

    @pytest.mark.parametrize(
        "source",
        [
            "{{ globals()['x'] }}",
            "{{ eval('x') }}",
            "{{ locals().get('x', x) }}",
            "{% set exec('y = x') %}{{ x }}",
            "{{ 'x' in dir() or x }}",
        ],
    )
    def test_names_asked_for_by_a_string(self, source: str) -> None:
        loader = DictLoader({"t": source}, namespace={"unused": 0})
        assert loader.load("t").generate(x=1) in (b"1", b"True")

    def test_defaults_in_a_dynamic_template(self) -> None:
        assert Template("{{ eval('squeeze(\" a \")') }}").generate() == b"a"
        with pytest.raises(NameError):
            Template("{{ eval('nothing') }}").generate()


class TestEscaping:
    @pytest.mark.parametrize(
        ("autoescape", "expected"),
        [("xhtml_escape", b"&lt; "), ("escape", b"&lt; "), (None, b"< "), ("url_escape", b"%3C+")],
    )
    def test_argument(self, autoescape: str | None, expected: bytes) -> None:
        assert Template("{{ x }}", autoescape=autoescape).generate(x="< ") == expected

    def test_levels(self) -> None:
        files = {
            "default": "{{ x }}",
            "file": "{% autoescape xhtml_escape %}{{ x }}{% raw x %}{% include default %}",
        }
        loader = DictLoader(files, autoescape=None)
        assert loader.load("file").generate(x="<") == b"&lt;<<"

    @pytest.mark.parametrize("name", ["xhtml_escape", "escape"])
    def test_the_functions_name_is_looked_up_in_the_namespace(self, name: str) -> None:
        template = Template("{{ x }}{% for i in l %}{{ i }}{% end %}", autoescape=name)
        kwargs = {name: lambda value: value.upper()}
        assert template.generate(x="a<", l=["b<"], **kwargs) == b"A<B<"
        assert template.generate(x="a<", l=["b<"]) == b"a&lt;b&lt;"
        loader = DictLoader({"t": "{{ x }}"}, namespace=kwargs, autoescape=name)
        assert loader.load("t").generate(x="a<") == b"A<"

    def test_a_function_of_ones_own_gets_bytes(self) -> None:
        seen = []

        def mine(value: bytes) -> str:
            seen.append(value)
            return repr(to_unicode(value))

        template = Template("{% autoescape mine %}{{ x }}")
        assert template.generate(mine=mine, x="é") == "'é'".encode()
        assert template.generate(mine=mine, x=1) == b"'1'"
        assert seen == ["é".encode(), b"1"]

    def test_the_function_itself(self) -> None:
        def quote(value: bytes) -> str:
            return repr(value.decode())

        template = Template("{{ x }}{% for i in l %}{{ i }}{% end %}", autoescape=quote)
        assert template.generate(x="a", l=["b"]) == b"'a''b'"
        loader = DictLoader({"t": "{{ x }}{% autoescape None %}"}, autoescape=quote)
        assert loader.load("t").generate(x="a") == b"a"
        assert Template("{{ x }}", loader=loader).generate(x="a") == b"'a'"

    def test_an_imported_function(self) -> None:
        source = "{% import base64 %}{% autoescape base64.b64encode %}{{ x }}"
        assert Template(source).generate(x="abc") == b"YWJj"

    def test_a_missing_function_is_a_name_error(self) -> None:
        with pytest.raises(NameError, match="nope"):
            Template("{{ 1 }}", autoescape="nope").generate()


class TestApply:
    @pytest.mark.parametrize(
        "function",
        [
            lambda value: value.upper(),
            lambda value: to_unicode(value).upper(),
            lambda value: utf8(to_unicode(value).upper()),
        ],
    )
    def test_bytes_or_text(self, function: Any) -> None:
        template = Template("{% apply f %}foo é{% end %}")
        assert template.generate(f=function) in ("FOO é".encode(), "FOO É".encode())

    def test_nested(self) -> None:
        source = "{% apply a %}x{% apply b %}y{{ z }}{% end %}{% end %}"
        kwargs = {"a": lambda s: b"<" + s + b">", "b": lambda s: b"[" + s + b"]", "z": 1}
        assert Template(source).generate(**kwargs) == b"<x[y1]>"

    def test_its_content_is_a_function_of_its_own(self) -> None:
        source = "{% set x = 1 %}{% apply f %}{% set x = 2 %}{{ x }}{% end %}{{ x }}"
        assert Template(source).generate(f=lambda s: s) == b"21"

    def test_an_error_inside_leaves_the_output_whole(self) -> None:
        source = "a{% try %}b{% apply f %}c{{ 1/0 }}{% end %}{% except %}d{% end %}"
        assert Template(source).generate(f=lambda s: s) == b"abd"

    def test_any_result_is_printed(self) -> None:
        assert Template("{% apply len %}abc{% end %}").generate() == b"3"

    def test_an_unhashable_function(self) -> None:
        class Call(list[int]):
            def __call__(self, value: bytes) -> bytes:
                return value * 2

        assert Template("{% apply f %}ab{% end %}").generate(f=Call()) == b"abab"
        template = Template("{% autoescape f %}{{ x }}")
        assert template.generate(f=Call(), x="a") == b"aa"


def test_generate_cannot_wait() -> None:
    async def value() -> int:
        return 1

    with pytest.raises(TemplateError, match=r"coroutine.* at <string>:2.*generate_async"):
        Template("\n{{ x }}").generate(x=value())
    with pytest.raises(TemplateError, match=r"awaits at t:3.*generate_async"):
        Template("\n\n{{ await x }}", name="t").generate(x=1)


def test_the_generated_code_can_be_read() -> None:
    code = Template("a\n{{ x }}", name="t.txt").code
    assert "# t.txt:2" in code
    compile(code, "code", "exec")


def test_the_names_a_template_looks_up() -> None:
    template = Template("{% for row in rows %}{{ row.name }}{% end %}{% module M(x) %}{{ len(y) }}")
    names = template.names
    assert names is not None
    assert {"rows", "x", "y", "len", "_tt_modules"} <= names
    assert "name" not in names
    assert Template("{{ eval('x') }}").names is None


def test_a_loader_need_not_be_ours() -> None:
    class Simple:
        autoescape = None
        whitespace = None

        def __init__(self) -> None:
            self.namespace = {"x": "<"}

        def load(self, name: str, parent_path: str | None = None) -> Template:
            return Template("{{ x }}", name=name, loader=self)  # type: ignore[arg-type]

    loader: Any = Simple()
    assert Template("{% include a %}{{ x }}", loader=loader).generate() == b"<<"


def test_text_that_cannot_be_encoded_is_an_error_of_the_value() -> None:
    with pytest.raises(UnicodeEncodeError):
        Template("{{ x }}").generate(x="\ud800")


@pytest.mark.parametrize("autoescape", [True, False])
def test_autoescape_is_no_switch(autoescape: bool) -> None:
    with pytest.raises(TypeError, match="names a function, or is None"):
        Template("{{ x }}", autoescape=autoescape)  # type: ignore[arg-type]


def test_a_template_is_text() -> None:
    with pytest.raises(TypeError, match="a template is a str or bytes, not NoneType"):
        Template(None)  # type: ignore[arg-type]
