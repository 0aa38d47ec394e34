"""Who is logged in."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, assert_type

from store import User
from twisted.internet import defer
from twisted.internet.defer import Deferred, inlineCallbacks

import cyclone.web


class Base(cyclone.web.RequestHandler):
    def get_current_user(self) -> User | None:
        cookie = self.get_secure_cookie("user", max_age_days=7)
        assert_type(cookie, bytes | None)
        return None if cookie is None else User(cookie.decode())

    def get_login_url(self) -> str:
        return "/login"

    @property
    def user(self) -> User:
        user: User = self.current_user
        return user


class Home(Base):
    @cyclone.web.authenticated
    def get(self) -> None:
        self.write(self.user.name)

    @cyclone.web.authenticated
    async def post(self, name: str) -> None:
        self.write(name)

    @cyclone.web.authenticated
    @inlineCallbacks
    def put(self, name: str) -> Generator[Deferred[Any], Any, None]:
        yield defer.succeed(name)

    @cyclone.web.authenticated
    @cyclone.web.addslash
    def delete(self) -> Deferred[None]:
        return self.finish()


class Login(Base):
    def post(self) -> None:
        self.set_secure_cookie("user", self.get_body_argument("name"), httponly=True)
        target = self.get_argument("next", "/")
        self.redirect(target if cyclone.web.is_safe_redirect(target) else "/")

    def delete(self) -> None:
        self.clear_cookie("user", path="/", domain=None)
        self.clear_all_cookies()
