"""HTML escaping."""

import html
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.escape import squeeze, xhtml_escape, xhtml_unescape


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a href='x'>", "&lt;a href=&#x27;x&#x27;&gt;"),
        ('"&"', "&quot;&amp;&quot;"),
        ("&amp;", "&amp;amp;"),
        (b"<\xc3\xa9>", "&lt;é&gt;"),
        ("a > b", "a &gt; b"),
        ("it's", "it&#x27;s"),
        ('say "x"', "say &quot;x&quot;"),
        ("safe", "safe"),
        ("", ""),
    ],
)
def test_xhtml_escape(value: str | bytes, expected: str) -> None:
    assert xhtml_escape(value) == expected


@given(st.text(alphabet=st.sampled_from("<>&\"'ab é"), max_size=40))
def test_xhtml_escape_is_html_escape(text: str) -> None:
    assert xhtml_escape(text) == html.escape(text)
    assert xhtml_unescape(xhtml_escape(text)) == text


def test_a_subclass_of_str_is_escaped_by_its_content() -> None:
    class Tag(str):
        def __str__(self) -> str:
            return "other"

    assert xhtml_escape(Tag("<b>")) == "&lt;b&gt;"
    assert type(xhtml_escape(Tag("safe"))) is str


def test_another_type_is_refused() -> None:
    with pytest.raises(TypeError):
        xhtml_escape(1)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        xhtml_escape(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("&lt;&#x27;&#39;&amp;", "<''&"),
        ("&#32;&#x20;", "  "),
        ("&zzz;", "&zzz;"),
        (b"&eacute;", "é"),
    ],
)
def test_xhtml_unescape(value: str | bytes, expected: str) -> None:
    assert xhtml_unescape(value) == expected


@pytest.mark.parametrize("value", ["  a \n\t b\x00 ", b"  a \n\t b\x00 "], ids=["text", "bytes"])
def test_squeeze(value: str | bytes) -> None:
    assert squeeze(value) == "a b"


def test_escaping_is_linear() -> None:
    start = time.process_time()
    xhtml_escape("<&>\"'" * 200_000)
    squeeze(" " * 1_000_000)
    assert time.process_time() - start < 2
