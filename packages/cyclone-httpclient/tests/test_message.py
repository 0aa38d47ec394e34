"""Request heads as bytes."""

from __future__ import annotations

from typing import Any

import pytest

from cyclone.httpclient import HTTPRequest
from cyclone.httpclient._body import FileBody
from cyclone.httpclient._message import WireRequest, default_headers, with_missing
from cyclone.httpclient._route import route_to
from cyclone.httpclient._settings import Settings
from cyclone.httpclient._url import parse_url
from cyclone.httputil import HTTPHeaders


def head(
    method: str = "GET", content: Any = None, url: str = "http://h/p", **headers: str
) -> bytes:
    target = parse_url(url)
    fields = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    wire = WireRequest(
        method, target, route_to(target, Settings()), fields, content, connect_timeout=1
    )
    return wire.head


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"),
        ({"A": "b"}, b"GET /p HTTP/1.1\r\nHost: h\r\nA: b\r\n\r\n"),
        ({"Host": "other:1"}, b"GET /p HTTP/1.1\r\nHost: other:1\r\n\r\n"),
        (
            {"method": "POST", "content": b"x"},
            b"POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx",
        ),
        ({"method": "PUT"}, b"PUT /p HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ({"Content_Length": "0"}, b"GET /p HTTP/1.1\r\nHost: h\r\n\r\n"),
    ],
)
def test_heads(given: Any, expected: bytes) -> None:
    assert head(**given) == expected


def test_chunked() -> None:
    class Endless:
        def read(self, size: int = -1) -> bytes:
            return b""

    assert b"Transfer-Encoding: chunked\r\n" in head("POST", FileBody(Endless()))  # type: ignore[arg-type]


def test_defaults_do_not_replace_what_is_given() -> None:
    settings = Settings().merged(HTTPRequest("http://h/"))
    given = HTTPHeaders({"User-Agent": "me", "Accept-Encoding": "x"})
    assert default_headers(given, settings, "gzip") == given
    result = default_headers(HTTPHeaders(), settings, None)
    assert list(result.get_all()) == [("User-Agent", "Cyclone/2")]
    assert default_headers(given, Settings({"user_agent": "you"}), None)["User-Agent"] == "you"


def test_missing_fields_are_added_to_a_copy() -> None:
    given = HTTPHeaders({"A": "1"})
    assert dict(with_missing(given, {"a": "2", "B": "3"})) == {"A": "1", "B": "3"}
    assert dict(given) == {"A": "1"}
