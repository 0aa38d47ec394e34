"""The cookies of a `Client`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any

from cyclone.httputil import parse_http_date
from cyclone.web import decode_signed_value


def read_set_cookie(line: str) -> tuple[str, Morsel[str]]:
    """The name and the morsel of a ``Set-Cookie`` header.

    :raises http.cookies.CookieError: for a name that is none.
    """
    pair, *attributes = line.split(";")
    name, _, coded = pair.partition("=")
    name, coded = name.strip(), coded.strip()
    morsel: Morsel[str] = Morsel()
    morsel.set(name, SimpleCookie().value_decode(coded)[0], coded)
    for attribute in attributes:
        key, separator, value = attribute.partition("=")
        key = key.strip().lower()
        if morsel.isReservedKey(key):
            morsel[key] = value.strip() if separator else True
    return name, morsel


class DecodingSimpleCookie(SimpleCookie):
    """The standard library's cookies, which can read the application's signed ones.

    ``client.cookies["name"].value``; ``client.cookies["name"] = "value"`` sets one that is sent
    with the next requests; ``client.cookies.get_secure_cookie("name")``.
    """

    def __init__(self, app: Any, *args: Any, **kwargs: Any) -> None:
        self.app = app
        super().__init__(*args, **kwargs)

    def get_secure_cookie(
        self, name: str, value: str | None = None, max_age_days: float = 31
    ) -> bytes | None:
        """The value of a cookie that ``set_secure_cookie`` made, or None.

        None if there is no such cookie, or its signature is wrong or older than ``max_age_days``.
        ``value``: the signed value, if it is not that of the cookie.

        :raises KeyError: when the application has no ``cookie_secret``.
        """
        if value is None:
            if name not in self:
                return None
            value = self[name].value
        secret = self.app.settings["cookie_secret"]
        decoded: bytes | None = decode_signed_value(secret, name, value, max_age_days=max_age_days)
        return decoded

    get_signed_cookie = get_secure_cookie

    def take(self, lines: Iterable[str]) -> None:
        """Keep what ``Set-Cookie`` headers say; those that expired are forgotten."""
        for line in lines:
            try:
                name, morsel = read_set_cookie(line)
            except CookieError:
                continue
            if _expired(morsel):
                self.pop(name, None)
            else:
                dict.__setitem__(self, name, morsel)

    def header(self, path: str) -> str:
        """The ``Cookie`` header for a path; empty if there is none."""
        found = [morsel for morsel in self.values() if _matches(path, morsel["path"])]
        return "; ".join(f"{morsel.key}={morsel.coded_value}" for morsel in found)


def _expired(morsel: Morsel[str]) -> bool:
    max_age = str(morsel["max-age"])
    if max_age.lstrip("-").isdecimal():
        return int(max_age) <= 0
    expires = parse_http_date(str(morsel["expires"])) if morsel["expires"] else None
    return expires is not None and expires <= time.time()


def _matches(path: str, scope: str) -> bool:
    """RFC 6265 section 5.1.4."""
    if not scope.startswith("/") or path == scope:
        return True
    return path.startswith(scope if scope.endswith("/") else scope + "/")
