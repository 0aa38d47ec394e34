"""White space modes."""

import time

import pytest

from cyclone.template import DictLoader, ParseError, Template, filter_whitespace


@pytest.mark.parametrize(
    ("mode", "text", "expected"),
    [
        ("all", " \t\n x ", " \t\n x "),
        ("single", " \t\n x  y ", "\nx y "),
        ("single", "a \r\n\r\n b", "a\nb"),
        ("single", "a\r\r b", "a\r\r b"),
        ("oneline", " \t\n x \n", " x "),
    ],
)
def test_filter_whitespace(mode: str, text: str, expected: str) -> None:
    assert filter_whitespace(mode, text) == expected


def test_an_unknown_mode_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="unknown whitespace mode 'some'"):
        filter_whitespace("some", "")
    with pytest.raises(ValueError, match="unknown whitespace mode 'some'"):
        Template("", whitespace="some")


@pytest.mark.parametrize("blank", [" ", "\t", "\r", "\n", "\f", "\r\n", " \r"])
@pytest.mark.parametrize("mode", ["single", "oneline"])
def test_any_white_space_takes_linear_time(mode: str, blank: str) -> None:
    start = time.process_time()
    filter_whitespace(mode, blank * 300_000)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.html", b"\nx y"), ("a.js", b"\nx y"), ("a.txt", b" \n x  y")],
)
def test_the_default_is_by_file_name(name: str, expected: bytes) -> None:
    assert Template(" \n x  y", name=name).generate() == expected


def test_a_loader_sets_the_default() -> None:
    loader = DictLoader({"a.html": " \n x"}, whitespace="all")
    assert loader.load("a.html").generate() == b" \n x"


@pytest.mark.parametrize(("compress", "expected"), [(True, b" x"), (False, b"   x")])
def test_compress_whitespace(compress: bool, expected: bytes) -> None:
    assert Template("   x", compress_whitespace=compress).generate() == expected


def test_compress_whitespace_excludes_whitespace() -> None:
    with pytest.raises(ValueError, match="not both"):
        Template("", compress_whitespace=True, whitespace="all")


def test_the_directive_counts_for_the_rest_of_its_file() -> None:
    source = "a  b{% whitespace oneline %} \n c{% whitespace all %}  d"
    assert Template(source).generate() == b"a  b c  d"
    with pytest.raises(ParseError, match="unknown whitespace mode 'none' at x:2"):
        Template("\n{% whitespace none %}", name="x")


def test_preformatted_text_is_left_alone() -> None:
    assert Template("<pre>a\n\n  b</pre>", name="x.html").generate() == b"<pre>a\n\n  b</pre>"
