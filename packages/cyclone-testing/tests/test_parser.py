"""Reading responses."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httpclient import HTTPProtocolError, HTTPStreamClosedError
from cyclone.testing._parser import ResponseParser


class Reader:
    def __init__(self, method: str = "GET") -> None:
        self.heads: list[Any] = []
        self.body = b""
        self.ended = 0
        self.parser = ResponseParser(method, self.head, self.data, self.end)

    def head(self, version: str, code: int, reason: str, headers: Any) -> None:
        self.heads.append((version, code, reason, dict(headers)))

    def data(self, chunk: bytes) -> None:
        self.body += chunk

    def end(self) -> None:
        self.ended += 1


CASES = {
    "length": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
    "empty": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b""),
    "head": ("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", 200, b""),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", 304, b""),
    "chunked": (
        "GET",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n",
        200,
        b"hello world",
    ),
    "100 first": (
        "POST",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\nx",
        201,
        b"x",
    ),
    "no reason": ("GET", b"HTTP/1.1 299\r\nContent-Length: 1\r\n\r\nx", 299, b"x"),
}


@pytest.mark.parametrize(("method", "data", "code", "body"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("step", [1, 7, 10_000], ids=["bytewise", "pieces", "whole"])
def test_responses(method: str, data: bytes, code: int, body: bytes, step: int) -> None:
    reader = Reader(method)
    rest = b"".join(
        reader.parser.feed(data[start : start + step]) for start in range(0, len(data), step)
    )
    assert (rest, reader.body, reader.ended, reader.parser.done) == (b"", body, 1, True)
    assert [head[1] for head in reader.heads] == [code]
    reader.parser.eof()


def test_what_is_behind_comes_back() -> None:
    reader = Reader()
    assert reader.parser.feed(CASES["length"][1] + b"HTTP/1.1 ") == b"HTTP/1.1 "


def test_until_the_server_closes() -> None:
    reader = Reader()
    reader.parser.feed(b"HTTP/1.0 200 OK\r\n\r\nsome")
    reader.parser.feed(b" text")
    assert not reader.ended
    reader.parser.eof()
    assert (reader.body, reader.ended) == (b"some text", 1)


@pytest.mark.parametrize("length", [0, 5, 30, 45, 50])
def test_closed_too_early(length: int) -> None:
    reader = Reader()
    reader.parser.feed(CASES["length"][1][: min(length, 40)])
    with pytest.raises(HTTPStreamClosedError, match="before its response ended"):
        reader.parser.eof()


@pytest.mark.parametrize(
    "data",
    [
        b"SMTP ready\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_100_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 1_100_000,
    ],
    ids=range(11),
)
def test_what_is_no_http(data: bytes) -> None:
    with pytest.raises(HTTPProtocolError):
        Reader().parser.feed(data)


@given(st.binary(max_size=60), st.integers(1, 20))
def test_any_bytes_are_a_response_or_a_clear_error(data: bytes, step: int) -> None:
    reader = Reader()
    try:
        for start in range(0, len(data), step):
            reader.parser.feed(data[start : start + step])
        reader.parser.eof()
    except HTTPStreamClosedError:
        pass


@given(st.lists(st.binary(min_size=1, max_size=30)), st.integers(1, 50))
def test_chunked_bodies_come_through(chunks: list[bytes], step: int) -> None:
    data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    data += b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks) + b"0\r\n\r\n"
    reader = Reader()
    for start in range(0, len(data), step):
        assert reader.parser.feed(data[start : start + step]) == b""
    assert (reader.body, reader.ended) == (b"".join(chunks), 1)
