"""OAuth 1.0a logins."""

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from auth_support import Browser, Page
from twisted.internet.defer import succeed

from cyclone.auth import OAuthMixin
from cyclone.auth._oauth1_signing import signature
from cyclone.httpclient import SentRequest, StubResponse
from cyclone.web import asynchronous

COOKIE = "_oauth_request_token"
CONSUMER = {"key": "asdf", "secret": "qwer"}


class Base(Page, OAuthMixin):
    _OAUTH_REQUEST_TOKEN_URL = "https://provider.example/request_token"
    _OAUTH_AUTHORIZE_URL = "https://provider.example/authorize"
    _OAUTH_ACCESS_TOKEN_URL = "https://provider.example/access_token"

    def _oauth_consumer_token(self) -> dict[str, str]:
        return CONSUMER

    async def get(self) -> Any:
        if self.get_argument("oauth_token", None) or self.get_argument("denied", None):
            self.write(await self.get_authenticated_user())
        else:
            await self.authorize_redirect(self.get_argument("to", None))


class Login(Base):
    async def _oauth_get_user_future(self, access_token: dict[str, str]) -> Any:
        assert access_token == {"key": "uiop", "secret": "5678"}
        return {"email": await succeed("foo@example.com")}


class Version10(Login):
    _OAUTH_VERSION = "1.0"


class Registered(Login):
    _OAUTH_NO_CALLBACKS = True


class Nobody(Base):
    def _oauth_get_user_future(self, access_token: dict[str, str]) -> Any:
        return None


class OldHook(Base):
    """Cyclone's hook, and its callback."""

    @asynchronous
    def get(self) -> Any:
        self.get_authenticated_user(self.async_callback(self.on_login))

    def on_login(self, user: Any) -> None:
        self.finish({"user": user})

    def _oauth_get_user(self, access_token: dict[str, str], callback: Any) -> None:
        callback({"old": True})


class OldOverNew(Login):
    """The most derived hook counts."""

    def _oauth_get_user(self, access_token: dict[str, str], callback: Any) -> None:
        callback({"old": True})


class NoHooks(Page, OAuthMixin):
    def get(self, what: str) -> None:
        if what == "user":
            self._oauth_get_user_future({})
        else:
            self._oauth_consumer_token()


class Hooks(Login):
    def get(self) -> Any:
        seen: list[Any] = []
        result = self._oauth_get_user({"key": "uiop", "secret": "5678"}, seen.append)
        assert hasattr(result, "addCallback")
        return result.addCallback(lambda _: self.finish({"seen": seen}))


def provider(request: SentRequest) -> StubResponse:
    query = {name: one[0] for name, one in parse_qs(urlsplit(request.url).query).items()}
    url, _, _ = request.url.partition("?")
    given = query.pop("oauth_signature")
    known = {"zxcv": "1234"}.get(query.get("oauth_token", ""))
    token = None if known is None else {"key": "zxcv", "secret": known}
    if given != signature("GET", url, query, CONSUMER, token):
        return StubResponse(401, b"signature")
    if query.get("oauth_callback", "").endswith("/fail"):
        return StubResponse(500, b"boom")
    if query.get("oauth_callback", "").endswith("/busy"):
        return StubResponse(503, b"<html>")
    if query.get("oauth_callback", "").endswith("/nonsense"):
        return StubResponse(200, b"<html>")
    if request.path == "/request_token":
        return StubResponse(200, b"oauth_token=zxcv&oauth_token_secret=1234")
    return StubResponse(200, b"oauth_token=uiop&oauth_token_secret=5678")


ROUTES: Any = [
    ("/login", Login),
    ("/10", Version10),
    ("/registered", Registered),
    ("/nobody", Nobody),
    ("/old", OldHook),
    ("/oldnew", OldOverNew),
    ("/nohooks/(.*)", NoHooks),
    ("/hooks", Hooks),
]


@pytest.fixture
def browser() -> Browser:
    return Browser(ROUTES, provider)


