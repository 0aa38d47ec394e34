"""Status lines, framing and dates, without I/O."""

from __future__ import annotations

import pytest

from cyclone.httpserver import _writer as wire
from cyclone.httputil import HTTPHeaders, HTTPOutputError


def test_status_lines() -> None:
    assert wire.status_line(200) == b"HTTP/1.1 200 OK\r\n"
    assert wire.status_line(299) == b"HTTP/1.1 299 Unknown\r\n"
    assert wire.status_line(404, "Gone fishing") == b"HTTP/1.1 404 Gone fishing\r\n"


@pytest.mark.parametrize(
    ("status", "reason"), [(0, None), (20, None), (200, "a\r\nb"), (200, "\0")]
)
def test_bad_status_lines_RI02(status: int, reason: str | None) -> None:
    with pytest.raises(HTTPOutputError):
        wire.status_line(status, reason)


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 10**9])
def test_length_line(size: int) -> None:
    assert wire.length_line(size) == b"Content-Length: %d\r\n\r\n" % size


def test_chunk() -> None:
    assert wire.chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


@pytest.mark.parametrize(("status", "none"), [(100, True), (204, True), (304, True), (200, False)])
def test_bodiless(status: int, none: bool) -> None:
    assert wire.bodiless(status) is none


def test_declared_length() -> None:
    assert wire.declared_length(HTTPHeaders({"Content-Length": "12"})) == 12
    assert wire.declared_length(HTTPHeaders()) is None
    with pytest.raises(HTTPOutputError):
        wire.declared_length(HTTPHeaders({"Content-Length": "٣".encode().decode("latin-1")}))


def test_date_is_right_within_a_second_F41() -> None:
    wall = 1_000_000_000.9
    calls: list[float] = []

    def clock() -> float:
        calls.append(wall)
        return wall

    line = wire.DateLine(clock)
    first = line(50.0)
    assert first == b"Date: Sun, 09 Sep 2001 01:46:40 GMT\r\n"
    assert line(50.05) is first
    wall = 1_000_000_001.0
    assert line(50.11) == b"Date: Sun, 09 Sep 2001 01:46:41 GMT\r\n"
    wall += 3600
    assert line(51.2) == b"Date: Sun, 09 Sep 2001 02:46:41 GMT\r\n"
    assert len(calls) == 3
