"""Forged requests: the token's format, the cross-origin rule, and both on a handler."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httpserver import HTTPRequest
from cyclone.httputil import HTTPHeaders
from cyclone.web import RequestHandler, stream_request_body
from cyclone.web._cookies import CookiesMixin
from cyclone.web._errors import HTTPError
from cyclone.web._users import UsersMixin
from cyclone.web._xsrf import (
    XSRFMixin,
    XSRFToken,
    check_cross_origin,
    decode_xsrf_token,
    encode_xsrf_token,
    new_xsrf_token,
    same_xsrf_token,
)

NOW = 1300000000.5
TOKEN = "2|01020304|00000000000000000000000000000000|1300000000"
V1 = "0102030401020304" * 2


class Handler(XSRFMixin, CookiesMixin, UsersMixin):
    """A handler without a server."""

    def __init__(
        self,
        method: str = "POST",
        cookie: str | None = None,
        body: dict[str, list[bytes]] | None = None,
        query: dict[str, list[bytes]] | None = None,
        headers: dict[str, str] | None = None,
        **settings: Any,
    ) -> None:
        self.application = SimpleNamespace(settings={"xsrf_cookies": True, **settings})  # type: ignore[assignment]
        fields = HTTPHeaders(headers or {})
        if cookie is not None:
            fields["Cookie"] = cookie
        self.request = HTTPRequest(method, "/", headers=fields)
        self.request.arguments = {**(query or {}), **(body or {})}
        self.request.body_arguments = body or {}

    @property
    def sent(self) -> str:
        return "\n".join((self._new_cookies or {}).values())


def refusal(handler: Handler) -> str | None:
    try:
        handler._check_forgery()
    except HTTPError as error:
        return error.get_message() if error.status_code == 403 else f"{error}"
    return None


# --- the token ------------------------------------------------------------------------


def test_a_token_of_version_2_looks_different_each_time() -> None:
    token = new_xsrf_token(NOW)
    written = {encode_xsrf_token(token) for _ in range(20)}
    assert len(written) == 20
    assert {decode_xsrf_token(each.decode(), 0) for each in written} == {token}
    assert token.timestamp == 1300000000
    assert len(token.token) == 16


def test_version_1_is_the_plain_hex() -> None:
    token = XSRFToken(2, b"\x01\x02\xff", 5)
    assert encode_xsrf_token(token, 1) == b"0102ff"
    with pytest.raises(ValueError, match="unknown xsrf_cookie_version 3"):
        encode_xsrf_token(token, 3)


@pytest.mark.parametrize(
    ("value", "token"),
    [
        pytest.param(TOKEN, XSRFToken(2, bytes([1, 2, 3, 4] * 4), 1300000000), id="v2"),
        pytest.param("2|00000000|ff|0", XSRFToken(2, b"\xff", 0), id="v2-short"),
        pytest.param(
            "2|0000000A|0A0B0C0D0E|7", XSRFToken(2, b"\n\x0b\x0c\x07\x0e", 7), id="v2-upper"
        ),
        pytest.param(
            "2|01020304|" + "00" * 27 + "|7",
            XSRFToken(2, b"\x01\x02\x03\x04" * 6 + b"\x01\x02\x03", 7),
            id="v2-long",
        ),
        pytest.param("deadbeef", XSRFToken(1, b"\xde\xad\xbe\xef", 1300000000), id="v1"),
        pytest.param("xoxo", XSRFToken(1, b"xoxo", 1300000000), id="v1-not-hex"),
    ],
)
def test_tokens_that_are_read(value: str, token: XSRFToken) -> None:
    assert decode_xsrf_token(value, NOW) == token


MALFORMED = {
    "zz": "2|zz|zz|1",
    "bars": "|||",
    "empty": "",
    "space": " ",
    "version-3": "3|",
    "1-MB": "a" * 1_000_000,
    "1-MB-v2": "2|01020304|" + "00" * 500_000 + "|1",
    "no-mask": "2||00|1",
    "short-mask": "2|0102|00|1",
    "long-mask": "2|0102030405|00|1",
    "no-token": "2|01020304||1",
    "odd-token": "2|01020304|000|1",
    "no-time": "2|01020304|00|",
    "bad-time": "2|01020304|00|1e9",
    "endless-time": "2|01020304|00|" + "1" * 5000,
    "more-fields": "2|01020304|00|1|2",
    "control": "dead\x00beef",
    "non-ascii": "tökén",
    "not-utf-8": "\udcff\udcfe",
    "arabic-digits": "2|01020304|00|\u0661",
}


@pytest.mark.parametrize("value", MALFORMED.values(), ids=[f"XS-04-{name}" for name in MALFORMED])
def test_malformed_tokens(value: str) -> None:
    assert decode_xsrf_token(value, NOW) is None
    handler = Handler(cookie=f"_xsrf={TOKEN}", body={"_xsrf": [value.encode("utf-8", "replace")]})
    assert refusal(handler) is not None


@given(st.binary(min_size=1, max_size=64), st.integers(0, 10**12), st.integers(1, 2))
def test_what_is_written_is_read(secret: bytes, timestamp: int, version: int) -> None:
    token = XSRFToken(2, secret, timestamp)
    read = decode_xsrf_token(encode_xsrf_token(token, version).decode(), NOW)
    assert read is not None
    assert same_xsrf_token(read, token)


@given(st.text(max_size=80) | st.text(alphabet="0123456789abcdef|", max_size=60))
def test_reading_never_raises(value: str) -> None:
    decode_xsrf_token(value, NOW)


# --- the cross-origin rule --------------------------------------------------------------

HOST = "www.example.com"
ORIGINS = {
    "absent": None,
    "same": "https://www.example.com",
    "other": "https://evil.example.net",
    "trusted": "https://app.example.com",
    "null": "null",
    "bad": "http://[::1",
    "empty": "",
}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(
    "site", [None, "none", "same-origin", "same-site", "cross-site", "Same-Origin", "", "x"]
)
def test_xs07_matrix(site: str | None, origin: str) -> None:
    error = check_cross_origin(
        site, ORIGINS[origin], HOST, ["https://app.example.com"].__contains__
    )
    if site is None:
        allowed = origin in ("absent", "same", "trusted")
    else:
        allowed = site in ("none", "same-origin") or origin == "trusted"
    assert (error is None) is allowed
    if error is not None:
        assert re.search(r"(Origin|Sec-Fetch-Site) .* not allowed", error)


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        pytest.param("http://h:8888", "h:8888", True, id="port"),
        pytest.param("http://h:8888", "h:8889", False, id="other-port"),
        pytest.param("http://h", "h:80", True, id="default-port-in-host"),
        pytest.param("https://h:443", "h", True, id="default-port-in-origin"),
        pytest.param("https://h:80", "h", False, id="not-the-default-port"),
        pytest.param("HTTP://H", "h", True, id="case-of-the-scheme"),
        pytest.param("http://H", "h", True, id="case"),
        pytest.param("http://h/path", "h", True, id="path"),
        pytest.param("http://h.evil.net", "h", False, id="prefix"),
        pytest.param("http://user@h", "h", False, id="user"),
        pytest.param("null", "", False, id="null-without-host"),
        pytest.param("file://", "", False, id="file-without-host"),
        pytest.param("http://[::1]:80", "[::1]", True, id="ipv6"),
    ],
)
def test_the_origin_is_compared_with_the_host(origin: str, host: str, same: bool) -> None:
    assert (check_cross_origin(None, origin, host, lambda _: False) is None) is same


# --- on a handler ---------------------------------------------------------------------------


def test_the_cookie_is_set_once_and_the_token_stays_within_a_request() -> None:
    handler = Handler("GET")
    token = handler.xsrf_token
    assert type(token) is bytes
    assert handler.xsrf_token is token
    assert handler.sent == f"_xsrf={token.decode()}; Path=/; SameSite=Lax"
    assert handler.xsrf_form_html() == (
        f'<input type="hidden" name="_xsrf" value="{token.decode()}"/>'
    )
    assert handler._vary_headers == ["Cookie"]


def test_xs03_ri13_the_same_cookie_gives_another_token_each_time() -> None:
    """XS-03, RI-13: and each of them is the same secret."""
    tokens = set()
    for _ in range(10):
        handler = Handler("GET", cookie=f"_xsrf={TOKEN}")
        tokens.add(handler.xsrf_token)
        assert handler.sent == ""
    assert len(tokens) == 10
    for token in tokens:
        assert refusal(Handler(cookie=f"_xsrf={TOKEN}", body={"_xsrf": [token]})) is None


def test_an_unreadable_cookie_is_replaced() -> None:
    handler = Handler("GET", cookie="_xsrf=2|zz|zz|1")
    assert handler.xsrf_token.decode() in handler.sent


def test_version_1_cookies_live_on() -> None:
    assert Handler("GET", cookie=f"_xsrf={V1}", xsrf_cookie_version=1).xsrf_token == V1.encode()
    upgraded = Handler("GET", cookie=f"_xsrf={V1}").xsrf_token
    assert upgraded.startswith(b"2|")
    assert refusal(Handler(cookie=f"_xsrf={V1}", body={"_xsrf": [upgraded]})) is None
    assert (
        refusal(Handler(cookie=f"_xsrf={upgraded.decode()}", body={"_xsrf": [V1.encode()]})) is None
    )


ARGUMENT = {"_xsrf": [TOKEN.encode()]}


@pytest.mark.parametrize(
    ("request_", "settings", "error"),
    [
        pytest.param({"body": ARGUMENT}, {}, None, id="body"),
        pytest.param({"headers": {"X-XSRFToken": TOKEN}}, {}, None, id="X-XSRFToken"),
        pytest.param({"headers": {"X-CSRFToken": TOKEN}}, {}, None, id="X-CSRFToken"),
        pytest.param({"headers": {"x-csrftoken": TOKEN}}, {}, None, id="lower-case-header"),
        pytest.param({"query": ARGUMENT}, {}, None, id="XS-05-query"),
        pytest.param(
            {"query": ARGUMENT}, {"xsrf_query_argument": False}, "missing", id="XS-05-query-refused"
        ),
        pytest.param(
            {"body": ARGUMENT}, {"xsrf_query_argument": False}, None, id="XS-05-body-without-query"
        ),
        pytest.param({}, {}, "missing", id="nothing"),
        pytest.param({"body": {"_xsrf": [b""]}}, {}, "missing", id="XS-04-empty"),
        pytest.param({"body": {"_xsrf": [b"  "]}}, {}, "missing", id="XS-04-blank"),
        pytest.param({"body": {"_xsrf": [b"3|"]}}, {}, "invalid format", id="version-3"),
        pytest.param(
            {"body": {"_xsrf": [b"\xff\xfe"]}}, {}, "invalid format", id="XS-04-not-utf-8"
        ),
        pytest.param({"body": {"_xsrf": [b"deadbeef"]}}, {}, "does not match", id="other-token"),
        pytest.param(
            {"headers": {"X-Requested-With": "XMLHttpRequest"}}, {}, "missing", id="XS-01"
        ),
    ],
)
def test_where_the_token_may_be(
    request_: dict[str, Any], settings: dict[str, Any], error: str | None
) -> None:
    found = refusal(Handler(cookie=f"_xsrf={TOKEN}", **request_, **settings))
    assert found is None if error is None else error in (found or "")


@pytest.mark.parametrize("cookie", [None, "_xsrf=", "_xsrf=3|", "_xsrf=|||", "other=1"])
def test_a_missing_or_malformed_cookie_matches_nothing(cookie: str | None) -> None:
    for value in (TOKEN.encode(), b"", b"|||", b"3|"):
        assert refusal(Handler(cookie=cookie, body={"_xsrf": [value]})) is not None


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND", "post"])
def test_xs02_every_unsafe_method_is_checked(method: str) -> None:
    """XS-02."""
    assert refusal(Handler(method)) is not None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_are_not_checked(method: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.net"}
    assert refusal(Handler(method, headers=headers, cross_origin_protection=True)) is None


def test_switches() -> None:
    class Without(Handler):
        no_xsrf = True

    assert refusal(Without()) is None
    assert refusal(Handler(xsrf_cookies=False)) is None
    cross = {"Sec-Fetch-Site": "cross-site"}
    assert refusal(Handler(xsrf_cookies=False, headers=cross)) is None
    assert refusal(Without(headers=cross, cross_origin_protection=True)) is not None


def test_both_checks_apply() -> None:
    good: dict[str, Any] = {
        "cookie": f"_xsrf={TOKEN}",
        "body": ARGUMENT,
        "cross_origin_protection": True,
    }
    assert refusal(Handler(headers={"Sec-Fetch-Site": "same-origin"}, **good)) is None
    assert "Sec-Fetch-Site" in (
        refusal(Handler(headers={"Sec-Fetch-Site": "cross-site"}, **good)) or ""
    )
    bad = Handler(headers={"Sec-Fetch-Site": "same-origin"}, cross_origin_protection=True)
    assert "missing" in (refusal(bad) or "")


def test_trusted_origins_and_the_override() -> None:
    class Open(Handler):
        no_xsrf = True

        def check_trusted_origin(self, origin: str) -> bool:
            return origin.endswith(".example.com")

    for headers in (
        {"Sec-Fetch-Site": "same-site", "Origin": "https://app.example.com"},
        {"Origin": "https://app.example.com"},
    ):
        assert refusal(Open(headers=headers, cross_origin_protection=True)) is None
        settings: dict[str, Any] = {"xsrf_cookies": False, "cross_origin_protection": True}
        trusted = ["https://app.example.com"]
        assert refusal(Handler(headers=headers, trusted_origins=trusted, **settings)) is None
        assert refusal(Handler(headers=headers, trusted_origins=None, **settings)) is not None


class TestXS08CookieOptions:
    """XS-08."""

    def test_name_from_the_setting(self) -> None:
        handler = Handler("GET", xsrf_cookie_name="__Host-xsrf")
        assert handler.xsrf_token
        assert re.fullmatch(r"__Host-xsrf=\S+; Path=/; SameSite=Lax; Secure", handler.sent)
        ok = Handler(xsrf_cookie_name="token", cookie=f"token={TOKEN}", body=ARGUMENT)
        assert refusal(ok) is None

    def test_the_class_attribute_wins(self) -> None:
        class Named(Handler):
            xsrf_cookie_name = "mine"

        handler = Named("GET", xsrf_cookie_name="theirs")
        assert handler.xsrf_token
        assert handler.sent.startswith("mine=")

    def test_options_from_the_setting_which_is_not_changed(self) -> None:
        options = {"httponly": True, "expires_days": 2, "samesite": "Strict", "secure": True}
        handler = Handler("GET", xsrf_cookie_kwargs=options)
        assert handler.xsrf_token
        for part in ("HttpOnly", "SameSite=Strict", "Secure", "expires="):
            assert part in handler.sent
        assert len(options) == 4

    @pytest.mark.parametrize("options", [{"domain": "example.com"}, {"path": "/a"}])
    def test_a_host_cookie_that_browsers_drop_is_an_error(self, options: dict[str, Any]) -> None:
        handler = Handler("GET", xsrf_cookie_name="__Host-xsrf", xsrf_cookie_kwargs=options)
        with pytest.raises(ValueError, match="__Host-"):
            _ = handler.xsrf_token

    def test_a_users_cookie_lasts_30_days(self) -> None:
        options: dict[str, Any] = {}
        handler = Handler("GET", xsrf_cookie_kwargs=options)
        handler.current_user = "somebody"
        assert handler.xsrf_token
        assert "expires=" in handler.sent
        assert options == {}


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=40))
def test_any_argument_is_accepted_or_403(value: str) -> None:
    cookie = f"_xsrf={quote(value)}"
    handler = Handler(cookie=cookie, body={"_xsrf": [value.encode()]})
    refusal(handler)


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return True

    monkeypatch.setattr("cyclone.web._xsrf.hmac.compare_digest", compare)
    assert refusal(Handler(cookie=f"_xsrf={TOKEN}", body={"_xsrf": [b"xoxo"]})) is None
    assert len(compared) == 1


# --- in an application ----------------------------------------------------------------------


class Form(RequestHandler):
    """Gives its token, and takes what carries it."""

    prepared = False

    def prepare(self) -> None:
        type(self).prepared = True

    def get(self) -> None:
        self.write(self.xsrf_token)

    def post(self) -> None:
        self.write("ok")


@pytest.fixture
def client(serve: Callable[..., Any]) -> Any:
    Form.prepared = False
    return serve([("/", Form)], xsrf_cookies=True, cross_origin_protection=True)


def post(client: Any, body: str = "", **headers: str) -> Any:
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    fields.setdefault("Content-Type", "application/x-www-form-urlencoded")
    return client.fetch("POST", "/", headers=fields, body=body)


def test_a_form_round_trip(client: Any) -> None:
    page = client.fetch(uri="/")
    assert page.headers["Vary"] == "Cookie"
    cookie = page.headers["Set-Cookie"].partition(";")[0]
    token = page.text
    assert cookie == f"_xsrf={token}"
    assert post(client, f"_xsrf={quote(token)}", Cookie=cookie).text == "ok"
    assert post(client, Cookie=cookie, X_XSRFToken=token).text == "ok"
    again = client.fetch(uri="/", headers={"Cookie": cookie})
    assert "Set-Cookie" not in again.headers
    assert again.text != token


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param("", {}, id="nothing"),
        pytest.param("_xsrf=%FF%FE", {"Cookie": "_xsrf=x"}, id="XS-04-not-utf-8"),
        pytest.param("_xsrf=2|zz|zz|1", {"Cookie": "_xsrf=2|zz|zz|1"}, id="XS-04-zz"),
        pytest.param("_xsrf=|||", {"Cookie": "_xsrf=|||"}, id="XS-04-bars"),
        pytest.param("_xsrf=", {"Cookie": "_xsrf="}, id="XS-04-empty"),
        pytest.param("_xsrf=" + "a" * 10**6, {"Cookie": "_xsrf=a"}, id="XS-04-1-MB"),
        pytest.param(f"_xsrf={V1}", {"Sec_Fetch_Site": "cross-site"}, id="cross-site"),
    ],
)
def test_refused_before_prepare(body: str, headers: dict[str, str], client: Any) -> None:
    assert post(client, body, **headers).status == 403
    assert not Form.prepared


@pytest.mark.parametrize("in_query", [True, False])
def test_a_streamed_body_is_refused_before_it_is_read(
    in_query: bool, serve: Callable[..., Any]
) -> None:
    received: list[bytes] = []

    @stream_request_body
    class Upload(RequestHandler):
        def data_received(self, chunk: bytes) -> None:
            received.append(chunk)

        def post(self) -> None:
            self.write("ok")

    client = serve([("/", Upload)], xsrf_cookies=True, xsrf_query_argument=in_query)
    assert post(client, f"_xsrf={V1}", Cookie=f"_xsrf={V1}").status == 403
    assert received == []
    assert post(client, "x=1", Cookie=f"_xsrf={V1}", X_XSRFToken=V1).text == "ok"
    assert received == [b"x=1"]


@pytest.mark.parametrize(
    ("method", "status"),
    [(method, 403) for method in ("POST", "PUT", "PATCH", "DELETE", "PROPFIND", "X-FORGED")]
    + [("UNKNOWN", 405), ("GET", 200), ("HEAD", 200), ("OPTIONS", 200)],
)
def test_methods_XS_02(serve: Any, method: str, status: int) -> None:
    """XS-02: also methods of an application's own; those that nobody knows get nowhere."""
    ran: list[str | None] = []

    class Any_(RequestHandler):
        SUPPORTED_METHODS = (*RequestHandler.SUPPORTED_METHODS, "PROPFIND", "X-FORGED")

        def get(self) -> None:
            ran.append(self.request.method)

        head = post = put = patch = delete = options = propfind = get

    setattr(Any_, "x-forged", Any_.get)
    client = serve([("/", Any_)], xsrf_cookies=True)
    response = client.fetch(method, "/", headers={"Cookie": f"_xsrf={TOKEN}"})
    assert (response.status, ran) == (status, [method] if status == 200 else [])


