import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import RangeNotSatisfiable
from cyclone.web._static_ranges import choose_ranges, range_answer


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("bytes=0-9", [(0, 10)], id="first"),
        pytest.param("bytes=22-", [(22, 26)], id="open"),
        pytest.param("bytes=-4", [(22, 26)], id="suffix"),
        pytest.param("bytes=1-10000000", [(1, 26)], id="past-the-end"),
        pytest.param("Bytes=0-1", [(0, 2)], id="ST-13-case"),
        pytest.param("bytes=0-1,", [(0, 2)], id="ST-13-comma"),
        pytest.param("bytes=0-1, 4-5", [(0, 2), (4, 6)], id="two"),
        pytest.param("bytes=0-", None, id="all"),
        pytest.param("bytes=-999999999999", None, id="ST-13-long-suffix"),
        pytest.param("bytes=\u0663-", None, id="ST-13-digits"),
        pytest.param("bytes=9e9-", None, id="ST-13-number"),
        pytest.param("bytes=5", None, id="no-dash"),
        pytest.param("items=0-1", None, id="unit"),
        pytest.param("asdf", None, id="malformed"),
        pytest.param("bytes=" + "0-0," * 17, None, id="ST-12-many"),
        pytest.param("bytes=0-20,0-20", None, id="longer-than-the-file"),
    ],
)
def test_choose_ranges(header: str, expected: object) -> None:
    assert choose_ranges(header, 26) == expected


@pytest.mark.parametrize(
    "header", ["bytes=26-", "bytes=26", "bytes=-0", "bytes=10-3", "bytes=99-100"]
)
def test_not_satisfiable(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        choose_ranges(header, 26)


@pytest.mark.parametrize("unit", ["0-0,", "99-0,", ",", "1-2-3,", "-,"])
def test_st12_linear(unit: str) -> None:
    start = time.process_time()
    assert choose_ranges("bytes=" + unit * 10_000, 26) is None
    assert time.process_time() - start < 0.1


def test_one_range() -> None:
    answer = range_answer([(2, 6)], 26, "text/plain")
    assert (answer.size, answer.content_type, answer.content_range) == (
        4,
        "text/plain",
        "bytes 2-5/26",
    )
    assert answer.parts == [(b"", 2, 6)]


def test_several_ranges() -> None:
    data = bytes(range(65, 91))
    answer = range_answer([(0, 2), (24, 26)], 26, "text/plain")
    body = b"".join(part.head + data[part.start : part.end] for part in answer.parts) + answer.tail
    assert len(body) == answer.size
    assert answer.content_range is None
    boundary = answer.content_type.removeprefix("multipart/byteranges; boundary=")
    assert re.fullmatch("[0-9a-f]{32}", boundary)
    mark = boundary.encode()
    assert body == (
        b"--" + mark + b"\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/26\r\n\r\nAB\r\n"
        b"--"
        + mark
        + b"\r\nContent-Type: text/plain\r\nContent-Range: bytes 24-25/26\r\n\r\nYZ\r\n"
        b"--" + mark + b"--\r\n"
    )


@given(
    st.text("0123456789-,= bytes", max_size=40).map(lambda text: "bytes=" + text),
    st.integers(0, 30),
)
def test_ranges_are_always_inside(header: str, size: int) -> None:
    try:
        ranges = choose_ranges(header, size)
    except RangeNotSatisfiable:
        return
    for start, end in ranges or []:
        assert 0 <= start < end <= size
