"""FriendFeed's protocol."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from auth_support import Browser, Page

from cyclone.auth import FriendFeedMixin
from cyclone.httpclient import SentRequest, StubResponse
from cyclone.web import asynchronous

TOKEN = {"key": "k", "secret": "s", "username": "ada"}


class Login(Page, FriendFeedMixin):
    """As in Cyclone 1.3's documentation."""

    @asynchronous
    def get(self) -> Any:
        if self.get_argument("oauth_token", None):
            self.get_authenticated_user(self.async_callback(self.on_login))
            return None
        return self.authorize_redirect()

    def on_login(self, user: Any) -> None:
        self.finish({"user": user})


class Entry(Page, FriendFeedMixin):
    async def get(self) -> None:
        posted = await self.friendfeed_request("/entry", TOKEN, {"body": "hi"})
        self.write({"posted": posted})


class OldEntry(Page, FriendFeedMixin):
    @asynchronous
    def get(self) -> None:
        self.friendfeed_request("/entry", self.on_entry, TOKEN, num=3)

    def on_entry(self, entry: Any) -> None:
        self.finish({"entry": entry})


def friendfeed(request: SentRequest) -> StubResponse:
    query = parse_qs(urlsplit(request.url).query)
    assert query["oauth_consumer_key"] == ["consumer"]
    if request.path == "/account/oauth/request_token":
        return StubResponse(200, b"oauth_token=r&oauth_token_secret=rs")
    if request.path == "/account/oauth/access_token":
        return StubResponse(200, b"oauth_token=k&oauth_token_secret=s&username=a/da")
    if request.path.startswith("/v2/feedinfo/"):
        assert request.path == "/v2/feedinfo/a%2Fda"
        assert query["include"] == ["id,name,description"]
        return StubResponse(200, b'{"id": "ada", "name": "Ada"}')
    return StubResponse(200, b'{"id": "e/1"}')


@pytest.fixture
def browser() -> Browser:
    routes: Any = [("/login", Login), ("/entry", Entry), ("/old", OldEntry)]
    settings = {"friendfeed_consumer_key": "consumer", "friendfeed_consumer_secret": "x"}
    return Browser(routes, friendfeed, **settings)


def test_login(browser: Browser) -> None:
    away = browser.get("/login")
    assert away.location == "https://friendfeed.com/account/oauth/authorize?oauth_token=r"
    user = browser.get("/login", {"oauth_token": "r"}).json["user"]
    assert (user["username"], user["name"]) == ("ada", "Ada")
    assert user["access_token"]["username"] == "a/da"


def test_requests(browser: Browser) -> None:
    assert browser.get("/entry").json == {"posted": {"id": "e/1"}}
    assert (browser.sent[0].method, browser.sent[0].body) == ("POST", b"body=hi")
    assert browser.get("/old").json == {"entry": {"id": "e/1"}}
    assert "num=3" in browser.sent[1].url
