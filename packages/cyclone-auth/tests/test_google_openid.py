"""The overview's GoogleMixin: OpenID 2.0 with OAuth."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from auth_support import Browser, Page

from cyclone.auth import GoogleMixin
from cyclone.auth._openid2 import OAUTH_NS
from cyclone.httpclient import SentRequest, StubResponse
from cyclone.web import asynchronous

pytestmark = pytest.mark.filterwarnings("ignore:OpenID 2.0:DeprecationWarning")


class GoogleHandler(Page, GoogleMixin):
    """Word for word as in the overview, but for the end."""

    @asynchronous
    def get(self) -> None:
        if self.get_argument("openid.mode", None):
            self.get_authenticated_user(self.async_callback(self._on_auth))
            return
        self.authenticate_redirect()

    def _on_auth(self, user: Any) -> None:
        if not user:
            self.authenticate_redirect()
            return
        self.finish(user)


class Scoped(GoogleHandler):
    def get(self) -> None:
        self.authorize_redirect("https://feeds.example", "/login")


def google(request: SentRequest) -> StubResponse:
    if request.method == "POST":
        valid = b"sig=bad" not in request.body
        return StubResponse(200, b"is_valid:true\n" if valid else b"is_valid:false\n")
    query = parse_qs(urlsplit(request.url).query)
    assert query["oauth_token"] == ["approved"]
    assert "oauth_verifier" not in query
    return StubResponse(200, b"oauth_token=at&oauth_token_secret=ats")


@pytest.fixture
def browser() -> Browser:
    routes: Any = [("/login", GoogleHandler), ("/scoped", Scoped)]
    settings = {"google_consumer_key": "app.example", "google_consumer_secret": "x"}
    return Browser(routes, google, **settings)


def test_redirects(browser: Browser) -> None:
    assert browser.get("/login").location.startswith("https://www.google.com/accounts/o8/ud?")
    query = browser.get("/scoped").query
    assert query["openid.oauth.scope"] == "https://feeds.example"
    assert query["openid.oauth.consumer"] == "app.example"
    assert query["openid.return_to"] == "http://app.example/login"


def test_login_and_failure(browser: Browser) -> None:
    user = {"openid.mode": "id_res", "openid.claimed_id": "https://id.example/ada"}
    assert browser.get("/login", user).json == {"claimed_id": "https://id.example/ada"}
    assert browser.get("/login", {**user, "openid.sig": "bad"}).status == 302
    assert browser.get("/login", {"openid.mode": "cancel"}).status == 302


def test_with_oauth(browser: Browser) -> None:
    answer = {
        "openid.mode": "id_res",
        "openid.ns.ext2": OAUTH_NS,
        "openid.ext2.request_token": "approved",
    }
    user = browser.get("/login", answer).json
    assert user == {"access_token": {"key": "at", "secret": "ats"}}


def test_settings_are_required() -> None:
    browser = Browser([("/login", GoogleHandler)], google)
    answer = {"openid.mode": "x", "openid.ns.o": OAUTH_NS, "openid.o.request_token": "t"}
    assert "google_consumer_key" in browser.get("/login", answer).json["crash"]
