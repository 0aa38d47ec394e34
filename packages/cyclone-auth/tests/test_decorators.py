"""The decorator behind basic_auth and digest_auth."""

from __future__ import annotations

from typing import Any

import pytest
from auth_support import Browser
from twisted.internet.defer import Deferred, fail, succeed

from cyclone.auth._base import AuthMixin
from cyclone.auth._decorators import after_login
from cyclone.web import HTTPError, RequestHandler


class Page(RequestHandler, AuthMixin):
    def get(self, *parts: str) -> Any:
        """Say who came."""
        self.write({"user": self.current_user, "parts": parts})


def user(handler: Page) -> Deferred[str]:
    return succeed("ada")


def page(method: Any, authenticate: Any = user) -> Browser:
    wrapped = after_login(authenticate, method)
    return Browser([("/(.*)", type("Wrapped", (Page,), {"get": wrapped}))])


def test_the_user_is_set_before_the_method_runs() -> None:
    assert page(Page.get).get("/x").json == {"user": "ada", "parts": ["x"]}


def test_the_method_may_wait() -> None:
    async def method(self: Page, part: str) -> None:
        await succeed(None)
        self.write({"waited": part})

    assert page(method).get("/x").json == {"waited": "x"}


@pytest.mark.parametrize("status", [401, 403])
def test_what_fails_is_the_answer(status: int) -> None:
    def refuse(handler: Page) -> Deferred[str]:
        return fail(HTTPError(status))

    ran: list[str] = []
    browser = page(lambda self, part: ran.append(part), refuse)
    assert (browser.get("/x").status, ran) == (status, [])


def test_it_is_still_the_method_for_those_who_ask() -> None:
    wrapped = after_login(user, Page.get)
    assert (wrapped.__name__, wrapped.__doc__) == ("get", "Say who came.")
