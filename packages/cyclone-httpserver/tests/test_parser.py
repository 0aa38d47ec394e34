"""Heads, without I/O."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclone.httpserver import HTTPRequest, RequestError, ServerOptions
from cyclone.httpserver._parser import CHUNKED, HeadBuffer, field_pairs, parse_head
from cyclone.httputil import HTTPHeaders

OPTIONS = ServerOptions()


def parse(raw: bytes, options: ServerOptions = OPTIONS) -> HTTPRequest:
    request = HTTPRequest()
    parse_head(raw, options, request)
    return request


def head(*lines: bytes, first: bytes = b"GET / HTTP/1.1", host: bytes = b"Host: x") -> bytes:
    return b"\r\n".join((first, host, *lines, b"", b""))


def refused(raw: bytes, options: ServerOptions = OPTIONS) -> int:
    with pytest.raises(RequestError) as caught:
        parse(raw, options)
    return caught.value.status_code


@pytest.mark.parametrize(
    ("first", "method", "uri"),
    [
        (b"GET /a?b=c HTTP/1.1", "GET", "/a?b=c"),
        (b"GET //a//b HTTP/1.1", "GET", "//a//b"),
        (b"FOO / HTTP/1.1", "FOO", "/"),
        (b"get / HTTP/1.1", "get", "/"),
        (b"OPTIONS * HTTP/1.1", "OPTIONS", "*"),
        (b"GET http://x/a?b HTTP/1.1", "GET", "/a?b"),
        (b"GET HTTPS://X HTTP/1.1", "GET", "/"),
        (b"GET http://x?q HTTP/1.1", "GET", "/?q"),
        (b"GET /\\evil.com/.. HTTP/1.1", "GET", "/\\evil.com/.."),
    ],
)
def test_request_line_HV15(first: bytes, method: str, uri: str) -> None:
    request = parse(head(first=first))
    assert (request.method, request.uri) == (method, uri)


@pytest.mark.parametrize(
    ("host", "first", "expected"),
    [
        (b"Host: Example.com:80", b"GET / HTTP/1.1", "Example.com:80"),
        (b"host:[::1]:80", b"GET / HTTP/1.1", "[::1]:80"),
        (b"Host: x", b"GET http://X/ HTTP/1.1", "X"),
        (b"X: y", b"GET / HTTP/1.0", None),
        (b"X: y", b"GET http://x/ HTTP/1.0", "x"),
    ],
)
def test_host(host: bytes, first: bytes, expected: str | None) -> None:
    assert parse(head(first=first, host=host))._host == expected


@pytest.mark.parametrize(
    ("lines", "length", "expect"),
    [
        ((), 0, None),
        ((b"Content-Length: 0",), 0, False),
        ((b"CONTENT-LENGTH: 12",), 12, False),
        ((b"transfer-encoding: Chunked",), CHUNKED, False),
        ((b"Content-Length: 1", b"Expect: 100-Continue"), 1, True),
    ],
)
def test_framing(lines: tuple[bytes, ...], length: int, expect: bool | None) -> None:
    request = parse(head(*lines))
    assert request._length == length
    if expect is not None:
        assert request._expect_continue is expect


class TestLimits:
    @pytest.mark.parametrize(("size", "ok"), [(99, True), (100, True), (101, False)])
    def test_request_line(self, size: int, ok: bool) -> None:
        options = ServerOptions(max_request_line=100)
        raw = head(first=b"GET /" + b"a" * (size - 14) + b" HTTP/1.1")
        assert raw.find(b"\r\n") == size
        for verdict in (self.verdict(raw, options), self.verdict_in_pieces(raw, options)):
            assert verdict == (200 if ok else 414)

    @pytest.mark.parametrize(("count", "ok"), [(9, True), (10, True), (11, False)])
    def test_count_CN05(self, count: int, ok: bool) -> None:
        options = ServerOptions(max_header_count=10)
        raw = head(*[b"X-%d: 1" % i for i in range(count - 1)])
        for verdict in (self.verdict(raw, options), self.verdict_in_pieces(raw, options)):
            assert verdict == (200 if ok else 431)

    @pytest.mark.parametrize(("size", "ok"), [(99, True), (100, True), (101, False)])
    def test_line(self, size: int, ok: bool) -> None:
        options = ServerOptions(max_header_line=100, max_header_count=10)
        raw = head(b"X: " + b"a" * (size - 3), b"Y: 1")
        for verdict in (self.verdict(raw, options), self.verdict_in_pieces(raw, options)):
            assert verdict == (200 if ok else 431)

    @pytest.mark.parametrize("limit_above", [0, 1, 10])
    def test_block_is_counted_while_it_comes(self, limit_above: int) -> None:
        raw = head(b"X: " + b"a" * 500)
        options = ServerOptions(max_header_size=len(raw) + limit_above)
        assert self.verdict_in_pieces(raw, options) == 200
        options = ServerOptions(max_header_size=len(raw) - 1)
        assert self.verdict_in_pieces(raw, options) == 431

    @staticmethod
    def verdict(raw: bytes, options: ServerOptions) -> int:
        try:
            parse(raw, options)
        except RequestError as error:
            return error.status_code
        return 200

    @staticmethod
    def verdict_in_pieces(raw: bytes, options: ServerOptions) -> int:
        buffer = HeadBuffer(options)
        try:
            for i in range(len(raw)):
                complete = buffer.feed(raw[i : i + 1])
            assert complete == (raw, b"")
            parse(raw, options)
        except RequestError as error:
            return error.status_code
        return 200


def feed(pieces: list[bytes]) -> None:
    buffer = HeadBuffer(OPTIONS)
    for piece in pieces:
        buffer.feed(piece)


@pytest.mark.parametrize(
    "start",
    [
        b"\x16\x03\x01",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1\rX",
        b"GET / HTTP/1.1\r\nHost: x\n",
        b"GET / HTTP/1.1\r\nHost : ",
        b"GET / HTTP/1.1\r\n H",
        b"(",
        b"G" * 25,
    ],
)
def test_bad_bytes_are_refused_at_once_SM11(start: bytes) -> None:
    """Nothing waits for a terminator that may never come."""
    for pieces in ([start], [start[i : i + 1] for i in range(len(start))]):
        with pytest.raises(RequestError):
            feed(pieces)


def test_host_cache_is_bounded_CN14() -> None:
    from cyclone.httpserver import _parser

    for i in range(2000):
        parse(head(host=b"Host: h%d" % i))
    assert len(_parser._hosts) <= 256


@pytest.mark.parametrize(
    "raw",
    [
        head(*[b"X: a"] * 100),
        head(b"X: " + b"a " * 8000),
        head(*[b"Transfer-Encoding: chunked"] * 100),
        head(*[b"Connection: " + b"a," * 5000] * 5),
    ],
    ids=["CN-04", "CN-08", "codings", "tokens"],
)
def test_linear(raw: bytes) -> None:
    started = time.process_time()
    for _ in range(20):
        with contextlib.suppress(RequestError):
            parse(raw)
    assert time.process_time() - started < 1


NAMES = st.from_regex(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,20}", fullmatch=True).filter(
    lambda name: (
        name.lower()
        not in (
            "host",
            "content-length",
            "transfer-encoding",
            "connection",
            "expect",
            "content-type",
        )
    )
)
VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30).map(
    lambda value: value.strip(" \t")
)


@given(st.lists(st.tuples(NAMES, VALUES), max_size=20))
@settings(max_examples=150, deadline=None)
def test_what_is_sent_is_read(fields: list[tuple[str, str]]) -> None:
    lines = [f"{name}: {value}".encode("latin-1") for name, value in fields]
    request = parse(head(*lines))
    pairs = field_pairs(request._raw)
    assert pairs == [(b"Host", b"x")] + [
        (name.encode(), value.encode("latin-1")) for name, value in fields
    ]
    expected = HTTPHeaders({"Host": "x"})
    for name, value in fields:
        expected.add(name, value)
    assert list(HTTPHeaders.from_raw(pairs).get_all()) == list(expected.get_all())


PIECES = st.sampled_from(
    [
        b"GET",
        b" ",
        b"/",
        b"HTTP/1.1",
        b"\r\n",
        b"\r",
        b"\n",
        b"Host: x",
        b":",
        b"\x00",
        b"\xff",
        b"Content-Length: 3",
        b"Transfer-Encoding: chunked",
        b"POST",
        b"a",
        b"\t",
        b"HTTP/1.0",
    ]
)


@given(st.lists(st.one_of(PIECES, st.binary(max_size=6)), max_size=25).map(b"".join))
@settings(max_examples=300, deadline=None)
def test_splits_agree_F34(data: bytes) -> None:
    """Whole, or byte by byte: refused in both or in neither."""
    raw = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
    whole = in_pieces = True
    try:
        parse(raw)
    except RequestError:
        whole = False
    buffer = HeadBuffer(OPTIONS)
    try:
        for i in range(len(raw)):
            buffer.feed(raw[i : i + 1])
        parse(raw)
    except RequestError:
        in_pieces = False
    assert whole == in_pieces


HEADS = st.sampled_from(
    [
        head(),
        head(b"Accept: */*", b"User-Agent: x"),
        head(b"Content-Length: 3"),
        head(b"Content-Length: 03", b"Transfer-Encoding: chunked"),
        head(b"Transfer-Encoding: chunked"),
        head(b"Connection: close"),
        head(b"Connection: keep-alive"),
        head(b"Connection: keep-alive", b"Content-Length: 3"),
        head(b"Content-Length: 3", b"Connection: keep-alive"),
        head(b"Connection: keep-alive", b"Connection: close"),
        head(b"Connection: keep-alive", b"Transfer-Encoding: chunked"),
        head(b"Connection: keep-alive", b"Upgrade: websocket"),
        head(b"Proxy-Connection: close"),
        head(b"Proxy-Connection: upgrade", b"Upgrade: x"),
        head(b"Connection: upgrade", b"Upgrade: websocket"),
        head(b"Upgrade: h2c"),
        head(first=b"CONNECT x:1 HTTP/1.1"),
        head(first=b"FOO / HTTP/1.1"),
        head(first=b"GET / HTTP/1.0"),
        head(b"X y: bad"),
        head(b"X: a\nb"),
        head(b" folded"),
    ]
)
MANGLED = st.tuples(HEADS, st.integers(0, 200), st.binary(max_size=3)).map(
    lambda made: (
        (made[0][: made[1]] + made[2] + made[0][made[1] + 1 :]).partition(b"\r\n\r\n")[0]
        + b"\r\n\r\n"
    )
)


def verdict(raw: bytes) -> object:
    try:
        request = parse(raw)
    except RequestError as error:
        return error.status_code
    return request.method, request.uri, request._length, request._keep_alive


@given(st.lists(st.one_of(HEADS, MANGLED), min_size=2, max_size=8))
@settings(max_examples=300, deadline=None)
def test_heads_judged_before_change_no_verdict_SM11(heads: list[bytes]) -> None:
    """One parser judges many heads: whatever it saw, it judges as a new one would."""
    from cyclone.httpserver import _parser

    alone = []
    for raw in heads:
        _parser._judge = _parser.Parser(_parser._SINK)
        alone.append(verdict(raw))
    _parser._judge = _parser.Parser(_parser._SINK)
    assert [verdict(raw) for raw in heads] == alone


def test_known_hosts_alone_are_no_way_past_the_judge_SM11() -> None:
    """A head with a Host seen before is accepted as it stands: exactly when llhttp accepts it."""
    parse(head())
    characters = [bytes([code]) for code in range(256) if bytes([code]) not in b" \r\n"]
    for target in [b"/", *(b"/%b" % c for c in characters), *(b"/?%b" % c for c in characters)]:
        for method in (b"GET", b"TRACE", b"CONNECT", b"get"):
            raw = head(first=method + b" " + target + b" HTTP/1.1")
            alone = verdict(raw)
            judged = verdict(raw[:-2] + b"X: y\r\n\r\n")
            assert alone == judged, raw


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([b"Connection: keep-alive"], (0, True)),
        ([b"connection: Keep-Alive", b"X: y"], (0, True)),
        ([b"Connection: keep-alive", b"Content-Length: 3"], (3, True)),
        ([b"Content-Length: 3", b"Connection: keep-alive"], (3, True)),
        ([b"Connection: keep-alive", b"Connection: close"], (0, False)),
        ([b"Connection: keep-alive, close"], (0, False)),
        ([b"Connection: keep-alive", b"Transfer-Encoding: chunked"], (CHUNKED, True)),
        ([b"Connection: keep-alive", b"Content-Type: a/b"], (0, True)),
    ],
)
def test_keep_alive_hides_no_framing_SM01(lines: list[bytes], expected: tuple[int, bool]) -> None:
    request = parse(head(*lines))
    assert (request._length, request._keep_alive) == expected
