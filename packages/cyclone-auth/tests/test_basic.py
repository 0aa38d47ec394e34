"""HTTP Basic."""

from base64 import b64encode
from typing import Any

import pytest
from auth_support import Browser, Page
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import succeed

from cyclone.auth import BasicAuthMixin, basic_auth, fixed_credentials
from cyclone.auth._basic import MAX_HEADER, parse_basic
from cyclone.web import asynchronous


def basic(text: str | bytes, scheme: str = "Basic") -> str:
    data = text.encode() if isinstance(text, str) else text
    return f"{scheme} {b64encode(data).decode()}"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param(basic("ada:secret"), ("ada", "secret"), id="plain"),
        pytest.param(basic("ada:a:b:c"), ("ada", "a:b:c"), id="AU-11-colon-in-password"),
        pytest.param(basic("ada:x", "bAsIc"), ("ada", "x"), id="AU-11-case"),
        pytest.param(basic("é:ü"), ("é", "ü"), id="utf-8"),
        pytest.param(basic(":"), ("", ""), id="empty"),
        pytest.param(basic("ada"), None, id="AU-11-no-colon"),
        pytest.param(basic(b"\xff:x"), None, id="AU-11-not-utf-8"),
        pytest.param("Basic !!!", None, id="AU-11-not-base64"),
        pytest.param("Basic YWRhOng", None, id="AU-11-no-padding"),
        pytest.param("Basic", None, id="no-credentials"),
        pytest.param("", None, id="none"),
        pytest.param(basic("ada:x", "Bearer"), None, id="other-scheme"),
        pytest.param(basic("ada:x") + " extra", None, id="more"),
        pytest.param(basic("ad\0a:x"), None, id="control"),
        pytest.param(basic("a:" + "x" * MAX_HEADER), None, id="endless"),
    ],
)
def test_parse(header: str, expected: Any) -> None:
    assert parse_basic(header) == expected


@given(st.text())
def test_any_header(header: str) -> None:
    assert parse_basic(header) is None or header.lower().startswith("basic ")


def test_fixed_credentials() -> None:
    check = fixed_credentials({"ada": "secret", "grace": ""})
    assert check("ada", "secret")
    assert check("grace", "")
    for pair in (("ada", "Secret"), ("ada", ""), ("eve", "secret"), ("eve", "\0"), ("", "")):
        assert not check(*pair)


class Prepared(Page, BasicAuthMixin):
    async def prepare(self) -> None:
        async def check(name: str, password: str) -> bool:
            return await succeed((name, password) == ("ada", "secret"))

        self.current_user = await self.get_authenticated_user(check, 'The "inner" realm')

    def get(self) -> None:
        self.write({"user": self.current_user})


class Decorated(Page, BasicAuthMixin):
    @basic_auth("Staging", fixed_credentials({"ada": "secret"}))
    def get(self, part: str) -> None:
        self.write({"user": self.current_user, "part": part})

    @basic_auth("Staging", fixed_credentials({"ada": "secret"}))
    async def post(self, part: str) -> None:
        self.write({"part": await succeed(part)})

    @basic_auth("Staging", fixed_credentials({"ada": "secret"}))
    @asynchronous
    def delete(self, part: str) -> None:
        self.finish({"later": True})


@pytest.fixture
def browser() -> Browser:
    return Browser([("/prepared", Prepared), ("/decorated/(.*)", Decorated)])


@pytest.mark.parametrize("path", ["/prepared", "/decorated/x"])
def test_asks(browser: Browser, path: str) -> None:
    for header in ("", basic("ada:wrong"), basic("eve:secret"), "Basic x"):
        answer = browser.get(path, headers={"Authorization": header} if header else {})
        assert (answer.status, answer.json) == (401, {"http_error": 401})
        assert answer.headers["WWW-Authenticate"].startswith('Basic realm="')
    good = browser.get(path, headers={"Authorization": basic("ada:secret")})
    assert good.json["user"] == "ada"


def test_challenge(browser: Browser) -> None:
    challenge = browser.get("/prepared").headers["WWW-Authenticate"]
    assert challenge == 'Basic realm="The \\"inner\\" realm", charset="UTF-8"'


def test_decorated_methods(browser: Browser) -> None:
    good = {"Authorization": basic("ada:secret")}
    assert browser.get("/decorated/a", headers=good).json == {"user": "ada", "part": "a"}
    assert browser.fetch("POST", "/decorated/b", headers=good).json == {"part": "b"}
    assert browser.fetch("DELETE", "/decorated/c", headers=good).json == {"later": True}
