"""Cookies and what is signed."""

from __future__ import annotations

import datetime
from typing import assert_type

import cyclone.web
from cyclone.web import create_signed_value, decode_signed_value


class Cookies(cyclone.web.RequestHandler):
    def get(self) -> None:
        self.set_cookie("a", "b")
        self.set_cookie("a", b"b", "example.com", path="/", expires_days=1.5)
        self.set_cookie("a", "b", expires=datetime.datetime.now(datetime.UTC))
        self.set_cookie("a", "b", max_age=3, httponly=True, secure=True, samesite="Lax")
        self.set_secure_cookie("a", "b", expires_days=None, httponly=True)
        self.set_signed_cookie("a", b"b", version=2)
        assert_type(self.get_cookie("a"), str | None)
        assert_type(self.get_cookie("a", "x"), str)
        assert_type(self.get_signed_cookie("a"), bytes | None)
        assert_type(self.get_secure_cookie_key_version("a"), int | None)
        assert_type(self.create_signed_value("a", "b"), bytes)
        assert_type(self.xsrf_token, bytes)
        assert_type(self.xsrf_form_html(), str)
        self.write(self.cookies["a"].value)

    def check_xsrf_cookie(self) -> None:
        if self.request.headers.get("Authorization") is None:
            super().check_xsrf_cookie()


assert_type(create_signed_value("secret", "name", "value"), bytes)
assert_type(decode_signed_value({1: "secret"}, "name", b"value", max_age_days=1), bytes | None)
