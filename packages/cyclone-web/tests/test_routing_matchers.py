import re
from types import SimpleNamespace
from typing import Any

import pytest

from cyclone.web._routing_matchers import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    URLReverseError,
    unquote_group,
)


def request(path: str = "/", host: str = "localhost", **headers: str) -> Any:
    return SimpleNamespace(path=path, host_name=host, headers=headers)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        pytest.param("/a", "/a", {}, id="literal"),
        pytest.param("/a", "/ab", None, id="to-the-end"),
        pytest.param(re.compile("/a"), "/ab", {}, id="compiled-as-it-is"),
        pytest.param(
            "/(.*)/(x)?",
            "/caf%C3%A9%2Fb+c%2525/",
            {"path_args": [b"caf\xc3\xa9/b+c%25", None], "path_kwargs": {}},
            id="positional-unquoted-once",
        ),
        pytest.param(
            "/(?P<a>.)(?P<b>.)?",
            "/1",
            {"path_args": [], "path_kwargs": {"a": b"1", "b": None}},
            id="named",
        ),
    ],
)
def test_path_matches(pattern: Any, path: str, expected: object) -> None:
    assert PathMatches(pattern).match(request(path)) == expected


def test_a_pattern_that_is_no_expression_is_named() -> None:
    with pytest.raises(re.error) as caught:
        PathMatches("/(a")
    assert caught.value.__notes__ == ["in the pattern '/(a' of a route"]


def test_path_with_mixed_groups_is_refused() -> None:
    with pytest.raises(ValueError, match="all named or all positional"):
        PathMatches("/(a)(?P<b>c)")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (None, None),
        ("a+b", b"a+b"),
        ("%2B", b"+"),
        ("%zz%", b"%zz%"),
        ("caf\xc3\xa9", b"caf\xc3\xa9"),
        ("\u4e2d", "\u4e2d".encode()),
    ],
)
def test_unquote_group(text: str | None, expected: bytes | None) -> None:
    assert unquote_group(text) == expected


@pytest.mark.parametrize(
    ("pattern", "args", "kwargs", "expected"),
    [
        pytest.param(r"/favicon\.ico", (), {}, "/favicon.ico", id="literal"),
        pytest.param(r"^/favicon\.ico$", (), {}, "/favicon.ico", id="anchors"),
        pytest.param(r"^/api/v1/foo/(\w+)$", ("bar",), {}, "/api/v1/foo/bar", id="group"),
        pytest.param(
            r"/api\.v1/foo/([0-9]+)/icon\.png", (5,), {}, "/api.v1/foo/5/icon.png", id="number"
        ),
        pytest.param("/(.*)", ("a b/\u00e9",), {}, "/a%20b/%C3%A9", id="quoted"),
        pytest.param("/(.*)", (b"\xc3\xa9?",), {}, "/%C3%A9%3F", id="bytes"),
        pytest.param("/(?P<y>.)/(?P<m>.)", (), {"m": 1, "y": 2}, "/2/1", id="named"),
        pytest.param("/(?P<y>.)/(?P<m>.)", (1,), {"m": 2, "q": "a b"}, "/1/2?q=a+b", id="mixed"),
        pytest.param("/x", (), {"a": [1, 2], "b": "&"}, "/x?a=1&a=2&b=%26", id="query"),
        pytest.param("/x(/y)?", (None,), {}, "/x", id="left-out"),
    ],
)
def test_reverse(pattern: str, args: Any, kwargs: Any, expected: str) -> None:
    assert PathMatches(pattern).reverse(*args, **kwargs) == expected


@pytest.mark.parametrize(
    ("pattern", "args"),
    [
        pytest.param(r"^/api/v\d+/foo/(\w+)$", ("bar",), id="no-way-back"),
        pytest.param("/(.)", (), id="too-few"),
        pytest.param("/(.)", (1, 2), id="too-many"),
        pytest.param("/", (1,), id="none-wanted"),
    ],
)
def test_reverse_fails(pattern: str, args: Any) -> None:
    with pytest.raises(URLReverseError) as info:
        PathMatches(pattern).reverse(*args)
    assert isinstance(info.value, ValueError)


def test_hosts() -> None:
    assert HostMatches("www.example.com").match(request(host="www.example.com")) == {}
    assert HostMatches("www.example.com").match(request(host="www.example.com.evil")) is None
    assert HostMatches(re.compile("www")).match(request(host="www.x")) == {}


def test_default_host() -> None:
    application = SimpleNamespace(default_host="www.example.com")
    matcher = DefaultHostMatches(application, re.compile("www.example.com$"))
    assert matcher.match(request()) == {}
    assert matcher.match(request(**{"X-Real-Ip": "1.2.3.4"})) is None
    application.default_host = "other"
    assert matcher.match(request()) is None
    application.default_host = None
    assert matcher.match(request()) is None


def test_other_matchers() -> None:
    assert AnyMatches().match(request()) == {}
    assert AnyMatches().reverse("x") is None
    with pytest.raises(NotImplementedError):
        Matcher().match(request())
