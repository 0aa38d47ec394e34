"""The Facebook Connect of 2009."""

import hashlib
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from auth_support import Browser, Page

from cyclone.auth import FacebookMixin
from cyclone.httpclient import SentRequest, StubResponse
from cyclone.web import asynchronous

SESSION = {"session_key": "sk", "uid": 5, "expires": 0}


class Login(Page, FacebookMixin):
    @asynchronous
    def get(self) -> Any:
        if self.get_argument("session", None):
            return self.get_authenticated_user().addCallback(self.finish)
        if self.get_argument("more", None):
            self.authorize_redirect(["read", "write"], "/login", "/cancelled")
        else:
            self.authenticate_redirect()
        return None


class OldLogin(Page, FacebookMixin):
    @asynchronous
    def get(self) -> None:
        self.get_authenticated_user(self.async_callback(self.on_login))

    def on_login(self, user: Any) -> None:
        self.finish({"user": user})


class Stream(Page, FacebookMixin):
    @asynchronous
    def get(self) -> None:
        self.facebook_request(method="stream.get", callback=self.on_stream, session_key="sk")

    def on_stream(self, stream: Any) -> None:
        self.finish({"stream": stream})


def signed(values: dict[str, Any], secret: str = "fb-secret") -> str:
    text = "".join(f"{name}={values[name]}" for name in sorted(values))
    return hashlib.md5((text + secret).encode()).hexdigest()


def facebook(request: SentRequest) -> StubResponse:
    query = {name: one[0] for name, one in parse_qs(urlsplit(request.url).query).items()}
    assert query.pop("sig") == signed(query)
    if query["method"] == "facebook.stream.get":
        return StubResponse(200, b'{"error_code": 102, "error_msg": "<expired>"}')
    assert query["method"] == "facebook.users.getInfo"
    return StubResponse(200, json.dumps([{"uid": 5, "name": "Ada", "username": "ada"}]).encode())


@pytest.fixture
def browser() -> Browser:
    routes = [("/login", Login), ("/old", OldLogin), ("/stream", Stream)]
    return Browser(routes, facebook, facebook_api_key="key", facebook_secret="fb-secret")


def test_redirects(browser: Browser) -> None:
    away = browser.get("/login?a=b")
    assert away.location.startswith("https://www.facebook.com/login.php?")
    assert (away.query["next"], away.query["api_key"]) == ("http://app.example/login?a=b", "key")
    more = browser.get("/login?more=1").query
    assert more["req_perms"] == "read,write"
    assert more["cancel_url"] == "http://app.example/cancelled"


def test_login(browser: Browser) -> None:
    session = json.dumps({**SESSION, "sig": signed(SESSION)})
    user = browser.get("/login", {"session": session}).json
    assert (user["name"], user["username"], user["session_key"]) == ("Ada", "ada", "sk")
    assert browser.get("/old", {"session": session}).json["user"]["uid"] == 5


@pytest.mark.parametrize(
    "session",
    [
        json.dumps(SESSION),
        json.dumps({**SESSION, "uid": 6, "sig": signed(SESSION)}),
        json.dumps({**SESSION, "sig": signed(SESSION, "other")}),
        json.dumps({"sig": signed({})}),
        "not json",
        "[]",
        "[" * 50_000,
    ],
)
def test_forged_sessions(browser: Browser, session: str) -> None:
    assert browser.fetch("GET", "/old").json == {"user": None}
    answer = browser.get("/login", {"session": session}) if len(session) < 5000 else None
    if answer is not None:
        assert answer.error == (400, "the session is not signed by the service")
        assert not browser.sent


def test_somebody_else(browser: Browser) -> None:
    """The API has to tell about the user of the session."""
    other = {**SESSION, "uid": 6}
    session = json.dumps({**other, "sig": signed(other)})
    assert browser.get("/login", {"session": session}).error[0] == 502


def test_error_of_the_service(browser: Browser) -> None:
    assert browser.get("/stream").json == {"stream": None}
