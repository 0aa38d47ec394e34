"""Facebook's Graph API."""

import hashlib
import hmac
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from auth_support import SECRET, Browser, Page

from cyclone.auth import FacebookGraphMixin
from cyclone.auth._facebook import appsecret_proof
from cyclone.httpclient import SentRequest, StubResponse
from cyclone.web import asynchronous

BACK = "https://app.example/login"
ARGUMENTS = {"redirect_uri": BACK, "client_id": "key", "client_secret": "fb-secret"}


class Login(Page, FacebookGraphMixin):
    async def get(self) -> None:
        if self.get_argument("code", None):
            code = self.get_argument("code")
            user = await self.get_authenticated_user(
                **ARGUMENTS, code=code, extra_fields=["birthday"]
            )
            self.write(user)
        else:
            self.authorize_redirect(BACK, "key", extra_params={"scope": "user_posts"})


class OldLogin(Page, FacebookGraphMixin):
    """As for Cyclone 1.3."""

    @asynchronous
    def get(self) -> None:
        if self.get_argument("code", None):
            self.get_authenticated_user(
                BACK, "key", "fb-secret", self.get_argument("code"), self.on_login, {"birthday"}
            )
            return
        self.authorize_redirect(BACK, "key")

    def on_login(self, user: Any) -> None:
        self.finish({"user": user})


class Feed(Page, FacebookGraphMixin):
    @asynchronous
    def get(self) -> None:
        self.facebook_request("/me/feed", self.posted, "t", {"message": "hi"}, limit=1)

    def posted(self, answer: Any) -> None:
        self.finish({"answer": answer})


def facebook(request: SentRequest) -> StubResponse:
    if request.path == "/oauth/access_token":
        return StubResponse(200, b'{"access_token": "fb-token", "expires_in": 3600}')
    if request.path == "/me/feed":
        return StubResponse(403, b"{}")
    return StubResponse(200, json.dumps({"id": "1", "name": "Ada", "birthday": "x"}).encode())


@pytest.fixture
def browser() -> Browser:
    routes = [("/login", Login), ("/old", OldLogin), ("/feed", Feed)]
    return Browser(routes, facebook, cookie_secret=SECRET)


def test_login(browser: Browser) -> None:
    away = browser.get("/login")
    assert away.location.startswith("https://www.facebook.com/dialog/oauth?response_type=code&")
    assert away.query["scope"] == "user_posts"
    user = browser.get("/login", {"code": "c", "state": away.query["state"]}).json
    assert (user["name"], user["birthday"], user["link"]) == ("Ada", "x", None)
    assert (user["access_token"], user["session_expires"]) == ("fb-token", "3600")
    token, me = browser.sent
    asked = parse_qs(urlsplit(token.url).query)
    assert asked["code"] == ["c"]
    assert "code_verifier" in asked
    told = parse_qs(urlsplit(me.url).query)
    assert told["appsecret_proof"] == [appsecret_proof("fb-secret", "fb-token")]
    assert set(told["fields"][0].split(",")) > {"id", "name", "birthday", "picture"}


def test_forged_state(browser: Browser) -> None:
    """AU-01."""
    assert browser.get("/login", {"code": "c", "state": "x"}).error[0] == 400
    assert not browser.sent


def test_callback(browser: Browser) -> None:
    state = browser.get("/old").query["state"]
    user = browser.get("/old", {"code": "c", "state": state}).json["user"]
    assert (user["name"], user["birthday"]) == ("Ada", "x")
    assert browser.get("/old", {"code": "c", "state": state}).json == {"user": None}


def test_request_with_callback(browser: Browser) -> None:
    assert browser.get("/feed").json == {"answer": None}
    (request,) = browser.sent
    assert request.url == "https://graph.facebook.com/me/feed?access_token=t&limit=1"
    assert (request.method, request.body) == ("POST", b"message=hi")


def test_appsecret_proof() -> None:
    expected = hmac.new(b"secret", b"token", hashlib.sha256).hexdigest()
    assert appsecret_proof("secret", "token") == expected
