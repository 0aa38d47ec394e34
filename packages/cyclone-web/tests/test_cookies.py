"""Cookies of a handler: reading, setting, clearing, signing."""

from __future__ import annotations

import datetime
import logging
import re
import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any

import pytest

from cyclone.httpserver import HTTPRequest
from cyclone.httputil import CookieError, HTTPHeaders
from cyclone.web import HTTPError, RequestHandler, _cookies, create_signed_value
from cyclone.web._cookies import CookiesMixin

SECRET = "0123456789abcdef0123456789abcdef"


class Handler(CookiesMixin):
    """A handler without a server."""

    def __init__(self, cookie: str | None = None, **settings: Any) -> None:
        settings.setdefault("cookie_secret", SECRET)
        self.application = SimpleNamespace(settings=settings)  # type: ignore[assignment]
        headers = HTTPHeaders({} if cookie is None else {"Cookie": cookie})
        self.request = HTTPRequest("GET", "/", headers=headers)

    @property
    def sent(self) -> list[str]:
        return list((self._new_cookies or {}).values())


# --- reading -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "value"),
    [
        pytest.param("foo=bar", "bar", id="plain"),
        pytest.param('foo="bar"', "bar", id="quoted"),
        pytest.param("/=exception;", None, id="odd-name"),
        pytest.param("foo=a=b", "a=b", id="equals"),
        pytest.param('foo="a;b"', '"a', id="semicolon-separates-even-in-quotes"),
        pytest.param(r"foo=a\073b", r"a\073b", id="escapes-only-in-quotes"),
        pytest.param(r'foo="a\073b"', "a;b", id="octal"),
        pytest.param("utm=1,foo=evil", None, id="CK-02-comma"),
        pytest.param("utm=a]b; foo=good", "good", id="CK-02-bracket"),
        pytest.param("=foo=bad; foo=good", "good", id="CK-03-nameless"),
        pytest.param("x;" * 500 + "foo=1", "1", id="CK-04-malformed-before"),
        pytest.param(None, None, id="no-header"),
    ],
)
def test_get_cookie(header: str | None, value: str | None) -> None:
    handler = Handler(header)
    assert handler.get_cookie("foo") == value
    assert handler.get_cookie("foo", "default") == (value or "default")


def test_a_double_of_a_request() -> None:
    handler = Handler()
    cookies = SimpleCookie({"foo": "bar"})
    handler.request = SimpleNamespace(cookies=cookies)  # type: ignore[assignment]
    assert handler.get_cookie("foo") == "bar"
    assert handler.get_cookie("other", "default") == "default"
    assert handler.cookies is cookies


def test_ck01_hostile_quoting_is_linear() -> None:
    header = 'a="' + '\\"' * 30_000 + "; b=1"
    started = time.process_time()
    assert Handler(header).get_cookie("b") == "1"
    assert time.process_time() - started < 0.1


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda handler: handler.get_cookie("a"), id="get_cookie"),
        pytest.param(lambda handler: "a" in handler.cookies, id="in"),
        pytest.param(lambda handler: len(handler.cookies), id="len"),
        pytest.param(lambda handler: handler.get_secure_cookie("a"), id="get_secure_cookie"),
        pytest.param(lambda handler: handler.get_signed_cookie("missing"), id="missing"),
        pytest.param(lambda handler: handler.get_secure_cookie_key_version("a"), id="key_version"),
    ],
)
def test_ri14_whoever_reads_a_cookie_varies_on_it(read: Any) -> None:
    """RI-14: what was made for one user is not for a cache that all share."""
    handler = Handler("a=1")
    assert handler._vary_headers is None
    read(handler)
    read(handler)
    assert handler._vary_headers == ["Cookie"]


def test_setting_does_not_vary() -> None:
    handler = Handler()
    handler.set_secure_cookie("a", "b")
    assert handler._vary_headers is None


