"""URLs: what is refused before a connection is made (CL-01, CL-15, CL-17)."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httpclient._url import parse_url, without_userinfo

GOOD = [
    ("http://h", "http", "h", 80, "/", "h"),
    ("HTTP://H:8080/a?b#c", "http", "h", 8080, "/a?b", "h:8080"),
    ("https://h:443/x", "https", "h", 443, "/x", "h"),
    ("http://h:/x", "http", "h", 80, "/x", "h"),
    ("http://h?q=1", "http", "h", 80, "/?q=1", "h"),
    ("http://127.0.0.1/", "http", "127.0.0.1", 80, "/", "127.0.0.1"),
    ("http://[::1]:81/", "http", "::1", 81, "/", "[::1]:81"),
    ("http://[fe80::1%25eth0]/", "http", "fe80::1%eth0", 80, "/", "[fe80::1]"),
    ("http://h/\u00e9?\u00e9", "http", "h", 80, "/%C3%A9?%C3%A9", "h"),
    ("http://h/%41%zz", "http", "h", 80, "/%41%zz", "h"),
    (
        "http://b\u00fccher.example/",
        "http",
        "xn--bcher-kva.example",
        80,
        "/",
        "xn--bcher-kva.example",
    ),
    ("http://a_b.example./", "http", "a_b.example.", 80, "/", "a_b.example."),
]


@pytest.mark.parametrize("case", GOOD, ids=[case[0] for case in GOOD])
def test_parts(case: tuple[str, str, str, int, str, str]) -> None:
    url, scheme, host, port, path, header = case
    target = parse_url(url)
    assert (target.scheme, target.host, target.port, target.path) == (scheme, host, port, path)
    assert target.host_header == header
    assert target.origin == (scheme, host, port)
    assert target.prefix == f" {path} HTTP/1.1\r\nHost: {header}\r\n".encode()


BAD = [
    "http://h/a b",
    "http://h/\r\nX: y",
    "http://h/\nX",
    "http://h/\tx",
    "http://h/\x00",
    "http://h\r\nX: y/",
    "http://h /",
    "http://h\\@evil/",
    "http://h/\x7f",
    "ftp://h/",
    "file:///etc/passwd",
    "data:text/plain,x",
    "javascript:alert(1)",
    "gopher://h/",
    "h/x",
    "",
    "//h/x",
    "http:/h",
    "http:h",
    "http://",
    "http:///x",
    "http://:80/",
    "http://user@/",
    "http://h:0/",
    "http://h:65536/",
    "http://h:-1/",
    "http://h:8_0/",
    "http://h:\u0661/",
    "http://h:80:80/",
    "http://[::1/",
    "http://[::1]x/",
    "http://[x]/",
    "http://[1.2.3.4]/",
    "http://::1/",
    "http://a..b/",
    "http://-a/",
    "http://a%00b/",
    "http://a%2eb/",
    "http://" + "a" * 64 + "/",
    "http://" + "a." * 130 + "a/",
    "http://2130706433/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0x7f.1/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://1.2.3.4.5/",
    "http://1.2.3.256/",
    "http://1.2.3.4./",
    "http://foo.0x1/",
    "http://\u2488.example/x y",
    "http://h/" + "x" * 65536,
]


@pytest.mark.parametrize("url", BAD, ids=[repr(url[:40]) for url in BAD])
def test_CL_01_CL_15_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_url(url)


def test_the_message_does_not_repeat_the_url() -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        parse_url("http://user:secret@h/a b")
    assert "secret" not in str(caught.value)


def test_userinfo_is_taken_apart_and_decoded() -> None:
    target = parse_url("http://us%40er:p%3Aw@h/")
    assert (target.username, target.password) == ("us@er", "p:w")
    assert target.host == "h"
    assert b"us" not in target.prefix
    assert without_userinfo("http://us%40er:p@h/x@y") == "http://h/x@y"
    assert without_userinfo("http://h/x@y") == "http://h/x@y"
    assert parse_url("http://only@h/").password == ""


@pytest.mark.parametrize("char", ["@", "%", ":", "[", "/", "?", "#", ".", "a."])
def test_CL_17_linear(char: str) -> None:
    begin = time.process_time()
    for _ in range(3):
        with contextlib.suppress(ValueError):
            parse_url("http://" + char * 50_000)
    assert time.process_time() - begin < 1


@given(st.text(max_size=60))
def test_any_text_gives_a_clean_target_or_value_error(text: str) -> None:
    for prefix in ("http://", "http://h/", "http://h:"):
        try:
            target = parse_url(prefix + text)
        except ValueError:
            continue
        head = target.prefix
        assert head.count(b"\r\n") == 2
        assert head.count(b" ") == 3
        assert all(32 <= byte < 127 or byte in b"\r\n" for byte in head)
