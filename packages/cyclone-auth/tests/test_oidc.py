"""OpenID Connect logins, with a provider in memory."""

import base64
import json
import logging
import time
from typing import Any
from urllib.parse import parse_qs

import pytest
from auth_keys import jwk, sign
from auth_support import SECRET, Browser, Page

from cyclone.auth import OpenIDConnectMixin, OpenIDSettings
from cyclone.auth._transaction import s256
from cyclone.httpclient import SentRequest, StubResponse

ISSUER = "https://op.example"
BACK = "https://app.example/login"
SETTINGS: dict[str, Any] = {
    "issuer": ISSUER,
    "client_id": "a client",
    "client_secret": "the:secret&",
    "redirect_uri": BACK,
    "post_logout_redirect_uri": "https://app.example/bye",
}


class Login(Page, OpenIDConnectMixin):
    async def get(self) -> None:
        if self.get_argument("code", None) or self.get_argument("error", None):
            self.write(await self.get_authenticated_user())
        else:
            await self.authorize_redirect({"prompt": "login"})


class Other(Page, OpenIDConnectMixin):
    async def get(self, what: str) -> None:
        if what == "refresh":
            self.write(await self.openid_refresh(self.get_argument("t"), "ada"))
        elif what == "userinfo":
            self.write(await self.openid_userinfo("at", self.get_argument("sub")))
        else:
            await self.end_session_redirect("the.id.token", state="s")


class Provider:
    """What it does can be changed from test to test."""

    def __init__(self) -> None:
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": ISSUER + "/auth",
            "token_endpoint": ISSUER + "/token",
            "jwks_uri": ISSUER + "/jwks",
            "userinfo_endpoint": ISSUER + "/me",
            "end_session_endpoint": ISSUER + "/end?x=y",
            "id_token_signing_alg_values_supported": ["RS256", "HS256"],
        }
        self.claims: dict[str, Any] = {}
        self.userinfo: Any = {"sub": "ada", "email": "ada@example.com", "iss": "overwritten"}
        self.tokens: dict[str, Any] = {"access_token": "at", "refresh_token": "rt"}
        self.alg = "RS256"

    def id_token(self) -> str:
        now = time.time()
        values = {"iss": ISSUER, "aud": "a client", "sub": "ada", "exp": now + 60, "iat": now}
        return sign({**values, **self.claims}, alg=self.alg)

    def __call__(self, request: SentRequest) -> StubResponse:
        answers: dict[str, Any] = {
            "/.well-known/openid-configuration": self.metadata,
            "/jwks": {"keys": [jwk("rsa1")]},
            "/me": self.userinfo,
        }
        if request.path == "/token":
            answer: Any = {"id_token": self.id_token(), **self.tokens}
        else:
            answer = answers[request.path]
        return StubResponse(200, json.dumps(answer).encode())


@pytest.fixture
def provider() -> Provider:
    return Provider()


def browse(provider: Provider, **changes: Any) -> Browser:
    routes: Any = [("/login", Login), ("/(refresh|userinfo|logout)", Other)]
    settings = {**SETTINGS, **changes}
    return Browser(routes, provider, openid_connect=settings, cookie_secret=SECRET)


@pytest.fixture
def browser(provider: Provider) -> Browser:
    return browse(provider)


def log_in(browser: Browser, provider: Provider, **more: str) -> Any:
    query = browser.get("/login").query
    provider.claims.setdefault("nonce", query["nonce"])
    return browser.get("/login", {"code": "c", "state": query["state"], **more})


def test_login(browser: Browser, provider: Provider) -> None:
    away = browser.get("/login")
    query = away.query
    assert away.location.startswith(ISSUER + "/auth?")
    assert (
        query.items()
        >= {
            "client_id": "a client",
            "redirect_uri": BACK,
            "response_type": "code",
            "scope": "openid profile email",
            "prompt": "login",
            "code_challenge_method": "S256",
        }.items()
    )
    (cookie,) = browser.set_cookies
    assert cookie.startswith("__Host-")
    provider.claims = {"nonce": query["nonce"]}
    user = browser.get("/login", {"code": "c", "state": query["state"]}).json
    assert (user["sub"], user["email"], user["iss"]) == ("ada", "ada@example.com", ISSUER)
    assert (user["access_token"], user["refresh_token"]) == ("at", "rt")
    assert user["id_token"].count(".") == 2
    paths = [request.path for request in browser.sent]
    assert paths == ["/.well-known/openid-configuration", "/token", "/jwks", "/me"]
    token, userinfo = browser.sent[1], browser.sent[3]
    expected = base64.b64encode(b"a+client:the%3Asecret%26").decode()
    assert token.headers["Authorization"] == "Basic " + expected
    form = {name: one[0] for name, one in parse_qs(token.body.decode()).items()}
    assert s256(form.pop("code_verifier")) == query["code_challenge"]
    assert form == {"grant_type": "authorization_code", "code": "c", "redirect_uri": BACK}
    assert userinfo.headers["Authorization"] == "Bearer at"


