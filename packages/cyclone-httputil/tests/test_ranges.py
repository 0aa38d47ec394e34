"""Byte ranges and If-Range."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import (
    RangeNotSatisfiable,
    format_content_range,
    if_range_matches,
    parse_byte_ranges,
)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-9", [(0, 10)]),
        ("bytes=90-", [(90, 100)]),
        ("bytes=-10", [(90, 100)]),
        ("bytes=0-999", [(0, 100)]),
        ("bytes=0-1, 5-6 ,\t-2", [(0, 2), (5, 7), (98, 100)]),
        ("bytes=50-60,0-10", [(50, 61), (0, 11)]),
        ("bytes=0-1,100-200", [(0, 2)]),
        ("bytes=0-0,-0", [(0, 1)]),
        pytest.param("bytes=-999999999999", [(0, 100)], id="ST-13-suffix-clamped"),
        pytest.param("bytes=-" + "9" * 5000, [(0, 100)], id="ST-13-suffix-huge"),
        pytest.param("bytes=0-" + "9" * 5000, [(0, 100)], id="ST-13-end-huge"),
        pytest.param("bytes=" + "0" * 5000 + "-5", [(0, 6)], id="ST-13-zeros"),
        pytest.param("Bytes=0-1", [(0, 2)], id="ST-13-case"),
        pytest.param("bytes= 0-1", [(0, 2)], id="ST-13-space"),
        pytest.param("bytes=0-1,", [(0, 2)], id="ST-13-empty-element"),
        pytest.param("bytes=" + "0-0," * 16, [(0, 1)] * 16, id="ST-12-sixteen"),
    ],
)
def test_ranges(header: str, expected: list[tuple[int, int]]) -> None:
    assert parse_byte_ranges(header, 100) == expected


@pytest.mark.parametrize(
    "header",
    [
        "",
        "bytes",
        "bytes=",
        "bytes=,",
        "bytes=-",
        "items=0-1",
        "bytes=a-b",
        "bytes=1-2-3",
        "bytes=0x1-2",
        "bytes=+1-2",
        "bytes=1_0-20",
        "bytes=0 - 1",
        "bytes=0-1;5-6",
        "bytes=0-1,x",
        pytest.param("bytes=\u0663-", id="ST-13-unicode-digit"),
        pytest.param("bytes=5-2", id="ST-13-backwards"),
        pytest.param("bytes=9e9-", id="ST-13-float"),
        pytest.param("bytes=" + "0-0," * 17, id="ST-12-seventeen"),
        pytest.param("bytes=" + "0-0," * 10_000, id="ST-12-ten-thousand"),
        pytest.param("bytes=" + "," * 100_000 + "0-0", id="ST-12-empty-elements"),
    ],
)
def test_ignored(header: str) -> None:
    assert parse_byte_ranges(header, 100) is None


@pytest.mark.parametrize(
    ("header", "size"),
    [
        pytest.param("bytes=-0", 100, id="ST-13-empty-suffix"),
        ("bytes=100-", 100),
        ("bytes=100-200,300-", 100),
        ("bytes=0-", 0),
        ("bytes=-5", 0),
        ("bytes=" + "9" * 5000 + "-", 100),
    ],
)
def test_unsatisfiable(header: str, size: int) -> None:
    with pytest.raises(RangeNotSatisfiable) as caught:
        parse_byte_ranges(header, size)
    assert caught.value.content_range == f"bytes */{size}"


def test_the_limit_is_an_argument() -> None:
    assert parse_byte_ranges("bytes=0-0,1-1", 10, max_ranges=1) is None
    assert parse_byte_ranges("bytes=0-0", 10, max_ranges=1) == [(0, 1)]
    many = "bytes=" + ",".join(["0-0"] * 100)
    assert parse_byte_ranges(many, 10, max_ranges=100) == [(0, 1)] * 100


def test_content_range() -> None:
    assert format_content_range(0, 1, 4) == "bytes 0-0/4"
    assert format_content_range(1, 4, 4) == "bytes 1-3/4"


DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("header", "etag", "modified", "matches"),
    [
        ('"a"', '"a"', None, True),
        (' "a" ', '"a"', None, True),
        ('"a"', '"b"', None, False),
        pytest.param('W/"a"', 'W/"a"', None, False, id="ST-14-weak"),
        pytest.param('"a"', 'W/"a"', None, False, id="ST-14-weak-tag"),
        pytest.param('W/"a"', '"a"', None, False, id="ST-14-weak-header"),
        ('"a"', None, 784111777.0, False),
        ('"a", "b"', '"a"', None, False),
        (DATE, '"a"', 784111777.4, True),
        (DATE, '"a"', 784111778, False),
        (DATE, '"a"', 784111776, False),
        (DATE, '"a"', None, False),
        ("", '"a"', 784111777, False),
        ("a", "a", None, False),
        ("*", '"a"', 1, False),
    ],
)
def test_if_range(header: str, etag: str | None, modified: float | None, matches: bool) -> None:
    assert if_range_matches(header, etag, modified) is matches


@given(st.text("bytes=0123456789-, "), st.integers(0, 1000))
def test_near_ranges(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        try:
            ranges = parse_byte_ranges(text, size)
        except RangeNotSatisfiable:
            continue
        assert ranges is None or ranges
        for start, end in ranges or ():
            assert 0 <= start < end <= size


@given(st.text(), st.integers(0))
def test_any_header(header: str, size: int) -> None:
    if_range_matches(header, '"a"', 0.0)
    with suppress(RangeNotSatisfiable):
        parse_byte_ranges(header, size)
