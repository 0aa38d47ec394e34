"""GitHub's OAuth 2.0."""

import json
from typing import Any

import pytest
from auth_support import SECRET, Browser, Page

from cyclone.auth import GitHubMixin
from cyclone.httpclient import SentRequest, StubResponse

BACK = "https://app.example/login"


class Login(Page, GitHubMixin):
    async def get(self) -> None:
        if self.get_argument("code", None):
            self.write(await self.get_authenticated_user(BACK, self.get_argument("code")))
        else:
            self.authorize_redirect(BACK, "key", scope="user:email")


class Star(Page, GitHubMixin):
    async def get(self) -> None:
        done = await self.github_request("/gists", "t", {"public": True}, page=2)
        self.write({"done": done})


def visit(token: Any, user: Any) -> Browser:
    def github(request: SentRequest) -> StubResponse:
        answer = token if request.url.startswith("https://github.com/") else user
        return StubResponse(200, json.dumps(answer).encode())

    settings = {"github_oauth": {"key": "key", "secret": "hub-secret"}, "cookie_secret": SECRET}
    return Browser([("/login", Login), ("/star", Star)], github, **settings)


def test_login() -> None:
    browser = visit({"access_token": "t", "scope": "user"}, {"login": "ada", "id": 5})
    away = browser.get("/login")
    assert away.location.startswith("https://github.com/login/oauth/authorize?")
    user = browser.get("/login", {"code": "c", "state": away.query["state"]}).json
    assert user == {"login": "ada", "id": 5, "access_token": "t", "scope": "user"}
    token, me = browser.sent
    assert token.headers["Accept"] == "application/json"
    assert (me.url, me.headers["Authorization"]) == ("https://api.github.com/user", "Bearer t")


@pytest.mark.parametrize(
    ("token", "user", "text"),
    [
        pytest.param({"error": "bad_verification_code"}, {}, "bad_verification_code", id="error"),
        pytest.param({"access_token": "t"}, {"login": "x"}, "who the user is", id="no-id"),
        pytest.param({"access_token": "t"}, [], "who the user is", id="list"),
        pytest.param([], {}, "JSON object", id="token-list"),
    ],
)
def test_failures(token: Any, user: Any, text: str) -> None:
    browser = visit(token, user)
    state = browser.get("/login").query["state"]
    status, message = browser.get("/login", {"code": "c", "state": state}).error
    assert (status, text in message) == (502, True)


def test_request() -> None:
    browser = visit({}, {"ok": True})
    assert browser.get("/star").json == {"done": {"ok": True}}
    (request,) = browser.sent
    assert request.url == "https://api.github.com/gists?page=2"
    assert (request.method, json.loads(request.body)) == ("POST", {"public": True})
