"""The pure part of redirects; the rest is in test_flight."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httpclient._redirects import next_headers, next_method, next_target
from cyclone.httpclient._url import parse_url
from cyclone.httputil import HTTPHeaders

BASE = parse_url("http://h/a/b#f")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("c", "http://h/a/c#f"),
        ("/c#g", "http://h/c#g"),
        ("//g/c", "http://g/c#f"),
        ("HTTPS://G", "HTTPS://G#f"),
        ("  /c\t", "http://h/c#f"),
        ("", "http://h/a/b#f"),
        ("http://u:p@g/", "http://u:p@g/#f"),
    ],
)
def test_targets(location: str, url: str) -> None:
    assert next_target(BASE, location).url == url


@pytest.mark.parametrize(
    "location", ["http://", "https:///x", "//", "///x", "mailto:x", "http://h:x/"]
)
def test_CL_06_no_target(location: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        next_target(BASE, location)


def test_CL_02_what_goes_along() -> None:
    headers = HTTPHeaders({"Authorization": "a", "COOKIE": "b", "Host": "c", "X": "d"})
    headers.add("proxy-authorization", "e")
    headers.add("Content-Type", "f")
    headers.add("Content-Length", "1")
    kept = next_headers(headers, same_origin=True, keeps_body=True)
    assert set(kept) == set(headers) - {"Host"}
    kept = next_headers(headers, same_origin=True, keeps_body=False)
    assert set(kept) == {"Authorization", "Cookie", "Proxy-Authorization", "X"}
    kept = next_headers(headers, same_origin=False, keeps_body=False)
    assert set(kept) == {"X"}
    assert headers["Host"] == "c"


def test_the_table() -> None:
    assert next_method(301, "POST") == ("GET", False)
    assert next_method(302, "PUT") == ("PUT", True)
    assert next_method(303, "HEAD") == ("HEAD", True)
    assert next_method(303, "PUT") == ("GET", False)
    assert next_method(308, "POST") == ("POST", True)


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_location_gives_http_or_value_error(location: str) -> None:
    try:
        target = next_target(BASE, location)
    except ValueError:
        return
    assert target.scheme in ("http", "https")
    assert target.host
