"""OpenID 2.0 logins."""

import time
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from auth_support import SECRET, Browser, Page

from cyclone.auth import OpenIdMixin
from cyclone.httpclient import SentRequest, StubResponse
from cyclone.web import asynchronous

pytestmark = pytest.mark.filterwarnings("ignore:OpenID 2.0:DeprecationWarning")

ENDPOINT = "https://op.example/openid"
FIELDS = ("op_endpoint", "return_to", "response_nonce", "assoc_handle", "claimed_id", "identity")


class Login(Page, OpenIdMixin):
    _OPENID_ENDPOINT = ENDPOINT

    async def get(self) -> None:
        if self.get_argument("openid.mode", None):
            self.write(await self.get_authenticated_user())
            return
        self.authenticate_redirect(self.get_argument("to", None))

    post = get


class OldLogin(Page, OpenIdMixin):
    _OPENID_ENDPOINT = ENDPOINT

    @asynchronous
    def get(self) -> None:
        self.get_authenticated_user(self.async_callback(self.on_login))

    async def on_login(self, user: Any) -> None:
        self.finish({"user": user})


class OwnClient(Login):
    async def get(self) -> None:
        client = self.settings["http_client"]
        self.write(await self.get_authenticated_user(http_client=client))

    def get_auth_http_client(self) -> Any:
        raise AssertionError("not asked for")


class Provider:
    answer: bytes = b"ns:http://specs.openid.net/auth/2.0\nis_valid:true\n"

    def __call__(self, request: SentRequest) -> StubResponse:
        form = parse_qs(request.body.decode())
        assert (request.method, request.url) == ("POST", ENDPOINT)
        assert form["openid.mode"] == ["check_authentication"]
        return StubResponse(200, self.answer)


@pytest.fixture
def provider() -> Provider:
    return Provider()


@pytest.fixture
def browser(provider: Provider) -> Browser:
    routes: Any = [("/login", Login), ("/old", OldLogin), ("/own", OwnClient)]
    return Browser(routes, provider)


def answer_to(path: str, nonce: str = "n") -> dict[str, str]:
    values = {
        "mode": "id_res",
        "op_endpoint": ENDPOINT,
        "return_to": "http://app.example" + path,
        "response_nonce": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()) + nonce,
        "assoc_handle": "h",
        "claimed_id": "https://op.example/id/ada",
        "identity": "https://op.example/id/ada",
        "signed": ",".join(FIELDS),
    }
    return {"openid." + name: value for name, value in values.items()}


def test_redirect(browser: Browser) -> None:
    away = browser.get("/login?x=1")
    assert away.location.startswith(ENDPOINT + "?")
    assert away.query["openid.return_to"] == "http://app.example/login?x=1"
    assert away.query["openid.ax.required"] == "firstname,fullname,lastname,email,language,username"
    away = browser.get("/login", {"to": "/elsewhere"})
    assert away.query["openid.return_to"] == "http://app.example/elsewhere"


def test_login(browser: Browser) -> None:
    expected = {"claimed_id": "https://op.example/id/ada"}
    assert browser.get("/login", answer_to("/login", "a")).json == expected
    assert browser.fetch("POST", "/login", urlencode(answer_to("/login", "b"))).json == expected
    assert browser.get("/own", answer_to("/own", "c")).json == expected
    assert browser.get("/old", answer_to("/old", "d")).json == {"user": expected}


def test_used_before(browser: Browser) -> None:
    answer = answer_to("/login")
    assert browser.get("/login", answer).status == 200
    assert browser.get("/login", answer).error == (400, "the OpenID answer was used before")


def test_not_valid(browser: Browser, provider: Provider) -> None:
    provider.answer = b"is_valid:false\nnote:is_valid:true\n"
    assert browser.get("/login", answer_to("/login")).error[0] == 400
    assert browser.get("/old", answer_to("/old")).json == {"user": None}
    # A nonce that was not verified is still good for the real answer.
    provider.answer = Provider.answer
    assert browser.get("/login", answer_to("/login")).status == 200


def test_nothing_is_asked_when_it_cannot_be_ours(browser: Browser) -> None:
    assert browser.get("/login", answer_to("/other")).error[0] == 400
    assert browser.get("/login", {"openid.mode": "cancel"}).error[0] == 403
    assert not browser.sent


def test_unsigned_answer_is_the_providers_to_judge(browser: Browser, provider: Provider) -> None:
    """Tornado's own tests send one; a real provider never confirms it."""
    query = {
        "openid.mode": "blah",
        "openid.ns.ax": "http://openid.net/srv/ax/1.0",
        "openid.ax.type.email": "http://axschema.org/contact/email",
        "openid.ax.value.email": "foo@example.com",
    }
    assert browser.get("/login", query).json["email"] == "foo@example.com"
    provider.answer = b"is_valid:false\n"
    assert browser.get("/login", query).error[0] == 400


@pytest.fixture
def bound(provider: Provider) -> Browser:
    routes: Any = [("/login", Login)]
    return Browser(routes, provider, cookie_secret=SECRET)


def bound_answer(return_to: str, nonce: str = "n") -> dict[str, str]:
    query = dict(parse_qsl(urlsplit(return_to).query))
    return {**answer_to("/login", nonce), "openid.return_to": return_to, **query}


def test_bound_to_the_browser(bound: Browser) -> None:
    """AU-01, with a cookie_secret."""
    return_to = bound.get("/login?next=/x").query["openid.return_to"]
    assert return_to.startswith("http://app.example/login?next=%2Fx&cyclone_state=")
    answer = bound_answer(return_to)
    assert bound.fetch("GET", "/login?" + urlencode(answer), cookies={}).error[0] == 400
    assert not bound.sent
    assert bound.get("/login", answer).status == 200
    assert bound.get("/login", bound_answer(return_to, "later")).error[0] == 400
    assert len(bound.sent) == 1


def test_answers_for_other_sites(bound: Browser) -> None:
    """AU-08: whoever runs another site gets real answers, and may send any Host to this one."""
    bound.get("/login")
    answer = {**answer_to("/login"), "openid.return_to": "http://evil.example/login"}
    path = "/login?" + urlencode(answer)
    evil = bound.fetch("GET", path, headers={"Host": "evil.example"})
    assert evil.error == (400, "the answer of the provider carries no usable state")
    spoofed = bound.fetch("GET", "/login", headers={"Host": "evil.example"}).query
    return_to = spoofed["openid.return_to"]
    assert bound.get("/login", bound_answer(return_to)).error[0] == 400
    assert not bound.sent


def test_cookie_for_posted_answers(provider: Provider) -> None:
    """A provider sends long answers as a form, with which no Lax cookie comes."""
    base = "https://www.example.com"
    routes: Any = [("/login", Login)]
    browser = Browser(routes, provider, cookie_secret=SECRET, redirect_base_uri=base)
    return_to = browser.get("/login").query["openid.return_to"]
    assert "SameSite=None" in browser.set_cookies[0]
    assert "Secure" in browser.set_cookies[0]
    answer = bound_answer(return_to)
    state = answer.pop("cyclone_state")
    posted = browser.fetch("POST", f"/login?cyclone_state={state}", urlencode(answer))
    assert posted.status == 200


@pytest.mark.filterwarnings("default")
def test_deprecated(browser: Browser) -> None:
    with pytest.warns(DeprecationWarning, match="OpenIDConnectMixin"):
        browser.get("/login")
