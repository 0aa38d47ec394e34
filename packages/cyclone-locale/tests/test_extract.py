"""The extractor for templates."""

import time
from importlib.metadata import entry_points
from io import BytesIO

import pytest
from babel.messages.extract import extract
from hypothesis import given
from hypothesis import strategies as st

from cyclone.locale import TranslationError, extract_template
from cyclone.locale._collect import default_keywords
from cyclone.locale._extract import directives

KEYWORDS = ("_", "pgettext", "ngettext")


def messages(template: str, tags: tuple[str, ...] = ()) -> list[tuple[int, object, list[str]]]:
    found = extract_template(BytesIO(template.encode()), KEYWORDS, tags)
    return [(lineno, message, comments) for lineno, _, message, comments in found]


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        pytest.param("text _('no') { _('no') }", [], id="text"),
        pytest.param("{{ _('a') }}", [(1, "a")], id="expression"),
        pytest.param("\n\n {{ x }}\n{{ _('a') }}{{_('b')}}", [(4, "a"), (4, "b")], id="lines"),
        pytest.param("\r\n{{ _('a') }}", [(2, "a")], id="CRLF"),
        pytest.param("{{\n  x +\n _('a',\n 'b', n)\n}}", [(3, ("a", "b", None))], id="many lines"),
        pytest.param("{{\n    a\n  + _('b')}}", [(3, "b")], id="odd indentation"),
        pytest.param("{% raw _('a') %}", [(1, "a")], id="raw"),
        pytest.param("{% if _('a') == x %}{% end %}", [(1, "a")], id="if"),
        pytest.param("{% for x in f(_('a')) %}{% end %}", [(1, "a")], id="for"),
        pytest.param("{% set x = _('a') %}", [(1, "a")], id="set"),
        pytest.param("{% module Menu(_('a'), title=_('b')) %}", [(1, "a"), (1, "b")], id="module"),
        pytest.param("{{ f(_('a'), _('b')) }}", [(1, "a"), (1, "b")], id="several"),
        pytest.param("{{ pgettext('c', 'a') }}", [(1, ("c", "a"))], id="context"),
        pytest.param("{{ self.locale._('a') }}", [(1, "a")], id="method"),
        pytest.param("{{ x_('no') }} {{ _x('no') }}", [], id="other names"),
        pytest.param("{{ _ ( 'a' ) }}", [(1, "a")], id="spaces"),
        pytest.param("{{ _('a' 'b') }}", [(1, "ab")], id="adjacent strings"),
        pytest.param("{{ _(name) }}", [(1, None)], id="no literal"),
        pytest.param("{# _('no') #}{% comment _('no') %}", [], id="comments"),
        pytest.param("{% comment it's _( %}{{ _('a') }}", [(1, "a")], id="quote in a comment"),
        pytest.param("{% comment it's %}{{ _('a', 'x') }}'", [(1, ("a", "x"))], id="odd quote"),
        pytest.param("{% block _('x') %}{% end %}", [], id="no Python in it"),
        pytest.param("{{! _('no') }}{%! _('no') %}{#! x {{ _('a') }}", [(1, "a")], id="escaped"),
        pytest.param("{{{ _('a') }}}", [(1, "a")], id="three braces"),
        pytest.param("\\frac{{{_('a')}}}{2}", [(1, "a")], id="LaTeX"),
        pytest.param("{{ _('a }} b') }}", [(1, "a }} b")], id="closer in a string"),
        pytest.param("{{ _('it\\'s %} }}') }}", [(1, "it's %} }}")], id="escaped quote"),
        pytest.param('{{ _("""a }}\n"b" """) }}', [(1, 'a }}\n"b" ')], id="long string"),
        pytest.param("{{ f({'x': {'y': _('a')}}) }}", [(1, "a")], id="dict"),
        pytest.param("{{ _('é') }}", [(1, "é")], id="not ASCII"),
        pytest.param("\ufeff{{ _('a') }}", [(1, "a")], id="byte order mark"),
        pytest.param("{% end %}{{ }}{% %}{{ _('a') }}", [(1, "a")], id="empty ones"),
        pytest.param("{{ a' }}{{ _('b') }}", [(1, "b")], id="a broken one without a message"),
    ],
)
def test_messages(template: str, expected: list[tuple[int, object]]) -> None:
    assert [(lineno, message) for lineno, message, _ in messages(template)] == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("{# NOTE: x #}{{ _('a') }}", [["NOTE: x"]]),
        ("{# NOTE: x #}\n{{ _('a') }}\n{{ _('b') }}", [["NOTE: x"], []]),
        ("{# NOTE: x\n   y #}\n{{ _('a') }}", [["NOTE: x", "y"]]),
        ("{# NOTE: x #}\n\n{{ _('a') }}", [[]]),
        ("{# x #}{{ _('a') }}", [[]]),
        ("{{ _('a') }}\n{# NOTE: x #}", [[]]),
    ],
)
def test_comments(template: str, expected: list[list[str]]) -> None:
    assert [comments for _, _, comments in messages(template, ("NOTE:",))] == expected


@pytest.mark.parametrize(
    ("template", "lineno", "reason"),
    [
        ("a\n{{ _('a')", 2, "{{ is not closed"),
        ("{% if x", 1, "{% is not closed"),
        ("\n\n{# x", 3, "{# is not closed"),
        ("{% end %}\n{{ _('a' }}", 2, "no Python expression"),
        ("{{ _('a }}", 1, "no Python expression"),
        ("{{ _('a\x00') }}", 1, "no Python expression"),
    ],
)
def test_broken_templates(template: str, lineno: int, reason: str) -> None:
    with pytest.raises(TranslationError, match=reason) as caught:
        messages(template)
    assert caught.value.lineno == lineno


def test_a_template_that_is_not_utf_8() -> None:
    with pytest.raises(TranslationError, match="not utf-8") as caught:
        list(extract_template(BytesIO(b"a\n\xff"), KEYWORDS))
    assert caught.value.lineno == 2


def test_the_encoding_is_an_option() -> None:
    template = BytesIO("{{ _('é') }}".encode("latin-1"))
    found = list(extract_template(template, KEYWORDS, (), {"encoding": "latin-1"}))
    assert found == [(1, "_", "é", [])]
    with pytest.raises(TranslationError, match="unknown encoding"):
        list(extract_template(BytesIO(b"a"), KEYWORDS, (), {"encoding": "zz"}))


def test_babel_knows_it_by_name() -> None:
    assert "cyclone" in entry_points(group="babel.extractors").names
    template = BytesIO(b"{{ _('file', 'files', n) }}")
    found = list(extract("cyclone", template, default_keywords()))
    assert found == [(1, ("file", "files"), [], None)]


@pytest.mark.parametrize(
    "piece",
    ["{{", "{{ '", "{{ ' }}", "{{ ( }}", "{%", "{#", "{", "{{!", "{{ ''' }}", "{{ _(1) }}\n"],
)
def test_linear_time(piece: str) -> None:
    template = piece * (200_000 // len(piece))
    start = time.process_time()
    try:
        for _ in directives(template):
            pass
    except TranslationError:
        pass
    assert time.process_time() - start < 2


@given(st.text(alphabet="{}%#!'\"()_ a\n\\", max_size=60))
def test_any_text_gives_messages_or_an_error(template: str) -> None:
    try:
        found = messages(template)
    except TranslationError:
        return
    assert all(1 <= lineno <= template.count("\n") + 1 for lineno, _, _ in found)
