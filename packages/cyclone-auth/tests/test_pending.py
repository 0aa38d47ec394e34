"""The cookies of logins under way."""

from typing import Any

import pytest
from auth_support import SECRET, Browser, Page

from cyclone.auth._pending import LIFETIME, MAX_PENDING, keep, spend
from cyclone.auth._transaction import begin

PLAIN, SECURE = "http://app.example/back", "https://app.example/back"


class Begin(Page):
    def get(self) -> None:
        uri = self.get_argument("uri", PLAIN)
        transaction = begin(self.get_argument("provider", "p"), uri, nonce=True)
        keep(self, transaction)
        self.write({"state": transaction.state, "verifier": transaction.verifier})


class Back(Page):
    def get(self) -> None:
        state = self.get_argument("state", None)
        transaction = spend(self, state, "p", self.get_argument("uri", PLAIN))
        self.write({"verifier": transaction.verifier})


@pytest.fixture
def browser() -> Browser:
    return Browser([("/begin", Begin), ("/back", Back)], cookie_secret=SECRET)


def test_once(browser: Browser) -> None:
    begun = browser.get("/begin")
    (cookie,) = browser.set_cookies
    assert cookie.startswith("cyclone_login_")
    for attribute in ("HttpOnly", "SameSite=Lax", "Path=/", f"Max-Age={LIFETIME}"):
        assert attribute in cookie
    assert "Secure" not in cookie
    kept = browser.sends()
    state = begun.json["state"]
    back = browser.get("/back", {"state": state})
    assert back.json["verifier"] == begun.json["verifier"]
    assert not browser.cookies
    assert browser.get("/back", {"state": state}).error[0] == 400
    again = browser.fetch("GET", f"/back?state={state}", cookies=kept)
    assert again.error == (400, "this login was already completed")


def test_secure_name_over_https(browser: Browser) -> None:
    begun = browser.get("/begin", {"uri": SECURE})
    (cookie,) = browser.set_cookies
    assert cookie.startswith("__Host-cyclone_login_")
    assert "Secure" in cookie
    state = begun.json["state"]
    # A cookie without the prefix may come from another host of the domain.
    tossed = {name.removeprefix("__Host-"): value for name, value in browser.sends().items()}
    answer = browser.fetch("GET", f"/back?state={state}&uri={SECURE}", cookies=tossed)
    assert answer.error[0] == 400
    assert browser.get("/back", {"state": state, "uri": SECURE}).status == 200


@pytest.mark.parametrize(
    ("query", "text"),
    [
        pytest.param({}, "no usable state", id="AU-01-none"),
        pytest.param({"state": ""}, "no usable state", id="AU-01-empty"),
        pytest.param({"state": "x"}, "begun in this browser", id="AU-01-wrong"),
        pytest.param({"state": "é\N{SNOWMAN}"}, "begun in this browser", id="AU-01-not-ascii"),
        pytest.param({"state": "x" * 5000}, "no usable state", id="AU-01-endless"),
    ],
)
def test_wrong_states(browser: Browser, query: dict[str, str], text: str) -> None:
    browser.get("/begin")
    status, message = browser.get("/back", query).error
    assert (status, text in message) == (400, True)


def test_another_provider_or_address(browser: Browser) -> None:
    begun = browser.get("/begin", {"provider": "q"}).json["state"]
    assert browser.get("/back", {"state": begun}).error == (
        400,
        "the login was begun with another provider",
    )
    begun = browser.get("/begin").json["state"]
    answer = browser.get("/back", {"state": begun, "uri": "http://app.example/other"})
    assert "redirect_uri" in answer.error[1]


def other_signature(value: str) -> str:
    bare = value.strip('"')
    return bare[:-1] + ("1" if bare.endswith("0") else "0")


@pytest.mark.parametrize("change", [other_signature, lambda v: "", lambda v: v[2:]])
def test_forged_cookie(browser: Browser, change: Any) -> None:
    """AU-01: only who has the secret can make one."""
    state = browser.get("/begin").json["state"]
    forged = {name: change(value) for name, value in browser.sends().items()}
    assert browser.fetch("GET", f"/back?state={state}", cookies=forged).error[0] == 400


def test_a_cookie_of_another_login(browser: Browser) -> None:
    """A signed value that is moved under the name of another login is not taken."""
    first = browser.get("/begin").json["state"]
    name = next(iter(browser.cookies))
    browser.cookies.clear()
    browser.get("/begin")
    moved = {name: next(iter(browser.sends().values()))}
    assert browser.fetch("GET", f"/back?state={first}", cookies=moved).error[0] == 400


def test_many_tabs_are_bounded(browser: Browser) -> None:
    states = [browser.get("/begin").json["state"] for _ in range(MAX_PENDING + 7)]
    assert len(browser.cookies) == MAX_PENDING
    assert browser.get("/back", {"state": states[-1]}).status == 200
    assert browser.get("/back", {"state": states[0]}).error[0] == 400


def test_odd_cookies_of_the_client(browser: Browser) -> None:
    odd = {f"cyclone_login_({number})": "x" for number in range(20)}
    assert browser.fetch("GET", "/begin", cookies=odd).status == 200
    assert len(browser.set_cookies) == 1


def test_needs_a_cookie_secret() -> None:
    answer = Browser([("/begin", Begin)]).get("/begin")
    assert answer.status == 500
    assert "cookie_secret" in answer.json["crash"]
