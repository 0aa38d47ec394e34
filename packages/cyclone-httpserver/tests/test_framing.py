"""Bodies from bytes, without I/O."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclone.httpserver import RequestError, ServerOptions
from cyclone.httpserver._framing import ChunkedReader, LengthReader, reader_for

OPTIONS = ServerOptions()


def run(data: bytes, cuts: list[int]) -> tuple[bytes, bytes, bool] | int:
    """Body, rest and end of chunked ``data`` cut at ``cuts``; the status if it is refused."""
    reader = ChunkedReader(OPTIONS)
    body = b""
    points = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    for begin, end in itertools.pairwise(points):
        if reader.done:
            return body, reader.rest + data[begin:], True
        try:
            if begin < end:
                body += reader.feed(data[begin:end])
        except RequestError as error:
            return error.status_code
    return body, reader.rest, reader.done


@given(
    st.lists(st.binary(min_size=1, max_size=50), max_size=10),
    st.sampled_from([b"", b";a", b";a=b", b' ; a="b\\"c"', b";a;b=c"]),
    st.sampled_from([b"", b"X-T: 1\r\n", b"X-T: 1\r\nX-U: 2\r\n"]),
    st.binary(max_size=20),
    st.lists(st.integers(0, 10_000), max_size=12),
)
@settings(max_examples=200, deadline=None)
def test_any_cuts(
    chunks: list[bytes], extension: bytes, trailers: bytes, rest: bytes, cuts: list[int]
) -> None:
    data = b"".join(b"%X%b\r\n%b\r\n" % (len(c), extension, c) for c in chunks)
    data += b"0" + extension + b"\r\n" + trailers + b"\r\n" + rest
    assert run(data, cuts) == (b"".join(chunks), rest, True)


NOISE = st.lists(
    st.one_of(
        st.sampled_from(
            [b"\r\n", b"\r", b"\n", b"0", b"3", b"abc", b";", b'"', b"=", b" ", b"0\r\n\r\n", b"x"]
        ),
        st.binary(max_size=3),
    ),
    max_size=14,
).map(b"".join)


@given(NOISE, st.lists(st.integers(0, 60), max_size=10))
@settings(max_examples=300, deadline=None)
def test_cuts_do_not_change_the_verdict_F34(data: bytes, cuts: list[int]) -> None:
    whole, bytewise, random = run(data, []), run(data, list(range(len(data)))), run(data, cuts)
    if isinstance(whole, int) or isinstance(bytewise, int):
        assert isinstance(whole, int)
        assert isinstance(bytewise, int)
        assert isinstance(random, int)
    else:
        assert whole == bytewise == random


@pytest.mark.parametrize(
    "name", ["Host", "Authorization", "X-Forwarded-For", "Cookie", "Content-Length"]
)
def test_forbidden_trailers_SM18(name: str) -> None:
    assert run(b"0\r\n" + name.encode() + b": 1\r\n\r\n", []) == 400


def test_length() -> None:
    reader = reader_for(5, OPTIONS)
    assert isinstance(reader, LengthReader)
    assert reader.feed(b"abc") == b"abc"
    assert reader.feed(b"defg") == b"de"
    assert (reader.done, reader.rest, reader.remaining) == (True, b"fg", 0)
    assert isinstance(reader_for(-1, OPTIONS), ChunkedReader)


@pytest.mark.parametrize(("size", "status"), [(256, 200), (257, 400)])
def test_chunk_line_limit(size: int, status: int) -> None:
    data = b"1;" + b"a" * (size - 2) + b"\r\nx\r\n0\r\n\r\n"
    for cuts in ([], list(range(len(data)))):
        result = run(data, cuts)
        assert (result if isinstance(result, int) else 200) == status


@pytest.mark.parametrize(("more", "status"), [(0, 200), (1, 431)])
@pytest.mark.parametrize("lines", [1, 2])
def test_trailer_limit(lines: int, more: int, status: int) -> None:
    size = OPTIONS.max_trailer_size // lines - len(b"A: \r\n")
    trailers = (b"A: " + b"x" * size + b"\r\n") * (lines - 1)
    trailers += b"A: " + b"x" * (size + more) + b"\r\n"
    data = b"0\r\n" + trailers + b"\r\n"
    for cuts in ([], list(range(len(data)))):
        result = run(data, cuts)
        assert (result if isinstance(result, int) else 200) == status