@pytest.mark.parametrize(
    ("methods", "secret", "expected"),
    [
        (["client_secret_post"], "s", {"client_id": ["a client"], "client_secret": ["s"]}),
        (["none"], None, {"client_id": ["a client"]}),
    ],
)
def test_client_authentication(
    provider: Provider, methods: list[str], secret: str | None, expected: Any
) -> None:
    provider.metadata["token_endpoint_auth_methods_supported"] = methods
    browser = browse(provider, client_secret=secret)
    assert log_in(browser, provider).status == 200
    form = parse_qs(browser.sent[1].body.decode())
    assert form.items() >= expected.items()
    assert "Authorization" not in browser.sent[1].headers


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        pytest.param({"nonce": "replayed"}, "(nonce)", id="AU-02-nonce"),
        pytest.param({"aud": "somebody else"}, "(aud)", id="AU-02-aud"),
        pytest.param({"exp": 1}, "(exp)", id="AU-02-exp"),
        pytest.param({"at_hash": "x"}, "(at_hash)", id="AU-02-at-hash"),
    ],
)
def test_tokens_refused(
    browser: Browser, provider: Provider, claims: dict[str, Any], text: str
) -> None:
    provider.claims = claims
    answer = log_in(browser, provider)
    assert answer.json["type"] == "IDTokenError"
    assert (answer.error[0], text in answer.error[1]) == (400, True)


def test_algorithms(provider: Provider) -> None:
    """AU-03: what is both configured and announced."""
    assert log_in(browse(provider, algorithms=["ES256"]), provider).error[0] == 400
    assert log_in(browse(provider, algorithms=["HS256"]), provider).error[0] == 400
    provider.alg = "PS256"
    assert "PS256" in log_in(browse(provider), provider).error[1]
    del provider.metadata["id_token_signing_alg_values_supported"]
    provider.claims = {}
    assert log_in(browse(provider), provider).status == 200


@pytest.mark.parametrize("tokens", [{"id_token": None}, {"id_token": "x" * 20_000}])
def test_no_id_token(browser: Browser, provider: Provider, tokens: Any) -> None:
    provider.tokens.update(tokens)
    assert log_in(browser, provider).error[0] in (400, 502)


@pytest.mark.parametrize("userinfo", [{"sub": "eve"}, {}, {"sub": 5}])
def test_userinfo_of_somebody_else(browser: Browser, provider: Provider, userinfo: Any) -> None:
    provider.userinfo = userinfo
    assert log_in(browser, provider).error == (
        400,
        "the provider answered about another user (sub)",
    )


def test_issuer_of_the_answer(provider: Provider) -> None:
    """AU-08: required of a provider that promises it."""
    browser = browse(provider)
    assert log_in(browser, provider, iss="https://evil.example").error[0] == 400
    provider.claims.clear()
    assert log_in(browser, provider, iss=ISSUER).status == 200
    provider.metadata["authorization_response_iss_parameter_supported"] = True
    assert log_in(browse(provider), provider).error == (
        400,
        "the answer came from another issuer",
    )


def test_forged_state(browser: Browser) -> None:
    """AU-01."""
    browser.get("/login")
    asked = len(browser.sent)
    assert browser.get("/login", {"code": "c", "state": "x"}).error[0] == 400
    assert browser.get("/login", {"error": "denied"}).error[0] == 400
    assert len(browser.sent) == asked


def test_refresh(browser: Browser, provider: Provider) -> None:
    provider.tokens["refresh_token"] = None
    user = browser.get("/refresh", {"t": "old"}).json
    assert (user["sub"], user["access_token"], user["refresh_token"]) == ("ada", "at", "old")
    provider.tokens["refresh_token"] = "next"
    assert browser.get("/refresh", {"t": "old"}).json["refresh_token"] == "next"
    provider.claims = {"sub": "eve"}
    assert browser.get("/refresh", {"t": "old"}).error[0] == 400
    provider.tokens["id_token"] = None
    assert "sub" not in browser.get("/refresh", {"t": "old"}).json
    assert browser.get("/refresh", {"t": ""}).error[0] == 400


def test_userinfo(browser: Browser, provider: Provider) -> None:
    assert browser.get("/userinfo", {"sub": "ada"}).json["email"] == "ada@example.com"
    assert browser.get("/userinfo", {"sub": "eve"}).error[0] == 400
    del provider.metadata["userinfo_endpoint"]
    assert browse(provider).get("/userinfo", {"sub": "ada"}).error[0] == 502


def test_end_session(browser: Browser, provider: Provider) -> None:
    away = browser.get("/logout")
    assert away.location.startswith(ISSUER + "/end?x=y&")
    assert away.query == {
        "x": "y",
        "client_id": "a client",
        "id_token_hint": "the.id.token",
        "post_logout_redirect_uri": "https://app.example/bye",
        "state": "s",
    }
    del provider.metadata["end_session_endpoint"]
    assert browse(provider).get("/logout").location == "https://app.example/bye"


def test_max_age(provider: Provider) -> None:
    browser = browse(provider, max_age=100)
    assert browser.get("/login").query["max_age"] == "100"
    provider.claims = {"auth_time": time.time() - 1000}
    assert "auth_time" in log_in(browser, provider).error[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"redirect_uri": "http://app.example/login"},
        {"redirect_uri": "/login"},
        {"scope": "openid profile"},
        {"scope": ["profile"]},
        {"unknown": 1},
        {"issuer": "http://op.example"},
    ],
)
def test_settings_are_checked(provider: Provider, changes: dict[str, Any]) -> None:
    assert browse(provider, **changes).get("/login").status == 500


def test_no_secrets(browser: Browser, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    assert "the:secret" not in repr(OpenIDSettings(**SETTINGS))
    with caplog.at_level(logging.DEBUG):
        user = log_in(browser, provider).json
        browser.get("/login", {"code": "c", "state": "x"})
    for secret in ("the:secret", "the%3Asecret", user["id_token"], "Bearer"):
        assert secret not in caplog.text
