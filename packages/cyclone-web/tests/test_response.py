"""The head of the answer."""

from __future__ import annotations

import datetime
import importlib.metadata
from collections.abc import Callable
from typing import Any

import pytest

from cyclone.httputil import HTTPHeaders, parse_http_date
from cyclone.web import HTTPError, RequestHandler
from cyclone.web._response import add_vary, has_no_body, server_name


def acting(act: Callable[[Any], object]) -> type[RequestHandler]:
    """A handler whose ``get`` is *act*."""

    class Acting(RequestHandler):
        def get(self) -> None:
            act(self)

    return Acting


def answer(serve: Any, act: Callable[[Any], object], **kwargs: Any) -> Any:
    return serve([("/", acting(act))]).fetch("GET", "/", **kwargs)


# --- status -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "reason", "sent"),
    [
        (201, None, "Created"),
        (499, None, "Unknown"),
        ("404", None, "Not Found"),
        (299, "Fine", "Fine"),
        pytest.param(400, "x\r\nSet-Cookie: a=b", "Unknown", id="RI-02-crlf"),
        pytest.param(400, "<script>", "Unknown", id="RI-02-markup"),
        pytest.param(400, "\u20ac", "Unknown", id="RI-02-unicode"),
    ],
)
def test_set_status(serve: Any, status: int, reason: str | None, sent: str) -> None:
    response = answer(serve, lambda handler: handler.set_status(status, reason))
    assert (response.status, response.reason) == (int(status), sent)


# --- header fields ------------------------------------------------------------------------


def test_default_headers(serve: Any) -> None:
    response = answer(serve, lambda handler: None)
    assert response.headers["Server"].startswith("cyclone/")
    assert response.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert parse_http_date(response.headers["Date"]) is not None


@pytest.mark.parametrize(("setting", "sent"), [("mine/1", "mine/1"), (False, None)])
def test_the_server_header_is_a_setting(serve: Any, setting: object, sent: str | None) -> None:
    client = serve([("/", acting(lambda handler: None))], server_header=setting)
    assert client.fetch("GET", "/").headers.get("Server") == sent


def test_the_server_without_a_distribution(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """As from a single file made of a program; it is looked up when a port listens."""
    looked_up: list[str] = []

    def version(name: str) -> str:
        looked_up.append(name)
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    server_name.cache_clear()
    try:
        client = serve([("/", acting(lambda handler: None))])
        client.app.doStart()
        assert looked_up == ["cyclone-web"]
        assert client.fetch("GET", "/").headers["Server"] == "cyclone"
    finally:
        server_name.cache_clear()


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        ("text", "text"),
        (b"caf\xe9", "caf\xe9"),
        (12, "12"),
        (
            datetime.datetime(2026, 11, 22, 11, 40, tzinfo=datetime.UTC),
            "Sun, 22 Nov 2026 11:40:00 GMT",
        ),
    ],
)
def test_header_values(serve: Any, value: Any, sent: str) -> None:
    response = answer(serve, lambda handler: handler.set_header("X-A", value))
    assert response.headers["X-A"] == sent


def test_fields_are_set_added_and_cleared(serve: Any) -> None:
    def act(handler: RequestHandler) -> None:
        handler.set_header("X-A", "1")
        handler.set_header("x-a", "2")
        handler.add_header("X-B", "1")
        handler.add_header("X-B", 2)
        handler.set_header("X-C", "1")
        handler.clear_header("X-C")
        handler.clear_header("X-None")
        handler.set_headers({"X-D": "1", "X-E": 2})
        handler.set_headers("X-F", "1")

    headers = answer(serve, act).headers
    assert headers.get_list("X-A") == ["2"]
    assert headers.get_list("X-B") == ["1", "2"]
    assert "X-C" not in headers
    assert [headers[f"X-{name}"] for name in "DEF"] == ["1", "2", "1"]


HOSTILE = ["a\r\nY: b", "a\nb", "a\rb", "a\x00", "a\x7f", "\u20ac", b"a\r\nb"]


@pytest.mark.parametrize("method", ["set_header", "add_header"])
@pytest.mark.parametrize("value", HOSTILE)
def test_ri_01_hostile_values_are_refused(
    serve: Any, caplog: pytest.LogCaptureFixture, method: str, value: str
) -> None:
    response = answer(serve, lambda handler: getattr(handler, method)("X", value))
    assert response.status == 500
    assert b"Y" not in response.body


@pytest.mark.parametrize("name", ["X\r\nY", "X Y", "", "X:", "\u20ac"])
def test_ri_01_hostile_names_are_refused(serve: Any, name: str) -> None:
    assert answer(serve, lambda handler: handler.set_header(name, "a")).status == 500


@pytest.mark.parametrize("value", [None, 1.5, ["a"], object()])
def test_values_of_other_types_are_refused(serve: Any, value: object) -> None:
    assert answer(serve, lambda handler: handler.set_header("X", value)).status == 500


