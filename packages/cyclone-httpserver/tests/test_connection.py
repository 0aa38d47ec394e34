"""The wire probes: every verdict in every split, in memory."""

from __future__ import annotations

import gc
import logging
from collections import Counter
from typing import Any

import pytest
from http_support import (
    HEADERS,
    NEVER,
    OK,
    PROBES,
    REJECT,
    SPLITS,
    Client,
    served_before,
)

from cyclone.httpserver import HTTPRequest


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("probe", PROBES)
def test_probe(probe: str, split: str, caplog: pytest.LogCaptureFixture) -> None:
    data, verdict = PROBES[probe]
    client = Client()
    with caplog.at_level(logging.INFO):
        client.send(*SPLITS[split](data))
    paths = [request.path for request in client.requests]
    final = [status for status in client.statuses if status >= 200]
    if verdict == REJECT:
        before = served_before(probe)
        assert len(paths) == before, client.received
        assert "/smug" not in paths
        assert len(final) == before + 1, client.received
        assert final[-1] >= 400
        assert client.received.count(b"Connection: close") == 1
        assert client.wire.closing
        # LG-02: one line and no traceback
        lines = [record for record in caplog.records if record.levelno >= logging.INFO]
        assert len(lines) == 1, [line.getMessage() for line in lines]
        assert lines[0].exc_info is None
        assert lines[0].getMessage().isprintable()
    elif verdict == NEVER:
        assert not paths
    else:
        assert len(paths) == verdict, client.received
        assert final == [200] * len(paths)
        if probe not in ("S19", "H37", "H38"):
            assert "/smug" not in paths
    client.hang_up()


@pytest.mark.parametrize(
    ("probe", "status"),
    [
        ("L33", 414),
        ("H27", 431),
        ("H28", 431),
        ("H35", 417),
        ("L10", 505),
        ("L11", 505),
        ("T09", 501),
        ("L32", 501),
        ("C23", 431),
        ("H01", 400),
    ],
)
@pytest.mark.parametrize("split", SPLITS)
def test_status(probe: str, status: int, split: str) -> None:
    client = Client()
    client.send(*SPLITS[split](PROBES[probe][0]))
    assert client.statuses == [status]


@pytest.mark.parametrize("split", SPLITS)
def test_expect_is_answered_once_H34(split: str) -> None:
    client = Client()
    client.send(*SPLITS[split](PROBES["H34"][0]))
    assert client.statuses == [100, 200]
    assert b"HTTP/1.1 100 Continue\r\n\r\n" in client.received


def test_nothing_after_a_refusal_is_served_SM13() -> None:
    client = Client()
    client.send(PROBES["SM-13"][0])
    client.send(PROBES["H31"][0])
    assert len(client.requests) == 1
    assert client.statuses == [200, 400]


WHITE = (9, 32)
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("slot", ["before", "after", "name", "colon"])
def test_only_sp_and_htab_are_white_space_SM07(slot: str) -> None:
    for code in range(256):
        byte = bytes([code])
        line = {
            "before": b"Content-Length: " + byte + b"3",
            "after": b"Content-Length: 3" + byte,
            "name": byte + b"Content-Length: 3",
            "colon": b"Content-Length" + byte + b": 3",
        }[slot]
        client = Client()
        client.send(b"POST / HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n\r\nabc")
        sizes = [len(request.body) for request in client.requests]
        client.hang_up()
        if slot in ("before", "after") and code in WHITE:
            assert sizes == [3], code
        elif slot == "before" and byte.isdigit():
            assert sizes == ([3] if byte == b"0" else []), code
        elif slot == "after" and byte.isdigit():
            assert sizes == [], code
        else:
            # A token makes another field of the name; all else is refused
            assert sizes in ([], [0]), code
            assert (sizes == []) or client.requests[0].headers.get("Content-Length") is None


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[i : i + size] for i in range(0, len(data), size)]


@pytest.mark.parametrize("probe", [name for name in PROBES if len(PROBES[name][0]) < 400])
def test_every_cut_gives_the_same_verdict_F34(probe: str) -> None:
    # A first segment of three bytes, as long as what find() gives for nothing plus 4, was refused
    data, verdict = PROBES[probe]
    cuts = [[data[:at], data[at:]] for at in range(1, len(data))]
    cuts += [pieces(data, size) for size in (2, 3, 4, 5)]
    for segments in cuts:
        client = Client()
        client.send(*segments)
        served = len(client.requests)
        if isinstance(verdict, int):
            assert served == verdict, segments
        else:
            assert served == served_before(probe), segments
        client.hang_up()


@pytest.mark.parametrize(
    ("segments", "statuses"),
    [
        ([b"\r\n" + GET] * 20, [200] * 20),
        ([b"\r\n", GET] * 20, [200] * 20),
        ([b"\r", b"\n" + GET], [200]),
        ([b"\r", GET], [400]),
        ([b"\r" + GET], [400]),
        ([b"\n", GET], [400]),
        ([GET, b"\r", GET], [200, 400]),
        ([b"\r\n"] * 9, [400]),
    ],
    ids=["20x", "20x-cut", "cut", "CR", "CR-whole", "LF", "CR-later", "many"],
)
def test_line_ends_before_a_request_L06(segments: list[bytes], statuses: list[int]) -> None:
    # A few before each request, not a few in the life of the connection
    client = Client()
    client.send(*segments)
    assert client.statuses == statuses


