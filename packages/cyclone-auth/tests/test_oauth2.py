"""OAuth 2.0: the code grant with state and PKCE."""

import logging
from typing import Any
from urllib.parse import parse_qs

import pytest
from auth_support import SECRET, Browser, Page

from cyclone.auth import AuthError, OAuth2Mixin, ProviderError
from cyclone.auth._http import MAX_TOKEN
from cyclone.auth._transaction import s256
from cyclone.httpclient import HTTPClientError, SentRequest, StubResponse

BACK = "http://app.example/login"


class Login(Page, OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = "https://provider.example/authorize?tenant=1"
    _OAUTH_ACCESS_TOKEN_URL = "https://provider.example/token"

    async def get(self) -> None:
        code = self.get_argument("code", None)
        if code is None:
            self.authorize_redirect(BACK, "client", scope=["a", "b"], extra_params={"x": "y z"})
            return
        tokens = await self.oauth2_token(BACK, code, "client", "the-client-secret")
        self.write(tokens)


class Issuer(Login):
    _OAUTH_ISSUER = "https://provider.example"


class NoPKCE(Login):
    _OAUTH_USE_PKCE = False


class AlwaysState(Login):
    _OAUTH_USE_STATE = True


class API(Page, OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = Login._OAUTH_AUTHORIZE_URL
    _OAUTH_ACCESS_TOKEN_URL = Login._OAUTH_ACCESS_TOKEN_URL

    async def get(self, what: str) -> None:
        if what == "refresh":
            self.write(await self.oauth2_refresh("r-token", "client", "secret", ["a"]))
        elif what == "get":
            url = "https://api.example/me"
            self.write({"got": await self.oauth2_request(url, "the-token", fields="a b")})
        elif what == "post":
            url = "https://api.example/me"
            self.write({"got": await self.oauth2_request(url, "t", {"message": "ü"})})
        elif what == "caught":
            try:
                await self.oauth2_request("https://api.example/fail")
            except HTTPClientError as error:
                self.write({"code": error.code, "both": isinstance(error, AuthError)})
        else:
            self.authorize_redirect(client_secret="x")


def provider(request: SentRequest) -> StubResponse:
    if request.path == "/fail":
        return StubResponse(503, b"busy")
    if request.path == "/me":
        return StubResponse(200, b'{"id": 1}')
    form = parse_qs(request.body.decode())
    if form.get("code") == ["spent"]:
        return StubResponse(400, b'{"error": "invalid_grant"}')
    return StubResponse(200, b'{"access_token": "a-token", "expires_in": "never-expires"}')


def browse(handler: type[Page] = Login, **settings: Any) -> Browser:
    return Browser([("/login", handler), ("/api/(.*)", API)], provider, **settings)


def test_login() -> None:
    browser = browse(cookie_secret=SECRET)
    away = browser.get("/login")
    assert away.status == 302
    assert away.location.startswith("https://provider.example/authorize?tenant=1&")
    assert away.headers["Cache-Control"] == "no-store"
    query = away.query
    assert (
        query.items()
        >= {
            "response_type": "code",
            "client_id": "client",
            "redirect_uri": BACK,
            "scope": "a b",
            "x": "y z",
            "code_challenge_method": "S256",
        }.items()
    )
    back = browser.get("/login", {"code": "c", "state": query["state"]})
    assert back.json["access_token"] == "a-token"
    (request,) = browser.sent
    form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
    assert s256(form.pop("code_verifier")) == query["code_challenge"]
    assert form == {
        "grant_type": "authorization_code",
        "code": "c",
        "client_id": "client",
        "client_secret": "the-client-secret",
        "redirect_uri": BACK,
    }
    assert request.headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"code": "c"}, id="AU-01-no-state"),
        pytest.param({"code": "c", "state": "forged"}, id="AU-01-forged"),
        pytest.param([("code", "c"), ("state", "a"), ("state", "b")], id="AU-01-two"),
    ],
)
def test_nothing_is_asked_for_with_a_wrong_state(query: Any) -> None:
    browser = browse(cookie_secret=SECRET)
    browser.get("/login")
    assert browser.get("/login", query).error[0] == 400
    assert not browser.sent


@pytest.mark.parametrize("name", ["code", "state", "iss", "error"])
def test_parameters_given_twice(name: str) -> None:
    browser = browse(cookie_secret=SECRET)
    state = browser.get("/login").query["state"]
    query = [("code", "c"), ("state", state), (name, "x"), (name, state)]
    assert browser.get("/login", query).error == (400, f"the answer has more than one {name}")