def test_default_headers_are_set_for_error_pages_too(serve: Any) -> None:
    class Defaults(RequestHandler):
        def set_default_headers(self) -> None:
            self.set_header("X-Default", "yes")
            self.clear_header("Server")

        def get(self) -> None:
            self.set_header("X-Lost", "yes")
            raise ValueError

    headers = serve([("/", Defaults)]).fetch("GET", "/").headers
    assert headers["X-Default"] == "yes"
    assert "X-Lost" not in headers
    assert "Server" not in headers


# --- redirects ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keywords", "status"),
    [({}, 302), ({"permanent": True}, 301), ({"status": 307}, 307), ({"status": 200}, 500)],
)
def test_redirect_status(serve: Any, keywords: dict[str, Any], status: int) -> None:
    assert answer(serve, lambda handler: handler.redirect("/a", **keywords)).status == status


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("/a?b=c", "/a?b=c"),
        ("relative", "relative"),
        (b"https://example.com/", "https://example.com/"),
        ("/caf\xe9", "/caf%C3%A9"),
        ("/a%20b", "/a%20b"),
        ('"><script>', '"><script>'),
        ("/<b>\u2192", "/<b>%E2%86%92"),
        ("/\U0001f600?a=\xe9".encode(), "/%F0%9F%98%80?a=%C3%A9"),
    ],
)
def test_redirect_location(serve: Any, url: str, location: str) -> None:
    """RI-03: what is not ASCII is percent-encoded; RI-06: no page repeats the target."""
    response = answer(serve, lambda handler: handler.redirect(url))
    assert response.headers["Location"] == location
    assert response.body == b""


@pytest.mark.parametrize(
    "url",
    ["/\r\nX: y", b"/\r\nX: y", "/\nX", "/\rX", "\x00/", "/a b", "/\x7f", "/\x85", "\u2028/"]
    + ["/a\t", " /", b"\xff"],
)
def test_ri_03_hostile_redirects_are_refused(serve: Any, url: str) -> None:
    """RI-03."""
    response = answer(serve, lambda handler: handler.redirect(url))
    assert response.status == 500
    assert "Location" not in response.headers


def test_no_redirect_after_the_head(serve: Any) -> None:
    def act(handler: RequestHandler) -> None:
        handler.flush()
        with pytest.raises(RuntimeError, match="headers have been written"):
            handler.redirect("/")

    assert answer(serve, act).status == 200


# --- conditional requests -----------------------------------------------------------------

TAG = '"f7ff9e8b7bb2e09b70935a5d785e0cc5d9d0abf0"'


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (TAG, 304),
        (f"W/{TAG}", 304),
        (f'"a", W/"b",{TAG}', 304),
        ("*", 304),
        ('"other"', 200),
        (TAG.strip('"'), 200),
        ("", 200),
        ('"a*"', 200),
    ],
)
@pytest.mark.parametrize("touched", [False, True], ids=["plain", "own-headers"])
def test_if_none_match(serve: Any, given: str, status: int, touched: bool) -> None:
    def act(handler: RequestHandler) -> None:
        if touched:
            handler.set_header("X-A", "1")
        handler.write("Hello")

    response = answer(serve, act, headers={"if-none-match": given})
    assert response.status == status
    assert response.headers["Etag"] == TAG
    if status == 304:
        assert not {"Content-Type", "Content-Length"} & set(response.headers)


def test_an_own_etag_is_compared_weakly(serve: Any) -> None:
    class Own(RequestHandler):
        def compute_etag(self) -> str | None:
            return 'W/"mine"'

        def get(self) -> None:
            self.write("x")

    client = serve([("/", Own)])
    assert client.fetch("GET", "/").headers["Etag"] == 'W/"mine"'
    assert client.fetch("GET", "/", headers={"If-None-Match": '"mine"'}).status == 304


def test_a_tag_of_what_was_not_written_yet_is_made_anew(serve: Any) -> None:
    def act(handler: RequestHandler) -> None:
        handler.set_etag_header()
        handler.write("Hello")

    assert answer(serve, act).headers["Etag"] == TAG
    assert answer(serve, act, headers={"If-None-Match": TAG}).status == 304


def test_an_etag_set_as_a_header_stays_and_is_compared(serve: Any) -> None:
    def act(handler: RequestHandler) -> None:
        handler.set_header("ETag", '"mine"')
        handler.write("Hello")

    assert answer(serve, act).headers["Etag"] == '"mine"'
    assert answer(serve, act, headers={"If-None-Match": '"mine"'}).status == 304
    assert answer(serve, act, headers={"If-None-Match": TAG}).status == 200


def test_no_etag(serve: Any) -> None:
    class Without(RequestHandler):
        def compute_etag(self) -> str | None:
            return None

        def get(self) -> None:
            self.write("x")

        def post(self) -> None:
            self.write("x")

    client = serve([("/", Without)])
    assert "Etag" not in client.fetch("GET", "/").headers
    assert "Etag" not in client.fetch("POST", "/", body="").headers