# --- setting -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "options", "sent"),
    [
        pytest.param(("a", "b"), {}, "a=b; Path=/", id="plain"),
        pytest.param(("a", b"zxcv"), {}, "a=zxcv; Path=/", id="bytes"),
        pytest.param(("a", "a=b"), {}, 'a="a=b"; Path=/', id="equals"),
        pytest.param(("a", "a;b"), {}, 'a="a\\073b"; Path=/', id="semicolon"),
        pytest.param(("a", 'a"b'), {}, 'a="a\\"b"; Path=/', id="quote"),
        pytest.param(("a", ""), {}, 'a=""; Path=/', id="empty"),
        pytest.param(
            ("a", "b"),
            {"domain": "foo.com", "path": "/foo"},
            "a=b; Domain=foo.com; Path=/foo",
            id="domain-path",
        ),
        pytest.param(
            ("a", "b", "foo.com", 0, "/p"), {}, "a=b; Domain=foo.com; Path=/p", id="positional"
        ),
        pytest.param(("a", "b"), {"max_age": 10}, "a=b; Max-Age=10; Path=/", id="max-age"),
        pytest.param(
            ("a", "b"),
            {"secure": True, "httponly": True, "samesite": "lax"},
            "a=b; HttpOnly; Path=/; SameSite=Lax; Secure",
            id="flags",
        ),
        pytest.param(
            ("a", "b"), {"secure": False, "httponly": False}, "a=b; Path=/", id="no-flags"
        ),
        pytest.param(
            ("__Host-a", "b"),
            {"secure": True, "partitioned": True},
            "__Host-a=b; Partitioned; Path=/; Secure",
            id="partitioned",
        ),
        pytest.param(
            ("a", "b"),
            {"expires": 0.5},
            "a=b; expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/",
            id="expires-number",
        ),
        pytest.param(
            ("a", "b"),
            {"expires": datetime.datetime(2030, 1, 2, tzinfo=datetime.UTC), "expires_days": 1},
            "a=b; expires=Wed, 02 Jan 2030 00:00:00 GMT; Path=/",
            id="expires-before-expires_days",
        ),
    ],
)
def test_set_cookie(arguments: tuple[Any, ...], options: dict[str, Any], sent: str) -> None:
    handler = Handler()
    handler.set_cookie(*arguments, **options)
    assert handler.sent == [sent]


def test_expires_days() -> None:
    handler = Handler()
    handler.set_cookie("a", "b", expires_days=10)
    match = re.fullmatch("a=b; expires=(.+); Path=/", handler.sent[0])
    assert match is not None
    expires = datetime.datetime.strptime(match[1], "%a, %d %b %Y %H:%M:%S GMT")
    due = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=10)
    assert abs((expires.replace(tzinfo=datetime.UTC) - due).total_seconds()) < 10


def test_a_later_call_replaces_the_earlier_one() -> None:
    handler = Handler()
    handler.set_cookie("a", "b", domain="example.com")
    handler.set_cookie("c", "d")
    handler.set_cookie("a", "e")
    assert sorted(handler.sent) == ["a=e; Path=/", "c=d; Path=/"]


CONTROLS = [*map(chr, range(0x21)), "\x7f", ";"]


@pytest.mark.parametrize("char", CONTROLS, ids=[f"RI-04-{ord(char):02x}" for char in CONTROLS])
def test_characters_that_would_end_an_attribute(char: str) -> None:
    handler = Handler()
    for attribute in ("domain", "path", "samesite", "DoMaIn", "PaTh"):
        options: dict[str, Any] = {attribute: "a" + char}
        with pytest.raises(CookieError, match=f"Invalid cookie attribute {attribute}"):
            handler.set_cookie("foo", "bar", **options)
    with pytest.raises(CookieError, match="Invalid cookie attribute name"):
        handler.set_cookie("foo" + char, "bar")
    if char != ";":
        with pytest.raises(ValueError, match="foo"):
            handler.set_cookie("foo", "bar" + char)
    assert handler.sent == []


@pytest.mark.parametrize(
    ("options", "error"),
    [
        pytest.param({"max_age": "1; Domain=x"}, ValueError, id="RI-04-max_age"),
        pytest.param({"Max-Age": "1;Domain=x"}, CookieError, id="RI-04-legacy-max-age"),
        pytest.param({"max_age": float("nan")}, ValueError, id="RI-04-nan"),
        pytest.param({"samesite": "Lax;Secure"}, CookieError, id="RI-04-samesite"),
        pytest.param({"samesite": "None"}, ValueError, id="samesite-none-without-secure"),
        pytest.param({"samesite": "Sometimes"}, CookieError, id="samesite-unknown"),
        pytest.param({"expires_days": float("nan")}, ValueError, id="RI-04-expires_days-nan"),
        pytest.param({"expires_days": 10**9}, ValueError, id="RI-05-expires_days-overflow"),
        pytest.param({"expires_days": -(10**9)}, ValueError, id="RI-05-expires_days-underflow"),
        pytest.param({"expires": 10**20}, ValueError, id="RI-05-expires-overflow"),
        pytest.param({"partitioned": True}, ValueError, id="partitioned-without-secure"),
        pytest.param({"colour": "red"}, TypeError, id="unknown"),
    ],
)
def test_bad_attributes(options: dict[str, Any], error: type[Exception]) -> None:
    handler = Handler()
    with pytest.raises(error):
        handler.set_cookie("a", "b", **options)
    assert handler.sent == []


@pytest.mark.parametrize("name", ["", "a=b", "a b", "é", "a,b"])
def test_ri05_bad_names(name: str) -> None:
    with pytest.raises(CookieError):
        Handler().set_cookie(name, "b")


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("__Host-a", {}),
        ("__Host-a", {"secure": True, "path": "/x"}),
        ("__Host-a", {"secure": True, "domain": "example.com"}),
        ("__Secure-a", {}),
    ],
)
def test_prefix_rules(name: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="__"):
        Handler().set_cookie(name, "b", **options)


