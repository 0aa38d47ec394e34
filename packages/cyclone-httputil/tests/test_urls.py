"""URLs, hosts and query strings."""

import urllib.parse
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import (
    HTTPInputError,
    encode_username_password,
    qs_to_qsl,
    split_host_and_port,
    url_concat,
    validate_host,
)


@pytest.mark.parametrize(
    ("url", "args", "expected"),
    [
        ("https://x/path", [("y", "y"), ("z", "z")], "https://x/path?y=y&z=z"),
        ("https://x/path", [("y", "/y")], "https://x/path?y=%2Fy"),
        ("https://x/path?", [("y", "y")], "https://x/path?y=y"),
        ("https://x/path?x", [("y", "y")], "https://x/path?x=&y=y"),
        ("https://x/path?x&", [("y", "y")], "https://x/path?x=&y=y"),
        ("https://x/path?a=1&b=2", [("y", "y")], "https://x/path?a=1&b=2&y=y"),
        ("https://x/path?r=1&t=2", [], "https://x/path?r=1&t=2"),
        ("https://x/path?r=1&t=2", None, "https://x/path?r=1&t=2"),
        ("https://x/path#tab", [("y", "y")], "https://x/path?y=y#tab"),
        ("https://x/path?a=1#tab", {"y": "y"}, "https://x/path?a=1&y=y#tab"),
        ("https://x/path", [("y", "1"), ("y", "2")], "https://x/path?y=1&y=2"),
        ("https://x/path?r=1&r=2", (("y", "y"),), "https://x/path?r=1&r=2&y=y"),
        ("https://x/path;p=1", {"y": "\xe9 &"}, "https://x/path;p=1?y=%C3%A9+%26"),
        ("/path", {"y": "y"}, "/path?y=y"),
        ("//x/path", {"y": "y"}, "//x/path?y=y"),
    ],
)
def test_url_concat(url: str, args: Any, expected: str) -> None:
    assert url_concat(url, args) == expected


@pytest.mark.parametrize("args", ["a=b", 3, {"a"}])
def test_url_concat_of_other_types(args: Any) -> None:
    with pytest.raises(TypeError, match="dict, list or tuple"):
        url_concat("/", args)


@pytest.mark.parametrize(
    ("netloc", "expected"),
    [
        ("example.com", ("example.com", None)),
        ("example.com:80", ("example.com", 80)),
        ("example.com:", ("example.com:", None)),
        ("example.com:x", ("example.com:x", None)),
        ("[::1]", ("[::1]", None)),
        ("[::1]:80", ("[::1]", 80)),
        ("::1", ("::1", None)),
        (":80", (":80", None)),
        ("x:\u0663", ("x:\u0663", None)),
        ("x:" + "9" * 5000, ("x:" + "9" * 5000, None)),
        ("", ("", None)),
    ],
)
def test_split_host_and_port(netloc: str, expected: tuple[str, int | None]) -> None:
    assert split_host_and_port(netloc) == expected


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("x", ("x", None)),
        ("Example.COM:8080", ("example.com", 8080)),
        ("example.com.", ("example.com.", None)),
        ("my_service:80", ("my_service", 80)),
        ("xn--e1afmkfd.example", ("xn--e1afmkfd.example", None)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("x:", ("x", None)),
        ("x:0", ("x", 0)),
        ("[::1]", ("[::1]", None)),
        ("[2001:DB8::1]:80", ("[2001:db8::1]", 80)),
        ("[::ffff:1.2.3.4]", ("[::ffff:1.2.3.4]", None)),
    ],
)
def test_good_hosts(host: str, expected: tuple[str, int | None]) -> None:
    assert validate_host(host) == expected


@pytest.mark.parametrize(
    "host",
    [
        pytest.param("a, b", id="H04"),
        pytest.param("x/admin", id="H05-HV-05"),
        pytest.param("user@x", id="H06-HV-06"),
        pytest.param("a b", id="H07"),
        pytest.param("", id="H08"),
        pytest.param(" ", id="H08-space"),
        pytest.param("\xff", id="H09"),
        pytest.param("x:80abc", id="H10"),
        pytest.param("x?a#b", id="H11"),
        pytest.param("<script>", id="H12-HV-09"),
        pytest.param("[::1", id="HV-07-unclosed"),
        pytest.param("x:65536", id="HV-07-port"),
        pytest.param("x:" + "9" * 5000, id="HV-07-long-port"),
        pytest.param("x:-1", id="HV-07-negative"),
        pytest.param("x:\u0663", id="HV-07-unicode-digit"),
        pytest.param("[::1]80", id="HV-07-junk"),
        pytest.param("[::1]:x", id="HV-07-ipv6-port"),
        pytest.param("[x]", id="HV-08-no-address"),
        pytest.param("[::1%eth0]", id="HV-08-zone"),
        pytest.param("[" + ":" * 60_000 + "]", id="HV-08-long"),
        pytest.param("::1", id="HV-08-no-brackets"),
        "x:80:80",
        "x\\y",
        "x%2fy",
        "x\x00",
        "x\n",
        "a..b",
        ".a",
        "-a",
        "a,b",
        "x;y",
        "x=y",
        "a" * 256,
        ":80",
    ],
)
def test_bad_hosts(host: str) -> None:
    with pytest.raises(HTTPInputError) as caught:
        validate_host(host)
    assert caught.value.status_code == 400
    assert not host.strip() or host not in str(caught.value)


def test_long_hosts_take_linear_time() -> None:
    for host in ("a." * 500_000, "-" * 1_000_000, "a-" * 500_000 + "!", "[" * 1_000_000):
        with pytest.raises(HTTPInputError):
            validate_host(host)


@given(st.text())
def test_any_text_is_a_host_or_refused(text: str) -> None:
    try:
        name, port = validate_host(text)
    except HTTPInputError:
        return
    again = name if port is None else f"{name}:{port}"
    assert validate_host(again) == (name, port)
    assert urllib.parse.urlsplit(f"http://{again}/path").netloc == again


@given(st.from_regex(r"\[[0-9a-f:.]{0,20}\](:[0-9]{0,6})?", fullmatch=True))
def test_near_ipv6_literals(text: str) -> None:
    try:
        name, _ = validate_host(text)
    except HTTPInputError:
        return
    assert urllib.parse.urlsplit(f"http://{text}/").hostname == name[1:-1]


@given(st.text())
def test_splitting_never_loses_anything(text: str) -> None:
    name, port = split_host_and_port(text)
    assert name == text if port is None else text.startswith(f"{name}:")


def test_qs_to_qsl() -> None:
    parsed = urllib.parse.parse_qs("a=1&b=2&a=3")
    assert list(qs_to_qsl(parsed)) == [("a", "1"), ("a", "3"), ("b", "2")]
    assert list(qs_to_qsl({"a": [b"1"]})) == [("a", b"1")]


def test_encode_username_password() -> None:
    assert encode_username_password("a", "b") == b"a:b"
    assert encode_username_password(b"\xff", "x") == b"\xff:x"
    assert encode_username_password("u\u0308", "\xfc") == b"\xc3\xbc:\xc3\xbc"
