"""Replies of Redis: whole, byte by byte, and what no Redis would send."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.web._hub_redis_replies import ITEM_COST, MAX_LINE, BadReply, ReplyReader

CUTS = [1, 2, 7, 10**9]


def read(data: bytes, size: int = 10**9, max_size: int = 1 << 20) -> list[object]:
    reader = ReplyReader(max_size, KeyError)
    got: list[object] = []
    for start in range(0, len(data), size):
        got += reader.feed(data[start : start + size])
    assert size > 10 or len(reader._buffer) < MAX_LINE + 10
    return got


@pytest.mark.parametrize("size", CUTS)
@pytest.mark.parametrize(
    ("data", "replies"),
    [
        (b"+OK\r\n", [b"OK"]),
        (b"+\r\n:5\r\n:-5\r\n", [b"", 5, -5]),
        (b"$5\r\na\r\nbc\r\n$0\r\n\r\n$-1\r\n", [b"a\r\nbc", b"", None]),
        (b"*0\r\n*-1\r\n", [[], None]),
        (b"*3\r\n$1\r\na\r\n:1\r\n$-1\r\n+x\r\n", [[b"a", 1, None], b"x"]),
        (b"*1\r\n$7\r\nmessage\r\n*1\r\n+a\r\n", [[b"message"], [b"a"]]),
        (b"$3\r\nab", []),
        (b"*2\r\n+a\r\n", []),
        (b"+a\r", []),
    ],
)
def test_replies(data: bytes, replies: list[object], size: int) -> None:
    assert read(data, size) == replies


@pytest.mark.parametrize("size", CUTS)
def test_errors(size: int) -> None:
    one, two = read(b"-ERR no\r\n*1\r\n-WRONGTYPE \xff\r\n", size)
    assert isinstance(one, KeyError)
    assert one.args == ("no",)
    assert isinstance(two, list)
    assert two[0].args == ("WRONGTYPE \ufffd",)


@pytest.mark.parametrize("size", CUTS)
@pytest.mark.parametrize(
    "data",
    [
        b"$99999999999\r\n",
        b"$9223372036854775807\r\n",
        b"$" + b"9" * 5000 + b"\r\n",
        b"*2147483647\r\n",
        b"*99999999999\r\n",
        b"*1000000\r\n",
        b"$-2\r\n",
        b"*-2\r\n",
        b"$+5\r\nabcde\r\n",
        b"$5_0\r\n",
        b"$\r\n",
        b"*x\r\n",
        b":\r\n",
        b":1e5\r\n",
        b"$1\r\nabc",
        b"*1\r\n" * 1_000_000,
        b"*2\r\n+a\r\n*1\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"%1\r\n",
        b"+" + b"a" * (MAX_LINE + 2),
        b"x" * 100_000,
        b"\xff\xfe" * 10 + b"\r\n",
    ],
    ids=range(23),
)
def test_what_is_none_LG_14(data: bytes, size: int) -> None:
    """LG-14: refused before anything is kept for it."""
    with pytest.raises(BadReply):
        read(data, size)


@pytest.mark.parametrize(("more", "fits"), [(-1, True), (0, True), (1, False)])
def test_the_size_of_a_reply_LG_14(more: int, fits: bool) -> None:
    """LG-14: a string, a line, an array of many small items."""
    limit = 100 * ITEM_COST
    size = limit + more
    item = b"$%d\r\n" % (limit - ITEM_COST + more)
    for data in (
        b"$%d\r\n" % size + bytes(size) + b"\r\n",
        b"+" + b"a" * size + b"\r\n",
        b"*1\r\n" + item + bytes(limit - ITEM_COST + more) + b"\r\n",
        b"*%d\r\n" % (100 + more) + b":1\r\n" * (100 + more),
    ):
        if fits:
            assert len(read(data * 3, 1000, limit)) == 3
        else:
            with pytest.raises(BadReply, match="too large"):
                read(data, 1000, limit)


@pytest.mark.parametrize("size", [1, 65536])
def test_time_is_linear(size: int) -> None:
    times = []
    for count in (5_000, 20_000):
        data = b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$3\r\nxyz\r\n" * count
        begun = time.process_time()
        assert len(read(data[: 200 * count if size > 1 else count], size)) > 0
        times.append(time.process_time() - begun)
    assert times[1] < 12 * times[0] + 0.05


@given(
    st.lists(st.none() | st.binary(max_size=20) | st.integers(-(10**9), 10**9)), st.integers(1, 30)
)
def test_any_reply(items: list[bytes | int | None], size: int) -> None:
    data = b"*%d\r\n" % len(items)
    for item in items:
        if item is None:
            data += b"$-1\r\n"
        elif isinstance(item, int):
            data += b":%d\r\n" % item
        else:
            data += b"$%d\r\n%b\r\n" % (len(item), item)
    assert read(data * 2, size) == [items, items]


@given(st.binary(max_size=60) | st.text("+-:$*0123\r\n", max_size=60).map(str.encode))
def test_any_bytes(data: bytes) -> None:
    verdicts = []
    for size in (1, 1000):
        try:
            verdicts.append(repr(read(data, size)))
        except BadReply:
            verdicts.append("bad")
    assert verdicts[0] == verdicts[1]
