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
    for value in (text, f"<{text}", f'<"{text}', f"<{text}{'-' * 40}", f"\ud800<{text * 5}"):
        assert xhtml_escape(value) == html.escape(value)
        assert xhtml_unescape(xhtml_escape(value)) == value


def test_a_subclass_of_str_is_escaped_by_its_content() -> None:
    class Tag(str):
        def __str__(self) -> str:
            return "other"

        def __contains__(self, item: object) -> bool:
            return False

        def encode(self, *args: object) -> bytes:
            return b"encoded"

        def replace(self, *args: object) -> str:
            return "replaced"

    class Open(Tag):
        def __contains__(self, item: object) -> bool:
            return True

        def __len__(self) -> int:
            return 1

    for kind in (Tag, Open):
        for text in ("<b>", "it's", '<a href="&">', f"<{'&' * 50}"):
            assert xhtml_escape(kind(text)) == html.escape(text)
            assert type(xhtml_escape(kind(text))) is str
    assert type(xhtml_escape(Tag("safe"))) is str


@pytest.mark.parametrize("value", [5, None, ["<"], {"<": '"'}, ["safe"], bytearray(b"<")], ids=repr)
def test_another_type_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=f"not {type(value).__name__}"):
        xhtml_escape(value)  # type: ignore[arg-type]


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