def test_state_of_another_browser() -> None:
    browser = browse(cookie_secret=SECRET)
    state = browser.get("/login").query["state"]
    answer = browser.fetch("GET", f"/login?code=c&state={state}", cookies={})
    assert answer.error[0] == 400
    assert not browser.sent


def test_replayed() -> None:
    browser = browse(cookie_secret=SECRET)
    state = browser.get("/login").query["state"]
    kept = browser.sends()
    assert browser.get("/login", {"code": "spent", "state": state}).error == (
        502,
        "the provider answered 400: invalid_grant",
    )
    again = browser.fetch("GET", f"/login?code=c&state={state}", cookies=kept)
    assert again.error[0] == 400
    assert len(browser.sent) == 1


@pytest.mark.parametrize("code", ["", " ", "x" * (MAX_TOKEN + 1)])
def test_codes_of_no_use(code: str) -> None:
    browser = browse(cookie_secret=SECRET, max_request_line=32768)
    state = browser.get("/login").query["state"]
    answer = browser.get("/login", {"code": code, "state": state})
    assert answer.error == (400, "the authorization code cannot be used")
    assert not browser.sent


def test_refusal_of_the_provider() -> None:
    """It ends the login; sending the browser away again would go in circles."""
    browser = browse(cookie_secret=SECRET)
    state = browser.get("/login").query["state"]
    refusal = {"error": "access_denied", "error_description": "<b>\r\nno", "state": state}
    assert browser.get("/login", refusal).error == (
        403,
        "the provider refused the login: access_denied: &lt;b&gt;\\x0d\\x0ano",
    )
    assert browser.get("/login", {"error": "x"}).status == 302


@pytest.mark.parametrize(
    ("iss", "status"), [(None, 200), ("https://provider.example", 200), ("https://evil", 400)]
)
def test_issuer(iss: str | None, status: int) -> None:
    """AU-08: RFC 9207."""
    browser = browse(Issuer, cookie_secret=SECRET)
    query = {"code": "c", "state": browser.get("/login").query["state"]}
    assert browser.get("/login", query | ({"iss": iss} if iss else {})).status == status


def test_without_pkce() -> None:
    browser = browse(NoPKCE, cookie_secret=SECRET)
    query = browser.get("/login").query
    assert "code_challenge" not in query
    assert browser.get("/login", {"code": "c", "state": query["state"]}).status == 200
    assert b"code_verifier" not in browser.sent[0].body


def test_without_cookie_secret(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in Tornado, but the log says what is missing, once."""
    monkeypatch.setattr(OAuth2Mixin, "_warned", False)
    browser = browse()
    with caplog.at_level(logging.WARNING, "cyclone.general"):
        assert "state" not in browser.get("/login").query
        assert browser.get("/login", {"code": "c"}).status == 200
    warnings = [one for one in caplog.records if "cookie_secret" in one.getMessage()]
    assert len(warnings) == 1
    required = browse(AlwaysState).get("/login")
    assert required.status == 500
    assert "cookie_secret" in required.json["crash"]


def test_refresh_and_requests() -> None:
    browser = browse()
    assert browser.get("/api/refresh").json["access_token"] == "a-token"
    assert parse_qs(browser.sent[0].body.decode()) == {
        "grant_type": ["refresh_token"],
        "refresh_token": ["r-token"],
        "client_id": ["client"],
        "client_secret": ["secret"],
        "scope": ["a"],
    }
    assert browser.get("/api/get").json == {"got": {"id": 1}}
    assert browser.sent[1].url == "https://api.example/me?access_token=the-token&fields=a+b"
    browser.get("/api/post")
    assert (browser.sent[2].method, browser.sent[2].body) == ("POST", b"message=%C3%BC")
    assert browser.get("/api/caught").json == {"code": 503, "both": True}


def test_client_secret_is_not_needed() -> None:
    with pytest.warns(DeprecationWarning, match="client_secret"):
        browse().get("/api/redirect")


def test_no_secrets_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    browser = browse(cookie_secret=SECRET)
    with caplog.at_level(logging.DEBUG):
        for code in ("c", "spent"):
            state = browser.get("/login").query["state"]
            browser.get("/login", {"code": code, "state": state})
    for secret in ("the-client-secret", "a-token", SECRET):
        assert secret not in caplog.text


def test_provider_error_is_exported() -> None:
    assert issubclass(ProviderError, AuthError)