def test_attributes_in_another_case_are_deprecated() -> None:
    handler = Handler()
    with pytest.warns(DeprecationWarning, match="HttpOnly, pATH"):
        handler.set_cookie("a", "b", HttpOnly=True, pATH="/foo")
    options: dict[str, Any] = {"Max-Age": 5, "comment": "none"}
    with pytest.warns(DeprecationWarning, match="Max-Age"):
        handler.set_cookie("c", "d", **options)
    assert handler.sent == ["a=b; HttpOnly; Path=/foo", "c=d; Max-Age=5; Path=/"]


# --- clearing --------------------------------------------------------------------------------


def test_clear_cookie() -> None:
    handler = Handler()
    handler.clear_cookie("a")
    handler.clear_cookie("b", "/p", "example.com")
    handler.clear_cookie("c", samesite="none", secure=True)
    handler.clear_cookie("__Host-d")
    date = r"expires=\w+, \d+ \w+ 20\d\d [\d:]+ GMT"
    expected = [
        rf'a=""; {date}; Path=/',
        rf'b=""; Domain=example.com; {date}; Path=/p',
        rf'c=""; {date}; Path=/; SameSite=None; Secure',
        rf'__Host-d=""; {date}; Path=/; Secure',
    ]
    for pattern, sent in zip(expected, handler.sent, strict=True):
        assert re.fullmatch(pattern, sent), sent


@pytest.mark.parametrize("name", ["expires", "expires_days", "max_age"])
def test_clear_cookie_takes_no_time(name: str) -> None:
    options: dict[str, Any] = {name: 1}
    with pytest.raises(TypeError, match=name):
        Handler().clear_cookie("a", **options)


def test_clear_all_cookies_skips_names_nobody_can_set() -> None:
    handler = Handler("foo=bar; a b=1; baz=x; __Host-c=1; é=2")
    handler.clear_all_cookies(domain="example.com")
    assert [sent.partition("=")[0] for sent in handler.sent] == ["foo", "baz"]


# --- signing -----------------------------------------------------------------------------------


def cookie_of(handler: Handler) -> str:
    return handler.sent[0].partition(";")[0]


@pytest.mark.parametrize("value", ["bar", b"\xe9\x00\xff", "Zoë"])
@pytest.mark.parametrize("version", [None, 1, 2])
def test_round_trip(value: str | bytes, version: int | None) -> None:
    setting = Handler()
    setting.set_secure_cookie("foo", value, version=version, httponly=True)
    assert "HttpOnly" in setting.sent[0]
    assert "expires=" in setting.sent[0]
    reading = Handler(cookie_of(setting))
    expected = value if isinstance(value, bytes) else value.encode()
    assert reading.get_secure_cookie("foo") == expected
    assert reading.get_signed_cookie("foo", min_version=2) == (None if version == 1 else expected)
    assert reading.get_secure_cookie("other") is None


def test_the_setting_min_version_refuses_version_1() -> None:
    setting = Handler()
    setting.set_signed_cookie("foo", "bar", version=1)
    assert Handler(cookie_of(setting), min_version=2).get_secure_cookie("foo") is None
    reading = Handler(cookie_of(setting), min_version=2)
    assert reading.get_secure_cookie("foo", min_version=1) == b"bar"


def test_a_session_cookie_has_no_date() -> None:
    handler = Handler()
    handler.set_secure_cookie("foo", "bar", expires_days=None)
    assert "expires" not in handler.sent[0]


def test_key_rotation() -> None:
    keys = {1: "one" * 12, 2: "two" * 12}
    setting = Handler(cookie_secret=keys, key_version=2)
    setting.set_secure_cookie("foo", "bar")
    reading = Handler(cookie_of(setting), cookie_secret=keys, key_version=1)
    assert reading.get_secure_cookie("foo") == b"bar"
    assert reading.get_secure_cookie_key_version("foo") == 2
    assert reading.get_signed_cookie_key_version("missing") is None
    without = Handler(cookie_of(setting), cookie_secret={1: keys[1]}, key_version=1)
    assert without.get_secure_cookie("foo") is None
    with pytest.raises(ValueError, match="key_version"):
        Handler(cookie_secret=keys).set_secure_cookie("foo", "bar")


def test_a_value_outside_a_cookie() -> None:
    handler = Handler()
    signed = handler.create_signed_value("token", "42")
    assert handler.get_secure_cookie("token", signed.decode()) == b"42"
    old = create_signed_value(SECRET, "token", "42", clock=lambda: time.time() - 90000)
    assert handler.get_secure_cookie("token", old.decode(), max_age_days=1) is None
    assert handler.get_secure_cookie("token", old.decode()) == b"42"