#: The probes of each row of the catalogue of advisories; a number is how many requests are served.
ROWS = {
    "SM-01": "S01 S02 S03",
    "SM-02": "T01 T02",
    "SM-03": "S04 S05 S06 S07 S08 S09 S10 S11 S12 S13 S14 S15:1",
    "SM-04": "C01 C02 C03 C04 C05 C06 C13 C14",
    "SM-05": "T03 T04 T06",
    "SM-06": "T05 T06 T07 T08 T09 T10 T11 T12 T13 T22 T23",
    "SM-07": "S10 S11 S12 T14 T15 T16",
    "SM-08": "S17 S18 T17",
    "SM-09": "T18 T19 H26",
    "SM-10": "T25 H21 H30 L22 C28",
    "SM-11": "H22 L01 SM-11",
    "SM-12": "C09 C10 C11 C12 C27",
    "SM-16": "S20:1 S21:1 S22:1",
    "SM-17": "L32",
    "SM-18": "C22 C22h C22t C21:1",
    "SM-19": "T21",
    "SM-20": "C15:1 C16 C17 C18 C19 C20",
    "SM-21": "H02 H03 H29",
    "SM-22": "H36:1 H37:2 H38:2",
    "SM-23": "H14 H15 SM-23 SM-23b",
    "SM-24": "H32:1 H33:1",
    "HV-01": "L09 L11 L12 L13 L14 L15 L16",
    "HV-02": "L08 L10 L36",
    "HV-03": "L20 L21 L23 L24 L25 L26 L27 L29 L31 L34 L28:1 L30:1",
    "HV-05": "H04 H05 H06 H07 H08 H09 H10 H11 H12",
    "HV-06": "L34a",
    "HV-07": "H12b H09 H12c:1",
    "HV-08": "L37",
    "HV-10": "L33",
    "HV-17": "H34:1 H35",
    "CN-05": "H27 H28 C23",
    "CN-09": "S13 S14",
    "CN-17": "L36",
    "LG-06": "S19:2 T24:1",
}


@pytest.mark.parametrize("coding", ["SM-06"])
def test_no_coding_falls_back_to_a_length(coding: str) -> None:
    for probe in ROWS[coding].split():
        head = b"POST / HTTP/1.1\r\nHost: x\r\n"
        client = Client()
        client.send(PROBES[probe][0].replace(head, head + b"Content-Length: 5\r\n"))
        assert not client.requests, probe
        assert client.wire.closing, probe


@pytest.mark.parametrize("row", ROWS)
def test_row(row: str) -> None:
    for item in ROWS[row].split():
        probe, _, served = item.partition(":")
        data, verdict = PROBES[probe]
        assert verdict == (int(served) if served else REJECT), probe
        client = Client()
        client.send(data)
        assert len(client.requests) == int(served or 0), probe
        assert served or client.wire.closing, probe
        client.hang_up()


POST = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD = b"GET / HTTP/1.1\r\nHost: x\r\n"
# What never ends, how it is refused, and after how many bytes on top of its beginning
ENDLESS = {
    "method": (b"", b"G", 400, 30),
    "target": (b"GET /", b"a", 414, 8192),
    "query": (b"GET /?", b"a=1&", 414, 8192),
    "version": (b"GET / ", b"H", 414, 8192),
    "empty lines": (b"", b"\r\n", 400, 64),
    "header name": (HEAD, b"x", 431, 16_384),
    "header value": (HEAD + b"X: ", b"x", 431, 16_384),
    "headers": (HEAD, b"X: 1\r\n", 431, 128 * 6),
    "long headers": (HEAD, b"X: " + b"x" * 8000 + b"\r\n", 431, 65_536),
    "chunk-size line": (POST, b"0", 400, 256),
    "chunk extension": (POST + b"3;a=", b"b", 400, 256),
    "trailer": (POST + b"0\r\nX: ", b"x", 431, 8192),
    "trailers": (POST + b"0\r\n", b"X: 1\r\n", 431, 8192),
}


@pytest.mark.parametrize(
    ("start", "endless", "status", "limit"),
    ENDLESS.values(),
    ids=[f"CN-06-{name}" for name in ENDLESS],
)
def test_a_limit_counts_what_came_byte_by_byte(
    start: bytes, endless: bytes, status: int, limit: int
) -> None:
    """In lines, not in what happens to arrive together; at the limit, not at a terminator."""
    client = Client()
    client.send(start)
    count = 0
    while not client.wire.closing and count < 100_000:
        client.send(endless[count % len(endless) :][:1])
        count += 1
    assert client.statuses == [status]
    assert count <= limit + 2  # there may be room for a line's end
    assert not client.requests


