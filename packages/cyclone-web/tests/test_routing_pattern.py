import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.web._routing_pattern import (
    Group,
    Literal,
    literal_prefix,
    literal_suffix,
    reverse_parts,
)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("/a/b$", Literal("/a/b", True), id="whole"),
        pytest.param("^/a$", Literal("/a", True), id="caret"),
        pytest.param(r"\A/a\Z", Literal("/a", True), id="absolute-anchors"),
        pytest.param("/a/b", Literal("/a/b", False), id="no-end"),
        pytest.param(r"/favicon\.ico$", Literal("/favicon.ico", True), id="escaped-dot"),
        pytest.param(r"/price\$", Literal("/price$", False), id="escaped-dollar-is-no-end"),
        pytest.param("/u/([0-9]+)$", Literal("/u/", False), id="group"),
        pytest.param("/a/?$", Literal("/a", False), id="optional-slash"),
        pytest.param("/a+$", Literal("/", False), id="plus"),
        pytest.param("/a{2}$", Literal("/", False), id="counted"),
        pytest.param("/a|/b$", Literal("", False), id="alternatives"),
        pytest.param("/a(?:b|c)$", Literal("/a", False), id="alternatives-inside"),
        pytest.param("/a[|]b$", Literal("/a", False), id="bar-in-a-class"),
        pytest.param(r"/a\|b$", Literal("/a|b", True), id="escaped-bar"),
        pytest.param(r"/v\d$", Literal("/v", False), id="class-escape"),
        pytest.param("(?i)/abc$", Literal("", False), id="flags"),
        pytest.param("/a(?#(|)b$", Literal("", False), id="comment"),
        pytest.param("/a(?=b)b$", Literal("/a", False), id="lookahead"),
        pytest.param("/a$b", Literal("/a", False), id="dollar-inside"),
        pytest.param(".*$", Literal("", False), id="anything"),
        pytest.param("$", Literal("", True), id="empty"),
    ],
)
def test_literal_prefix(pattern: str, expected: Literal) -> None:
    assert literal_prefix(re.compile(pattern)) == expected


_atoms = st.sampled_from(
    [
        "/",
        "a",
        "b",
        r"\.",
        ".",
        "[ab]",
        "[]|]",
        "[^]/]",
        "(a)",
        "(a|b)",
        "(?:a/)",
        "|",
        "^",
        "$",
        r"\d",
        "{",
    ]
)
_pieces = st.tuples(_atoms, st.sampled_from(["", "", "", "?", "*", "+", "{2}", "*?"])).map("".join)


@given(st.lists(_pieces, max_size=6).map("".join), st.text("ab/.]|{", max_size=6))
def test_literal_prefix_is_never_too_long(pattern: str, path: str) -> None:
    try:
        regex = re.compile(pattern)
    except re.error:
        return
    literal = literal_prefix(regex)
    if regex.match(path):
        assert path.endswith(literal_suffix(regex))
        assert path == literal.text if literal.whole else path.startswith(literal.text)
    if literal.whole:
        assert regex.match(literal.text)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param("/(.)/a$", "/a", id="after-a-group"),
        pytest.param("/(.)/a", "", id="no-end"),
        pytest.param("/(.)/a|b$", "", id="alternatives"),
        pytest.param("/a?b$", "b", id="after-an-option"),
        pytest.param("/(.)x?$", "", id="option"),
        pytest.param("(?i)/a$", "", id="flags"),
    ],
)
def test_literal_suffix(pattern: str, expected: str) -> None:
    assert literal_suffix(re.compile(pattern)) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        pytest.param(r"^/api\.v1/(\w+)$", ["/api.v1/", Group(None, False)], id="escapes"),
        pytest.param("/(?P<y>[0-9]{4})/$", ["/", Group("y", False), "/"], id="named"),
        pytest.param("/a(/b)?$", ["/a", Group(None, True)], id="optional-group"),
        pytest.param("/a/?$", ["/a"], id="optional-slash"),
        pytest.param("/favicon.ico", ["/favicon.ico"], id="dot"),
        pytest.param("/a(?:/)?", ["/a"], id="optional-noncapturing"),
        pytest.param(r"/v\d+/(\w+)$", None, id="class-outside-a-group"),
        pytest.param("/(a(b))$", None, id="nested"),
        pytest.param("/a|/b", None, id="alternatives"),
        pytest.param("/[ab]", None, id="class"),
        pytest.param("/.*", None, id="anything"),
        pytest.param("/a{3}", None, id="counted"),
        pytest.param("/a(?=b)", None, id="lookahead"),
    ],
)
def test_reverse_parts(pattern: str, expected: list[object] | None) -> None:
    parts = reverse_parts(re.compile(pattern))
    if parts is None or expected is None:
        assert parts is expected
        return
    merged: list[object] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    assert merged == expected


@pytest.mark.parametrize(
    "pattern", ["(" * 20 + "a" * 50_000 + ")" * 20, "[" + "\\]" * 50_000 + "]", "a?" * 50_000]
)
def test_analysis_is_linear(pattern: str) -> None:
    compiled = re.compile(pattern)
    begun = time.process_time()
    reverse_parts(compiled)
    literal_prefix(compiled)
    assert time.process_time() - begun < 1