def test_a_compressed_page_differs_each_time_RI_13(serve: Any) -> None:
    """RI-13: a token beside what the client sent, compressed: its length tells nothing for long."""

    class Search(RequestHandler):
        def get(self) -> None:
            self.write(f"{'x' * 2000}{self.xsrf_form_html()}{self.get_argument('q')}")

    client = serve([("/", Search)], gzip=True)
    headers = {"Cookie": f"_xsrf={TOKEN}", "Accept-Encoding": "gzip"}
    tokens = set()
    for _ in range(20):
        response = client.fetch(uri="/?q=_xsrf+value", headers=headers)
        assert response.headers["Content-Encoding"] == "gzip"
        page = gzip.decompress(response.body).decode()
        (token,) = re.findall(r'value="(2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d+)"', page)
        tokens.add(token)
    assert len(tokens) == 20
    assert len({token.split("|")[2] for token in tokens}) == 20
    assert {decode_xsrf_token(token, NOW) for token in tokens} == {decode_xsrf_token(TOKEN, NOW)}


def test_an_overridden_get_argument_is_asked(serve: Any) -> None:
    class JSON(RequestHandler):
        def get_argument(self, name: str, *args: Any, **kwargs: Any) -> Any:
            return self.get_json().get(name) or super().get_argument(name, *args, **kwargs)

        def post(self) -> None:
            self.write("ok")

    client = serve([("/", JSON)], xsrf_cookies=True)
    fields = {"Cookie": f"_xsrf={V1}", "Content_Type": "application/json"}
    assert post(client, f'{{"_xsrf": "{V1}"}}', **fields).text == "ok"
    assert post(client, '{"_xsrf": 1}', **fields).status == 403
    assert post(client, "{}", **fields).status == 403
    assert post(client, "{}", X_XSRFToken=V1, **fields).text == "ok"


def test_a_missing_page_stays_missing(client: Any) -> None:
    forged = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example.net"}
    assert client.fetch("POST", "/none", body="", headers=forged).status == 404