@pytest.mark.parametrize("size", range(65_526, 65_546))
def test_long_targets_are_refused_not_cut_HV10(size: int) -> None:
    data = b"GET /" + b"a" * (size - 1) + b" HTTP/1.1\r\nHost: x\r\n\r\n"
    client = Client()
    client.send(data)
    assert client.statuses == [414]
    # With room for them they arrive whole
    client = Client(max_request_line=70_000, max_header_size=80_000)
    client.send(data)
    assert [len(request.uri) for request in client.requests] == [size]


class Forgetful(list[HTTPRequest]):
    """A client's list of requests that keeps none."""

    def append(self, request: HTTPRequest) -> None:
        pass


def _answer_later(request: HTTPRequest) -> None:
    server: Any = request.connection.server
    connection = request.connection

    def answer() -> None:
        connection.write_response(request, 200, None, b"", b"later")

    server.reactor.callLater(0.1, answer)


def _stream(request: HTTPRequest) -> None:
    connection = request.connection
    connection.write_headers(OK, HEADERS, b"one")
    connection.write(b"two")
    connection.finish()


def _fail(request: HTTPRequest) -> None:
    raise ValueError("of the program")


def _notify(request: HTTPRequest) -> None:
    request.notifyFinish()
    request.headers.get("X")
    request.connection.write_response(request, 200, None, HEADERS, b"")


PLAIN = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\n"
KINDS = (
    "plain",
    "pipelined",
    "small",
    "spooled",
    "chunked",
    "http10",
    "refused",
    "later",
    "streamed",
    "failed",
    "notify",
)


@pytest.mark.parametrize(
    ("callback", "data"),
    [
        (None, PLAIN),
        (None, PLAIN * 2),
        (None, POST + b"Content-Length: 3\r\n\r\nabc"),
        (None, POST + b"Content-Length: 9\r\n\r\n" + b"a" * 9),
        (
            None,
            POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
        ),
        (None, b"GET / HTTP/1.0\r\n\r\n"),
        (None, b"GET / HTTP/1.1\r\n\r\n"),
        (_answer_later, PLAIN),
        (_stream, PLAIN),
        (_fail, PLAIN),
        (_notify, PLAIN),
    ],
    ids=KINDS,
)
def test_a_finished_request_leaves_no_cycle(callback: Any, data: bytes) -> None:
    """Its objects die when it ends: they must not wait for the collector, nor set it off."""
    clients = [Client(callback, spool_threshold=4) for _ in range(25)]

    def serve(client: Client) -> None:
        client.requests = Forgetful()
        for _ in range(2):
            client.send(data)
            client.clock.advance(1)
            if client.wire.closing:
                client.hang_up()
                return

    for client in clients[:5]:
        serve(client)
    gc.collect()
    gc.disable()
    try:
        for client in clients[5:]:
            serve(client)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
    finally:
        gc.set_debug(0)
        gc.enable()
        found = Counter(type(each).__name__ for each in gc.garbage)
        gc.garbage.clear()
    # What other tests left is here too, but not once for each request
    assert max(found.values(), default=0) < 20, found


class TestTurns:
    """CN-12: a client that sends many requests at once must not keep the others waiting."""

    def setup_method(self) -> None:
        self.client = Client(self.answer)
        self.asked: list[str] = []

    def answer(self, request: HTTPRequest) -> None:
        self.asked.append(request.path + request.body.decode())
        self.client.clock.rightNow += 0.004
        request.connection.write_response(request, 200, None, HEADERS, b"done")

    def test_others_have_their_turn_CN12(self) -> None:
        data = b"".join(
            b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n"
            b"POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n+" % (number, number)
            for number in range(5)
        )
        wanted = [f"/{number}{body}" for number in range(5) for body in ("", "+")]
        self.client.send(data[:-1])
        assert self.asked == wanted[:3]
        # What comes meanwhile stands behind
        self.client.send(data[-1:])
        assert self.asked == wanted[:3]
        turns: list[int] = []
        later = self.client.clock.callLater

        def counted(*arguments: Any) -> Any:
            turns.append(len(self.asked))
            return later(*arguments)

        self.client.clock.callLater = counted  # type: ignore[assignment, method-assign]
        self.client.clock.advance(0)
        assert turns == [6, 9]
        assert self.asked == wanted
        assert self.client.statuses == [200] * 10
        self.client.send(b"GET /last HTTP/1.1\r\nHost: x\r\n\r\n")
        assert self.asked[-1] == "/last"
        self.client.hang_up()

    def test_whoever_is_gone_is_not_served(self) -> None:
        self.client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
        self.client.hang_up()
        self.client.clock.advance(0)
        assert len(self.asked) == 3

    def test_requests_that_have_come_are_not_dropped_by_a_stop(self) -> None:
        self.client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 10)
        self.client.connection.close_if_idle()
        assert not self.client.wire.closing
        self.client.clock.advance(0)
        assert len(self.asked) == 10
        self.client.hang_up()
