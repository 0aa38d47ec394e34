"""Google's OAuth 2.0, with the habits of Tornado's users."""

import json
from urllib.parse import parse_qs

from auth_support import SECRET, Browser, Page

from cyclone.auth import GoogleOAuth2Mixin
from cyclone.httpclient import SentRequest, StubResponse

BACK = "https://app.example/login"


class Login(Page, GoogleOAuth2Mixin):
    async def get(self) -> None:
        if self.get_argument("code", None):
            access = await self.get_authenticated_user(
                redirect_uri=BACK, code=self.get_argument("code")
            )
            user = await self.oauth2_request(
                self._OAUTH_USERINFO_URL, access_token=str(access["access_token"])
            )
            self.write({"user": user})
        else:
            self.authorize_redirect(
                redirect_uri=BACK,
                client_id=self.get_google_oauth_settings()["key"],
                scope=["profile", "email"],
                response_type="code",
                extra_params={"approval_prompt": "auto"},
            )


def google(request: SentRequest) -> StubResponse:
    if request.method == "POST":
        return StubResponse(200, b'{"access_token": "t", "id_token": "a.b.c"}')
    return StubResponse(200, json.dumps({"id": "7", "name": "Ada"}).encode())


def test_login() -> None:
    settings = {"key": "google-key", "secret": "google-secret"}
    browser = Browser([("/login", Login)], google, google_oauth=settings, cookie_secret=SECRET)
    away = browser.get("/login")
    assert away.location.startswith("https://accounts.google.com/o/oauth2/v2/auth?")
    assert away.query["scope"] == "profile email"
    back = browser.get("/login", {"code": "c", "state": away.query["state"]})
    assert back.json == {"user": {"id": "7", "name": "Ada"}}
    token, userinfo = browser.sent
    assert token.url == "https://www.googleapis.com/oauth2/v4/token"
    form = parse_qs(token.body.decode())
    assert (form["client_id"], form["client_secret"]) == (["google-key"], ["google-secret"])
    assert userinfo.url.endswith("/oauth2/v1/userinfo?access_token=t")


def test_setting_is_required() -> None:
    answer = Browser([("/login", Login)]).get("/login")
    assert "google_oauth" in answer.json["crash"]