@pytest.mark.parametrize("path", ["/login", "/10"])
def test_login(browser: Browser, path: str) -> None:
    away = browser.get(path)
    assert away.status == 302
    assert away.location == "https://provider.example/authorize?oauth_token=zxcv"
    (cookie,) = browser.set_cookies
    # The value is what Tornado's and Cyclone's clients have.
    assert cookie.startswith(f'{COOKIE}="enhjdg==|MTIzNA=="; HttpOnly')
    assert "SameSite=Lax" in cookie
    back = browser.get(path, {"oauth_token": "zxcv", "oauth_verifier": "v"})
    token = {"key": "uiop", "secret": "5678"}
    assert back.json == {"email": "foo@example.com", "access_token": token}
    assert COOKIE not in browser.cookies
    asked = parse_qs(urlsplit(browser.sent[-1].url).query)
    assert asked["oauth_verifier"] == ["v"]
    assert browser.get(path, {"oauth_token": "zxcv"}).error[0] == 400


def test_callbacks(browser: Browser) -> None:
    browser.get("/login", {"to": "/back?x=1"})
    asked = parse_qs(urlsplit(browser.sent[0].url).query)
    assert asked["oauth_callback"] == ["http://app.example/back?x=1"]
    old = browser.get("/10", {"to": "/back"})
    assert old.query["oauth_callback"] == "http://app.example/back"
    assert "oauth_callback" not in browser.sent[1].url
    outside = browser.get("/login", {"to": "oob"})
    assert outside.text == "https://provider.example/authorize?oauth_token=zxcv"
    assert browser.get("/registered", {"to": "/x"}).status == 500
    assert browser.get("/registered").status == 302


def test_secure_cookie_behind_https() -> None:
    browser = Browser(ROUTES, provider, redirect_base_uri="https://www.example.com")
    browser.get("/login", {"to": "/back"})
    assert "Secure" in browser.set_cookies[0]
    asked = parse_qs(urlsplit(browser.sent[0].url).query)
    assert asked["oauth_callback"] == ["https://www.example.com/back"]


def encoded(*parts: bytes) -> str:
    return '"' + "|".join(base64.b64encode(part).decode() for part in parts) + '"'


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param("", id="none"),
        pytest.param("x", id="one-part"),
        pytest.param('"a|b|c"', id="three-parts"),
        pytest.param('"%%%|%%%"', id="no-base64"),
        pytest.param(encoded(b"other", b"1234"), id="another-token"),
        pytest.param(encoded(b"\xff\xfe", b"1234"), id="bytes"),
    ],
)
def test_wrong_cookies(browser: Browser, cookie: str) -> None:
    answer = browser.fetch("GET", "/login?oauth_token=zxcv", cookies={COOKIE: cookie})
    assert answer.error[0] == 400
    assert not browser.sent


def test_refusals(browser: Browser) -> None:
    browser.get("/login")
    assert browser.get("/login", {"denied": "zxcv"}).error == (403, "the user refused the login")
    # As in Tornado: an error of the provider that nobody handles is one of ours.
    assert browser.get("/login", {"to": "/fail"}).error == (500, "the provider answered 500")


def test_failures_of_the_provider_are_a_bad_gateway(browser: Browser) -> None:
    """AU-09"""
    answer = browser.get("/login", {"to": "/nonsense"})
    assert answer.error == (502, "the provider gave no usable OAuth token")
    assert browser.get("/login", {"to": "/busy"}).error == (502, "the provider answered 503")
    cookie = {COOKIE: encoded(b"zxcv", b"wrong")}
    answer = browser.fetch("GET", "/login?oauth_token=zxcv", cookies=cookie)
    assert answer.error == (502, "the provider answered 401")


def test_hooks(browser: Browser) -> None:
    cookies = {COOKIE: encoded(b"zxcv", b"1234")}

    def come_back(path: str) -> Any:
        return browser.fetch("GET", f"{path}?oauth_token=zxcv", cookies=cookies)

    assert come_back("/old").json["user"]["old"] is True
    assert come_back("/oldnew").json["old"] is True
    assert come_back("/nobody").error == (400, "Error getting user")
    assert browser.fetch("GET", "/old?oauth_token=other", cookies=cookies).json == {"user": None}
    assert "NotImplementedError" in browser.get("/nohooks/user").json["crash"]
    assert "NotImplementedError" in browser.get("/nohooks/consumer").json["crash"]
    assert browser.get("/hooks").json == {"seen": [{"email": "foo@example.com"}]}
