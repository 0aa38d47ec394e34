"""Twitter's API 1.1, with the habits of Tornado's and of Cyclone's users."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from auth_support import Browser, Page

from cyclone.auth import TwitterMixin
from cyclone.auth._oauth1_signing import signature
from cyclone.httpclient import HTTPClientError, SentRequest, StubResponse
from cyclone.web import asynchronous

CONSUMER = {"key": "consumer", "secret": "consumer-secret"}
ACCESS = {"key": "hjkl", "secret": "vbnm"}


class Login(Page, TwitterMixin):
    async def get(self) -> None:
        if self.get_argument("oauth_token", None):
            self.write(await self.get_authenticated_user())
        elif self.get_argument("once", None):
            await self.authenticate_redirect()
        else:
            await self.authorize_redirect()


class Show(Page, TwitterMixin):
    async def get(self, name: str) -> None:
        try:
            user = await self.twitter_request("/users/show/" + name, access_token=ACCESS)
        except HTTPClientError as error:
            self.write({"failed": error.code})
        else:
            self.write({"user": user})


class OldUpdate(Page, TwitterMixin):
    @asynchronous
    def get(self) -> None:
        self.twitter_request(
            "https://search.example/search.json",
            self.on_update,
            access_token=ACCESS,
            post_args={"status": "ü &"},
            q="a b",
        )

    def on_update(self, answer: Any) -> None:
        self.finish({"answer": answer})


class Open(Page, TwitterMixin):
    async def get(self) -> None:
        self.write({"answer": await self.twitter_request("/open")})


def twitter(request: SentRequest) -> StubResponse:
    url, _, query = request.url.partition("?")
    given = {name: one[0] for name, one in parse_qs(query).items()}
    form = {name: one[0] for name, one in parse_qs(request.body.decode()).items()}
    if request.path == "/oauth/request_token":
        return StubResponse(200, b"oauth_token=zxcv&oauth_token_secret=1234")
    if request.path == "/oauth/access_token":
        return StubResponse(200, b"oauth_token=hjkl&oauth_token_secret=vbnm&screen_name=foo")
    if request.path == "/1.1/open.json":
        return StubResponse(200, json.dumps(given).encode())
    made = given.pop("oauth_signature")
    assert made == signature(request.method, url, {**given, **form}, CONSUMER, ACCESS)
    if request.path.endswith("/error.json"):
        return StubResponse(500)
    return StubResponse(200, b'{"screen_name": "foo", "name": "Foo"}')


@pytest.fixture
def browser() -> Browser:
    routes: Any = [("/login", Login), ("/show/(.*)", Show), ("/old", OldUpdate), ("/open", Open)]
    settings = {"twitter_consumer_key": "consumer", "twitter_consumer_secret": "consumer-secret"}
    return Browser(routes, twitter, **settings)


def test_login(browser: Browser) -> None:
    away = browser.get("/login")
    assert away.location == "https://api.twitter.com/oauth/authorize?oauth_token=zxcv"
    user = browser.get("/login", {"oauth_token": "zxcv"}).json
    token = {"key": "hjkl", "secret": "vbnm", "screen_name": "foo"}
    assert user == {
        "screen_name": "foo",
        "name": "Foo",
        "username": "foo",
        "access_token": token,
    }
    once = browser.get("/login?once=1")
    assert once.location == "https://api.twitter.com/oauth/authenticate?oauth_token=zxcv"


def test_requests(browser: Browser) -> None:
    assert browser.get("/show/foo").json["user"]["name"] == "Foo"
    assert browser.get("/show/error").json == {"failed": 500}
    assert browser.get("/old").json["answer"]["name"] == "Foo"
    request = browser.sent[-1]
    assert urlsplit(request.url).netloc == "search.example"
    assert (request.method, request.body) == ("POST", b"status=%C3%BC+%26")
    assert browser.get("/open").json == {"answer": {}}


def test_settings_are_required() -> None:
    answer = Browser([("/login", Login)], twitter).get("/login")
    assert "twitter_consumer_key" in answer.json["crash"]