def test_an_early_check(serve: Any) -> None:
    class Early(RequestHandler):
        def compute_etag(self) -> str | None:
            return '"v1"'

        def get(self) -> None:
            self.set_etag_header()
            if self.check_etag_header():
                self.set_status(304)
                return
            self.write("work")

    client = serve([("/", Early)])
    assert client.fetch("GET", "/").body == b"work"
    assert client.fetch("GET", "/", headers={"If-None-Match": '"v1"'}).status == 304


# --- details ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("present", "names", "merged"),
    [
        (None, ["Cookie"], "Cookie"),
        ("Origin", ["Cookie"], "Origin, Cookie"),
        ("cookie", ["Cookie"], "cookie"),
        ("*", ["Cookie"], "*"),
    ],
)
def test_ri_14_vary_is_merged(present: str | None, names: list[str], merged: str) -> None:
    headers = HTTPHeaders({"Vary": present} if present else {})
    add_vary(headers, names)
    assert headers["Vary"] == merged


@pytest.mark.parametrize(
    ("status", "bodiless"), [(100, True), (199, True), (200, False), (204, True), (304, True)]
)
def test_statuses_without_a_body(status: int, bodiless: bool) -> None:
    assert has_no_body(status) is bodiless


class Shared(RequestHandler):
    """Lets one other site read its answers, with the user's cookies."""

    def set_default_headers(self) -> None:
        self.set_header("Vary", "Origin")
        if self.request.headers.get("Origin") == "https://app.example.com":
            self.set_header("Access-Control-Allow-Origin", "https://app.example.com")
            self.set_header("Access-Control-Allow-Credentials", "true")

    def get(self) -> None:
        way = self.get_argument("way")
        if way == "session":
            self.get_cookie("user")
        if way == "moved":
            self.redirect("/")
            return
        if way.isdecimal():
            raise HTTPError(int(way))
        if way == "failed":
            raise ValueError("of the program")
        self.write("x" * 2000)
        if way == "streamed":
            self.flush()

    head = get

    def options(self) -> None:
        self.set_status(204)


@pytest.mark.parametrize("origin", ["https://app.example.com", "https://evil.example.net", None])
@pytest.mark.parametrize(
    ("method", "way", "status"),
    [
        ("GET", "whole", 200),
        ("GET", "streamed", 200),
        ("GET", "session", 200),
        ("HEAD", "whole", 200),
        ("GET", "unchanged", 304),
        ("GET", "moved", 302),
        ("GET", "403", 403),
        ("GET", "failed", 500),
        ("POST", "whole", 405),
        ("GET", "missing", 400),
        ("OPTIONS", "preflight", 204),
    ],
)
@pytest.mark.parametrize("compressed", [False, True])
def test_who_may_read_is_said_each_time_XS_09(
    serve: Any, method: str, way: str, status: int, origin: str | None, compressed: bool
) -> None:
    """XS-09: one origin and never ``*``; a cache keeps the answers for different ones apart."""
    client = serve([("/", Shared)], gzip=compressed)
    headers = {"Accept-Encoding": "gzip"} | ({"Origin": origin} if origin else {})
    uri = "/" if way == "missing" else f"/?way={way}"
    if way == "unchanged":
        etag = client.fetch("GET", uri, headers=headers).headers["Etag"]
        headers["If-None-Match"] = etag
    response = client.fetch(method, uri, headers=headers)
    assert response.status == status
    vary = [name.strip() for name in response.headers["Vary"].split(",")]
    assert vary.count("Origin") == 1
    assert set(vary) <= {"Origin", "Cookie", "Accept-Encoding"}
    assert ("Cookie" in vary) is (way == "session")
    allowed = origin == "https://app.example.com"
    assert response.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
    assert ("Access-Control-Allow-Credentials" in response.headers) is allowed


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda h: h.set_header("X-A", None), "Unsupported header value None for 'X-A'"),
        (lambda h: h.add_header("X-A", [1]), "Unsupported header value [1] for 'X-A'"),
        (lambda h: h.set_header("X-A", "a\nb"), "Unsafe header value 'a\\nb' for 'X-A'"),
        (lambda h: h.redirect(None), "redirect() takes a URL as str or bytes, not None"),
        (lambda h: h.redirect(302), "redirect() takes a URL as str or bytes, not 302"),
        (lambda h: h.redirect("/", status="302"), "Not a redirect: status '302'"),
        (lambda h: h.set_cookie("a", 1), "the value of cookie 'a' is a str or bytes, not int"),
        (
            lambda h: h.set_secure_cookie("a", {}),
            "what is signed as 'a' is a str or bytes, not dict",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_argument_is_named(
    serve: Any, caplog: pytest.LogCaptureFixture, act: Callable[[Any], object], message: str
) -> None:
    client = serve([("/", acting(act))], cookie_secret="x" * 32)
    assert client.fetch("GET", "/").status == 500
    assert message in caplog.text
