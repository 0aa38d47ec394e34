"""Responses off the wire: each case whole, byte by byte and split at every line (CL-09..CL-11)."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httpclient._parser import (
    END,
    MAX_CHUNK_LINE,
    MAX_HEADER_COUNT,
    MAX_TRAILER_SIZE,
    Event,
    LimitError,
    ProtocolError,
    ResponseHead,
    ResponseParser,
)


def whole(data: bytes) -> list[bytes]:
    return [data]


def bytewise(data: bytes) -> list[bytes]:
    return [data[index : index + 1] for index in range(len(data))]


def linewise(data: bytes) -> list[bytes]:
    return data.splitlines(keepends=True)


SPLITS = [whole, bytewise, linewise]


def run(
    segments: list[bytes], method: str = "GET", *, eof: bool = False
) -> tuple[list[Event], ResponseParser]:
    """All events, the pieces of the body joined."""
    parser = ResponseParser()
    parser.start(method)
    events: list[Event] = []
    for segment in segments:
        parser.feed(segment)
        while (event := parser.next_event()) is not None:
            if isinstance(event, bytes) and events and isinstance(events[-1], bytes):
                events[-1] += event
            else:
                events.append(event)
    if eof and parser.end_of_stream():
        events.append(END)
    return events, parser


H = b"HTTP/1.1 200 OK\r\n"

# id, bytes, method, closes, expected code, expected body, may be used again
GOOD = [
    ("length", H + b"Content-Length: 2\r\n\r\nhi", "GET", False, 200, b"hi", True),
    ("empty", H + b"Content-Length: 0\r\n\r\n", "GET", False, 200, b"", True),
    ("no-reason", b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "GET", False, 200, b"", True),
    (
        "odd-reason",
        b"HTTP/1.1 200 \xe9 x\r\nContent-Length: 0\r\n\r\n",
        "GET",
        False,
        200,
        b"",
        True,
    ),
    (
        "chunked",
        H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;x=y\r\n me\r\n0\r\n\r\n",
        "GET",
        False,
        200,
        b"hi me",
        True,
    ),
    (
        "trailers",
        H + b"Transfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n",
        "GET",
        False,
        200,
        b"x",
        True,
    ),
    ("until-close", H + b"\r\nhi", "GET", True, 200, b"hi", False),
    ("until-close-10", b"HTTP/1.0 200 OK\r\n\r\nhi", "GET", True, 200, b"hi", False),
    (
        "10-length",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        "GET",
        False,
        200,
        b"hi",
        False,
    ),
    (
        "10-keep-alive",
        b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 2\r\n\r\nhi",
        "GET",
        False,
        200,
        b"hi",
        True,
    ),
    (
        "close",
        H + b"Connection: close\r\nContent-Length: 2\r\n\r\nhi",
        "GET",
        False,
        200,
        b"hi",
        False,
    ),
    (
        "close-in-list",
        H + b"Connection: x, CLOSE\r\nContent-Length: 2\r\n\r\nhi",
        "GET",
        False,
        200,
        b"hi",
        False,
    ),
    ("head", H + b"Content-Length: 99\r\n\r\n", "HEAD", False, 200, b"", True),
    ("head-chunked", H + b"Transfer-Encoding: chunked\r\n\r\n", "HEAD", False, 200, b"", True),
    ("204", b"HTTP/1.1 204 No Content\r\n\r\n", "GET", False, 204, b"", True),
    (
        "304",
        b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
        "GET",
        False,
        304,
        b"",
        True,
    ),
    ("ows", H + b"Content-Length: \t 2 \t\r\n\r\nhi", "GET", False, 200, b"hi", True),
]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("case", GOOD, ids=[case[0] for case in GOOD])
def test_good_responses(case: tuple[str, bytes, str, bool, int, bytes, bool], split) -> None:  # type: ignore[no-untyped-def]
    _, data, method, closes, code, body, reusable = case
    events, parser = run(split(data), method, eof=closes)
    head = events[0]
    assert isinstance(head, ResponseHead)
    assert head.code == code
    assert b"".join(event for event in events if isinstance(event, bytes)) == body
    assert events[-1] is END
    assert parser.idle
    assert parser.keep_alive is reusable


# id, bytes
BAD = [
    ("CL-10-cl-and-te", H + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("CL-10-te-and-cl", H + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"),
    ("CL-10-two-cl", H + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nhi"),
    ("CL-10-two-equal-cl", H + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi"),
    ("CL-10-cl-list", H + b"Content-Length: 2, 2\r\n\r\nhi"),
    ("CL-10-cl-plus", H + b"Content-Length: +2\r\n\r\nhi"),
    ("CL-10-cl-minus", H + b"Content-Length: -2\r\n\r\nhi"),
    ("CL-10-cl-hex", H + b"Content-Length: 0x2\r\n\r\nhi"),
    ("CL-10-cl-empty", H + b"Content-Length:\r\n\r\nhi"),
    ("CL-10-cl-underscore", H + b"Content-Length: 1_0\r\n\r\nhi"),
    ("CL-10-cl-huge", H + b"Content-Length: 99999999999999999999\r\n\r\nhi"),
    ("CL-10-te-gzip", H + b"Transfer-Encoding: gzip, chunked\r\n\r\n"),
    ("CL-10-te-twice", H + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("CL-10-te-identity", H + b"Transfer-Encoding: identity\r\n\r\n"),
    ("CL-10-te-xchunked", H + b"Transfer-Encoding: xchunked\r\n\r\n"),
    ("CL-10-te-vt", H + b"Transfer-Encoding:\x0bchunked\r\n\r\n"),
    ("CL-10-te-10", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
    ("CL-10-nul", H + b"A: b\x00c\r\nContent-Length: 0\r\n\r\n"),
    ("CL-10-ctl", H + b"A: b\x01c\r\nContent-Length: 0\r\n\r\n"),
    ("CL-10-bare-cr", H + b"A: b\rc\r\nContent-Length: 0\r\n\r\n"),
    ("CL-10-bare-lf-in-head", H + b"A: b\nContent-Length: 0\r\n\r\n"),
    ("CL-10-folded", H + b"A: b\r\n c\r\nContent-Length: 0\r\n\r\n"),
    ("CL-10-space-before-colon", H + b"Content-Length : 0\r\n\r\n"),
    ("CL-10-no-colon", H + b"Content-Length\r\n\r\n"),
    ("CL-10-empty-name", H + b": x\r\n\r\n"),
    ("CL-10-name-with-space", H + b"A b: x\r\n\r\n"),
    ("CL-10-http-09", b"<html>hello</html>"),
    ("CL-10-tls-alert", b"\x15\x03\x01\x00\x02\x02\x16"),
    ("CL-10-http-2", b"HTTP/2.0 200 OK\r\n\r\n"),
    ("CL-10-http-12", b"HTTP/1.2 200 OK\r\n\r\n"),
    ("CL-10-lower", b"http/1.1 200 OK\r\n\r\n"),
    ("CL-10-code-99", b"HTTP/1.1 099 OK\r\n\r\n"),
    ("CL-10-code-4-digits", b"HTTP/1.1 2000 OK\r\n\r\n"),
    ("CL-10-two-spaces", b"HTTP/1.1  200 OK\r\n\r\n"),
    ("CL-10-reason-nul", b"HTTP/1.1 200 O\x00K\r\n\r\n"),
    ("chunk-size-sign", H + b"Transfer-Encoding: chunked\r\n\r\n+2\r\nhi\r\n0\r\n\r\n"),
    ("chunk-size-0x", H + b"Transfer-Encoding: chunked\r\n\r\n0x2\r\nhi\r\n0\r\n\r\n"),
    ("chunk-size-empty", H + b"Transfer-Encoding: chunked\r\n\r\n\r\nhi\r\n0\r\n\r\n"),
    ("chunk-size-long", H + b"Transfer-Encoding: chunked\r\n\r\n00000000000000002\r\nhi\r\n"),
    ("chunk-too-long", H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhiX\r\n0\r\n\r\n"),
    ("chunk-bare-lf", H + b"Transfer-Encoding: chunked\r\n\r\n2\nhi\r\n0\r\n\r\n"),
    ("chunk-line-long", H + b"Transfer-Encoding: chunked\r\n\r\n2;" + b"x" * MAX_CHUNK_LINE),
    ("trailer-bad", H + b"Transfer-Encoding: chunked\r\n\r\n0\r\nA b\r\n\r\n"),
    ("trailers-endless", H + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"A: b\r\n" * 2000),
    ("204-body", b"HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\nhi"),
    ("101", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\n"),
    ("1xx-body", b"HTTP/1.1 103 Hints\r\nContent-Length: 2\r\n\r\nhi"),
    ("CL-09-endless-1xx", b"HTTP/1.1 100 Continue\r\n\r\n" * 11),
    ("CL-10-70k-status-line", b"HTTP/1.1 200 " + b"x" * 70_000),
    ("CL-10-100k-headers", H + b"A: b\r\n" * 17_000),
    ("CL-10-header-count", H + b"A: b\r\n" * (MAX_HEADER_COUNT + 1) + b"\r\n"),
]


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("data", [case[1] for case in BAD], ids=[case[0] for case in BAD])
def test_bad_responses(data: bytes, split) -> None:  # type: ignore[no-untyped-def]
    if len(data) > 20_000 and split is bytewise:
        data = data[:66_000]
        split = lambda data: [data[i : i + 997] for i in range(0, len(data), 997)]  # noqa: E731
    with pytest.raises(ProtocolError):
        run(split(data), eof=True)


@pytest.mark.parametrize("split", SPLITS)
def test_CL_09_ten_interim_responses_are_fine(split) -> None:  # type: ignore[no-untyped-def]
    data = b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n" * 10 + H + b"Content-Length: 1\r\n\r\nx"
    events, _ = run(split(data))
    assert [event.code for event in events if isinstance(event, ResponseHead)] == [103] * 10 + [200]
    assert events[-1] is END


@pytest.mark.parametrize(
    "data",
    [
        H + b"Content-Length: 3\r\n\r\nhi",
        H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nh",
        H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
        H + b"Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n",
        H + b"Content-Le",
        b"HTTP",
        b"",
        b"HTTP/1.1 100 Continue\r\n\r\n",
    ],
)
def test_CL_11_a_stream_that_ends_early_is_an_error(data: bytes) -> None:
    with pytest.raises(ProtocolError, match="closed"):
        run([data], eof=True)


def test_bytes_after_the_response_are_seen() -> None:
    events, parser = run([H + b"Content-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\n\r\n"])
    assert events[-1] is END
    assert not parser.idle
    assert parser.take_rest() == b"HTTP/1.1 200 OK\r\n\r\n"
    assert parser.idle


def test_the_next_response_on_the_connection() -> None:
    _events, parser = run([H + b"Content-Length: 1\r\n\r\nx"])
    parser.start("GET")
    seen = [parser.started]
    parser.feed(b"H")
    assert [*seen, parser.started] == [False, True]
    parser.feed(H[1:] + b"Content-Length: 0\r\n\r\n")
    assert isinstance(parser.next_event(), ResponseHead)
    assert parser.next_event() is END


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(("size", "fits"), [(99, True), (100, True), (101, False)])
def test_the_size_of_the_head_is_limited(size: int, fits: bool, split) -> None:  # type: ignore[no-untyped-def]
    parser = ResponseParser(max_header_size=100)
    parser.start("GET")
    head = H + b"A: "

    def feed() -> None:
        for segment in split(head + b"x" * (size - len(head)) + b"\r\n\r\n"):
            parser.feed(segment)
            event = parser.next_event()
        assert isinstance(event, ResponseHead)

    if fits:
        feed()
    else:
        with pytest.raises(LimitError):
            feed()


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize(
    ("before", "limit", "after"),
    [
        (b"2;", MAX_CHUNK_LINE, b"\r\nhi\r\n0\r\n\r\n"),
        # Its own line's end counts for the trailers
        (b"2\r\nhi\r\n0\r\nA: ", MAX_TRAILER_SIZE - 2, b"\r\n\r\n"),
    ],
    ids=["chunk line", "trailer"],
)
@pytest.mark.parametrize("more", [0, 1])
def test_the_size_of_a_line_is_limited(  # type: ignore[no-untyped-def]
    before: bytes, limit: int, after: bytes, more: int, split
) -> None:
    size = limit + more - len(before.rpartition(b"\n")[2])
    data = CODED + before + b"x" * size + after
    if more:
        with pytest.raises(ProtocolError):
            run(split(data))
    else:
        assert run(split(data))[0][1:] == [b"hi", END]


CODED = H + b"Transfer-Encoding: chunked\r\n\r\n"
# What never ends, and after how many bytes of it the parser has had enough.
ENDLESS = {
    "version": (b"", b"H", 65_536),
    "reason": (b"HTTP/1.1 200 ", b"x", 65_536),
    "header name": (H, b"x", 65_536),
    "header value": (H + b"A: ", b"x", 65_536),
    "headers": (H, b"A: b\r\n", 65_536),
    "chunk-size line": (CODED, b"0", MAX_CHUNK_LINE),
    "chunk extension": (CODED + b"2;", b"x", MAX_CHUNK_LINE),
    "trailer": (CODED + b"0\r\nA: ", b"x", MAX_TRAILER_SIZE),
    "trailers": (CODED + b"0\r\n", b"A: b\r\n", MAX_TRAILER_SIZE),
}


@pytest.mark.parametrize(
    ("start", "endless", "limit"), ENDLESS.values(), ids=[f"CN-06-{name}" for name in ENDLESS]
)
def test_a_limit_counts_what_came_byte_by_byte(start: bytes, endless: bytes, limit: int) -> None:
    parser = ResponseParser()
    parser.start("GET")
    parser.feed(start)
    while (event := parser.next_event()) is not None:
        assert isinstance(event, ResponseHead)
    count = 0

    def one_more() -> bool:
        nonlocal count
        parser.feed(endless[count % len(endless) :][:1])
        count += 1
        return parser.next_event() is None

    with pytest.raises(ProtocolError):
        assert all(one_more() for _ in range(70_000))
    assert count <= limit + 4  # there may be room for a line's end


def test_linear_time_for_many_small_chunks() -> None:
    data = H + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"
    begin = time.process_time()
    events, _ = run([data[index : index + 65536] for index in range(0, len(data), 65536)])
    assert time.process_time() - begin < 5
    assert events[-1] is END


@given(st.binary(max_size=200))
def test_any_bytes_give_events_or_a_protocol_error(noise: bytes) -> None:
    for prefix in (b"", H, H + b"Transfer-Encoding: chunked\r\n\r\n"):
        with contextlib.suppress(ProtocolError):
            run([prefix + noise], eof=True)


@given(
    st.lists(st.binary(min_size=1, max_size=50), max_size=8),
    st.lists(st.integers(1, 30), min_size=1, max_size=20),
)
def test_chunks_come_back_however_they_are_cut(chunks: list[bytes], cuts: list[int]) -> None:
    data = H + b"Transfer-Encoding: chunked\r\n\r\n"
    data += b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    segments, start, index = [], 0, 0
    while start < len(data):
        size = cuts[index % len(cuts)]
        segments.append(data[start : start + size])
        start += size
        index += 1
    events, _ = run(segments)
    assert b"".join(event for event in events if isinstance(event, bytes)) == b"".join(chunks)
    assert events[-1] is END
