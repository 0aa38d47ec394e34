"""The cookie jar (CL-04, CL-19)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httpclient import CookieJar
from cyclone.httpclient._cookies import (
    MAX_AGE,
    MAX_COOKIE_SIZE,
    MAX_COOKIES,
    MAX_PER_HOST,
    cookie_pairs,
    parse_cookie_date,
)
from cyclone.httpclient._url import parse_url

# id, where it is set, the header, where it is asked for, what is sent
CASES = [
    ("plain", "http://h/", "a=b", "http://h/x", "a=b"),
    ("other-host", "http://h/", "a=b", "http://g/", None),
    ("other-port", "http://h/", "a=b", "http://h:81/", "a=b"),
    ("host-only", "http://e.com/", "a=b", "http://x.e.com/", None),
    ("domain", "http://e.com/", "a=b; Domain=e.com", "http://x.e.com/", "a=b"),
    ("domain-dot", "http://e.com/", "a=b; Domain=.E.com", "http://x.e.com/", "a=b"),
    ("domain-up", "http://x.e.com/", "a=b; Domain=e.com", "http://y.e.com/", "a=b"),
    ("domain-other", "http://e.com/", "a=b; Domain=f.com", "http://f.com/", None),
    ("domain-sibling", "http://x.e.com/", "a=b; Domain=y.e.com", "http://y.e.com/", None),
    ("domain-suffix", "http://evile.com/", "a=b; Domain=e.com", "http://e.com/", None),
    ("domain-top", "http://e.com/", "a=b; Domain=com", "http://f.com/", None),
    ("domain-empty", "http://e.com/", "a=b; Domain=", "http://e.com/", "a=b"),
    ("ip", "http://1.2.3.4/", "a=b", "http://1.2.3.4/", "a=b"),
    ("ip-domain", "http://1.2.3.4/", "a=b; Domain=3.4", "http://1.2.3.4/", None),
    ("ip-suffix", "http://1.2.3.4/", "a=b; Domain=1.2.3.4", "http://1.2.3.4/", "a=b"),
    ("secure-sent", "https://h/", "a=b; Secure", "https://h/", "a=b"),
    ("secure-kept-back", "https://h/", "a=b; Secure", "http://h/", None),
    ("secure-over-http", "http://h/", "a=b; Secure", "https://h/", None),
    ("path", "http://h/", "a=b; Path=/x", "http://h/x/y", "a=b"),
    ("path-prefix", "http://h/", "a=b; Path=/x", "http://h/xy", None),
    ("path-default", "http://h/x/y", "a=b", "http://h/x/z", "a=b"),
    ("path-default-not", "http://h/x/y", "a=b", "http://h/z", None),
    ("path-query", "http://h/x/y?/z/", "a=b", "http://h/x/q?z", "a=b"),
    ("path-relative", "http://h/x/y", "a=b; Path=z", "http://h/x/", "a=b"),
    ("max-age", "http://h/", "a=b; Max-Age=10", "http://h/", "a=b"),
    ("max-age-0", "http://h/", "a=b; Max-Age=0", "http://h/", None),
    ("max-age-1", "http://h/", "a=b; Max-Age=1", "http://h/", "a=b"),
    (
        "max-age-wins",
        "http://h/",
        "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=9",
        "http://h/",
        "a=b",
    ),
    ("expired", "http://h/", "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "http://h/", None),
    ("expires-nonsense", "http://h/", "a=b; Expires=soon", "http://h/", "a=b"),
    ("comma-is-one", "http://h/", "a=b, c=d", "http://h/", "a=b, c=d"),
    ("equals-in-value", "http://h/", "a=b=c", "http://h/", "a=b=c"),
    ("spaces", "http://h/", "  a =  b  ; x", "http://h/", "a=b"),
    ("quoted", "http://h/", 'a="b c"', "http://h/", 'a="b c"'),
    ("nameless", "http://h/", "=b", "http://h/", None),
    ("no-equals", "http://h/", "b", "http://h/", None),
    ("control", "http://h/", "a=b\x01c", "http://h/", None),
    ("large", "http://h/", "a=" + "x" * MAX_COOKIE_SIZE, "http://h/", None),
    ("__Secure-", "https://h/", "__Secure-a=b; Secure", "https://h/", "__Secure-a=b"),
    ("__Secure-not", "https://h/", "__Secure-a=b", "https://h/", None),
    ("__Host-", "https://h/", "__Host-a=b; Secure; Path=/", "https://h/", "__Host-a=b"),
    ("__Host-path", "https://h/", "__Host-a=b; Secure; Path=/x", "https://h/x", None),
    (
        "__host-domain",
        "https://e.com/",
        "__host-a=b; Secure; Path=/; Domain=e.com",
        "https://e.com/",
        None,
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"CL-19-{case[0]}" for case in CASES])
def test_one_cookie(case: tuple[str, str, str, str, str | None]) -> None:
    _, origin, header, url, expected = case
    jar = CookieJar()
    jar.store(parse_url(origin), [header])
    assert jar.header(parse_url(url)) == expected


H, S = parse_url("http://h/"), parse_url("https://h/")


def test_replacing_and_removing() -> None:
    jar = CookieJar()
    jar.store(H, ["a=1", "b=2", "a=3"])
    assert jar.header(H) == "a=3; b=2"
    jar.store(H, ["a=; Max-Age=-1"])
    assert jar.header(H) == "b=2"
    assert [cookie.name for cookie in jar] == ["b"]
    jar.clear()
    assert (len(jar), jar.header(H)) == (0, None)


def test_longer_paths_first() -> None:
    jar = CookieJar()
    jar.store(H, ["a=1; Path=/", "b=2; Path=/x/y", "c=3; Path=/x"])
    assert jar.header(parse_url("http://h/x/y")) == "b=2; c=3; a=1"


def test_http_does_not_replace_a_secure_cookie() -> None:
    jar = CookieJar()
    jar.store(S, ["a=safe; Secure"])
    jar.store(H, ["a=evil"])
    assert jar.header(S) == "a=safe"
    jar.store(S, ["a=new"])
    assert jar.header(H) == "a=new"


def test_time_passes() -> None:
    now = 1000.0
    jar = CookieJar(clock=lambda: now)
    jar.store(H, ["a=1; Max-Age=10", "b=2; Max-Age=999999999999"])
    assert jar.header(H) == "a=1; b=2"
    now += 10
    assert jar.header(H) == "b=2"
    now += MAX_AGE
    assert jar.header(H) is None
    assert len(jar) == 0


def test_CL_19_limits() -> None:
    jar = CookieJar()
    for number in range(MAX_PER_HOST + 10):
        jar.store(H, [f"n{number}=x"])
    assert len(jar) == MAX_PER_HOST
    header = jar.header(H)
    assert header is not None
    assert header.startswith("n10=x")
    for number in range(MAX_COOKIES + 10):
        jar.store(parse_url(f"http://h{number}/"), ["a=b"])
    assert len(jar) == MAX_COOKIES


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Thu, 02 Jan 2020 03:04:05 GMT", 1577934245.0),
        ("Thursday, 02-Jan-20 03:04:05 GMT", 1577934245.0),
        ("Thu Jan  2 03:04:05 2020", 1577934245.0),
        ("2 january 2020 03:04:05", 1577934245.0),
        ("Thu, 02 Jan 99 03:04:05 GMT", 915246245.0),
        ("01 Jan 70 00:00:00", 0.0),
        ("01 Jan 69 00:00:00", 3124224000.0),
        ("01 Jan 00 00:00:00", 946684800.0),
        ("01 Jan 2020 23:59:59", 1577923199.0),
        ("02 Jan 2020", None),
        ("31 Feb 2020 00:00:00", None),
        ("02 Jan 2020 24:00:00", None),
        ("02 Jan 1600 00:00:00", None),
        ("", None),
    ],
)
def test_dates(text: str, expected: float | None) -> None:
    assert parse_cookie_date(text) == expected


def test_cookies_of_a_request() -> None:
    assert cookie_pairs({"a": "1", "b": '"x"'}) == 'a=1; b="x"'
    for name, value in [
        ("a b", "x"),
        ("a", "x;y"),
        ("a", "x y"),
        ("a", "x\r\n"),
        ("", "x"),
        ("a", "b,c"),
    ]:
        with pytest.raises(ValueError, match="cookie"):
            cookie_pairs({name: value})


@given(st.text(max_size=80))
def test_any_header_gives_one_cookie_or_none(text: str) -> None:
    jar = CookieJar()
    jar.store(S, [text])
    assert len(jar) <= 1
    header = jar.header(S)
    assert header is None or (";" not in header and "\r" not in header and "\n" not in header)