def test_the_secret_must_be_set() -> None:
    handler = Handler(cookie_secret=None)
    for call in (
        lambda: handler.set_secure_cookie("a", "b"),
        lambda: handler.get_secure_cookie("a"),
        lambda: handler.get_secure_cookie_key_version("a"),
    ):
        with pytest.raises(Exception, match="cookie_secret"):
            call()


def test_ck10_a_short_secret_is_logged_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_cookies, "_secret_warned", False)
    with caplog.at_level(logging.WARNING):
        for secret in (SECRET, "short", "tiny", SECRET, "short"):
            Handler(cookie_secret=secret).set_secure_cookie("a", "b")
    assert caplog.text.count("cookie_secret has only 5 bytes") == 1


# --- in an application -------------------------------------------------------------------------


def test_ri14_vary_is_merged_and_error_pages_carry_it(serve: Callable[..., Any]) -> None:
    class Session(RequestHandler):
        def get(self) -> None:
            self.set_header("Vary", "Accept-Encoding")
            self.set_secure_cookie("seen", "1")
            if self.get_secure_cookie("user") is None:
                raise HTTPError(403)

    client = serve([("/", Session)], cookie_secret=SECRET)
    signed = create_signed_value(SECRET, "user", "42").decode()
    response = client.fetch(uri="/", headers={"Cookie": f'user="{signed}"'})
    assert response.status == 200
    assert response.headers["Vary"] == "Accept-Encoding, Cookie"
    assert response.headers["Set-Cookie"].startswith("seen=")
    assert client.fetch(uri="/").headers["Vary"] == "Cookie"


@pytest.mark.parametrize(
    "read",
    [
        pytest.param(lambda handler: handler.get_cookie("user"), id="get_cookie"),
        pytest.param(lambda handler: handler.get_secure_cookie("user"), id="get_secure_cookie"),
        pytest.param(lambda handler: handler.get_signed_cookie("user"), id="get_signed_cookie"),
        pytest.param(lambda handler: handler.get_signed_cookie_key_version("user"), id="version"),
        pytest.param(lambda handler: handler.cookies.get("user"), id="cookies"),
        pytest.param(lambda handler: "user" in handler.cookies, id="in"),
        pytest.param(lambda handler: len(handler.cookies), id="len"),
        pytest.param(lambda handler: list(handler.cookies), id="iter"),
        pytest.param(lambda handler: bool(handler.cookies), id="bool"),
        pytest.param(lambda handler: handler.request.cookies.get("user"), id="request.cookies"),
        pytest.param(lambda handler: handler.current_user, id="current_user"),
        pytest.param(lambda handler: handler.clear_all_cookies(), id="clear_all_cookies"),
        pytest.param(lambda handler: handler.xsrf_token, id="xsrf_token"),
    ],
)
@pytest.mark.parametrize("way", ["whole", "streamed", "compressed", "redirect", "403", "500"])
def test_ri14_whichever_way_it_is_answered(serve: Callable[..., Any], read: Any, way: str) -> None:
    """RI-14: merged with what the answer varies on already."""

    class Session(RequestHandler):
        def get_current_user(self) -> Any:
            return self.get_secure_cookie("user")

        def get(self) -> None:
            read(self)
            if way == "streamed":
                self.write("first")
                self.flush()
            elif way == "redirect":
                self.redirect("/elsewhere")
                return
            elif way == "403":
                raise HTTPError(403)
            elif way == "500":
                raise ValueError("of the program")
            self.write("x" * 3000)

    client = serve([("/", Session)], cookie_secret=SECRET, gzip=way == "compressed")
    for cookie in ({"Cookie": "user=x"}, {}):
        response = client.fetch(uri="/", headers={"Accept-Encoding": "gzip", **cookie})
        vary = [name.strip() for name in response.headers["Vary"].split(",")]
        compressed = ["Accept-Encoding"] if way == "compressed" else []
        assert sorted(vary) == [*compressed, "Cookie"]


def test_what_is_set_is_read_back(serve: Callable[..., Any]) -> None:
    class Echo(RequestHandler):
        def get(self) -> None:
            self.write({name: morsel.value for name, morsel in self.cookies.items()})
            self.set_cookie("a", 'x="y",z;\\')
            self.set_cookie("b", "2", path="/", httponly=True)
            self.set_cookie("b", "3")

    client = serve([("/", Echo)])
    sent = client.fetch(uri="/").headers.get_list("Set-Cookie")
    assert len(sent) == 2
    header = "; ".join(cookie.partition("; Path")[0] for cookie in sent)
    assert client.fetch(uri="/", headers={"Cookie": header}).text == (
        '{"a": "x=\\"y\\",z;\\\\", "b": "3"}'
    )
