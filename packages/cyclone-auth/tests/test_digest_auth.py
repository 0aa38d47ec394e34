"""HTTP Digest in handlers."""

import re
from typing import Any

import pytest
from auth_support import SECRET, Browser, Page
from twisted.internet.defer import succeed

from cyclone.auth import HA1, DigestAuthMixin, digest_auth, digest_ha1
from cyclone.auth._digest import DigestAnswer, NonceBook, expected_response
from cyclone.auth._digest_auth import _books

REALM = "Cyclone"


def passwordz(username: str) -> Any:
    """What Cyclone's demo calls it."""
    return {"auth_username": "foo", "auth_password": "bar"} if username == "foo" else None


async def later(username: str) -> str | None:
    return await succeed("bar") if username == "foo" else None


class Demo(Page, DigestAuthMixin):
    @digest_auth(REALM, passwordz)
    def get(self) -> None:
        self.write({"user": self.current_user})


class Stored(Page, DigestAuthMixin):
    digest_algorithm = "MD5"

    async def get(self) -> None:
        ha1 = HA1(digest_ha1("foo", REALM, "bar", "MD5"))
        name = await self.get_authenticated_user(lambda name: ha1, REALM)
        self.write({"user": name})


class Later(Page, DigestAuthMixin):
    async def get(self) -> None:
        self.write({"user": await self.get_authenticated_user(later, REALM)})


ROUTES: Any = [("/demo", Demo), ("/stored", Stored), ("/later", Later)]


@pytest.fixture
def browser() -> Browser:
    return Browser(ROUTES, cookie_secret=SECRET)


def challenge(browser: Browser, path: str, **kwargs: Any) -> dict[str, str]:
    answer = browser.get(path, **kwargs)
    assert answer.status == 401
    header = answer.headers["WWW-Authenticate"]
    assert header.startswith("Digest ")
    return dict(re.findall(r'(\w+)="([^"]*)"', header))


def respond(given: dict[str, str], path: str, **changes: Any) -> dict[str, str]:
    """The header that a browser sends; *changes* are lies and mistakes of it."""
    values = {"username": "foo", "password": "bar", "count": 1, "realm": REALM, "uri": path}
    values |= {"method": "GET", "nonce": given["nonce"], **changes}
    algorithm = given["algorithm"]
    nc = f"{values['count']:08x}"
    text = {name: str(values[name]) for name in ("username", "realm", "nonce", "uri")}
    answer = DigestAnswer(**text, response="", count=1, nc=nc, cnonce="c", algorithm=algorithm)
    ha1 = digest_ha1(text["username"], text["realm"], str(values["password"]), algorithm)
    response = expected_response(answer, str(values["method"]), ha1, algorithm)
    fields = ", ".join(f'{name}="{value}"' for name, value in text.items())
    header = f'Digest {fields}, algorithm={algorithm}, qop=auth, nc={nc}, cnonce="c", '
    return {"Authorization": header + f'response="{response}"'}


@pytest.mark.parametrize(
    ("path", "algorithm"), [("/demo", "SHA-256"), ("/stored", "MD5"), ("/later", "SHA-256")]
)
def test_login(browser: Browser, path: str, algorithm: str) -> None:
    given = challenge(browser, path)
    assert (given["realm"], given["qop"], given["algorithm"]) == (REALM, "auth", algorithm)
    for count in (1, 2, 3):
        answer = browser.get(path, headers=respond(given, path, count=count))
        assert answer.json == {"user": "foo"}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"password": "wrong"}, id="password"),
        pytest.param({"username": "eve"}, id="user"),
        pytest.param({"realm": "other"}, id="realm"),
        pytest.param({"uri": "/other"}, id="uri"),
        pytest.param({"method": "POST"}, id="method"),
        pytest.param({"nonce": "made-up"}, id="nonce"),
    ],
)
def test_refused(browser: Browser, changes: dict[str, Any]) -> None:
    headers = respond(challenge(browser, "/demo"), "/demo", **changes)
    again = challenge(browser, "/demo", headers=headers)
    assert "stale" not in again


def test_another_algorithm(browser: Browser) -> None:
    headers = respond(challenge(browser, "/demo"), "/demo")
    headers["Authorization"] = headers["Authorization"].replace("=SHA-256", "=MD5")
    challenge(browser, "/demo", headers=headers)


def test_replayed(browser: Browser) -> None:
    headers = respond(challenge(browser, "/demo"), "/demo")
    assert browser.get("/demo", headers=headers).status == 200
    assert challenge(browser, "/demo", headers=headers)["stale"] == "true"


def test_stale_nonce(browser: Browser) -> None:
    """The browser is asked to try again with a new nonce, the user is not."""
    given = challenge(browser, "/demo")
    _books[browser.application] = NonceBook(SECRET, seconds=-10)
    wrong = respond(given, "/demo", password="wrong")
    assert "stale" not in challenge(browser, "/demo", headers=wrong)
    assert challenge(browser, "/demo", headers=respond(given, "/demo"))["stale"] == "true"


def test_nonces_of_other_processes(browser: Browser) -> None:
    given = challenge(browser, "/demo")
    same = Browser(ROUTES, cookie_secret=SECRET)
    assert same.get("/demo", headers=respond(given, "/demo")).status == 200
    rotated = Browser(ROUTES, cookie_secret={1: "old", 2: SECRET}, key_version=2)
    assert rotated.get("/demo", headers=respond(given, "/demo")).status == 200
    alone = Browser(ROUTES)
    assert alone.get("/demo", headers=respond(given, "/demo")).status == 401
    own = challenge(alone, "/demo")
    assert alone.get("/demo", headers=respond(own, "/demo")).status == 200
