"""HTTP Basic authentication (RFC 7617)."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Concatenate, ParamSpec, TypeAlias, TypeVar

from twisted.internet.defer import Deferred

from cyclone.web import HTTPAuthenticationRequired

from ._base import AuthMixin
from ._decorators import after_login
from ._results import run, waiting

#: Characters of an ``Authorization`` header that is looked at.
MAX_HEADER = 8192

_HEADER = re.compile(r"basic +([A-Za-z0-9+/_-]+={0,2}) *", re.IGNORECASE | re.ASCII).fullmatch
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]").search

#: Says whether a user name and password belong together: anything true, or an awaitable of it.
CheckPassword: TypeAlias = Callable[[str, str], object]
_P = ParamSpec("_P")
_H = TypeVar("_H", bound="BasicAuthMixin")


def parse_basic(header: str) -> tuple[str, str] | None:
    """The user name and password in an ``Authorization`` header, or None for anything else."""
    match = _HEADER(header) if len(header) <= MAX_HEADER else None
    if match is None:
        return None
    try:
        text = base64.b64decode(match[1], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
    name, colon, password = text.partition(":")
    if not colon or _CONTROLS(text):
        return None
    return name, password


def fixed_credentials(credentials: Mapping[str, str]) -> CheckPassword:
    """A check against a few known *credentials* (name to password), for a staging site or so.

    It takes the same time for a name that is not there.
    """
    known = {name: password.encode() for name, password in credentials.items()}

    def check(username: str, password: str) -> bool:
        expected = known.get(username)
        same = hmac.compare_digest(password.encode(), b"\0" if expected is None else expected)
        return same and expected is not None

    return check


class BasicAuthMixin(AuthMixin):
    """Ask for a user name and password with HTTP Basic; serve such pages over https only."""

    def get_authenticated_user(
        self, check: CheckPassword, realm: str = "Restricted Access"
    ) -> Deferred[str]:
        """The name of the user, once *check* has agreed to the password that came along.

        :param check: see `fixed_credentials`, or `verify_password_async` for stored hashes.
        :raises HTTPAuthenticationRequired: (401, which makes a browser ask) for missing,
            unreadable and wrong credentials.
        """
        return run(self._basic_user(check, realm))

    async def _basic_user(self, check: CheckPassword, realm: str) -> str:
        given = parse_basic(self._handler.request.headers.get("Authorization", ""))
        if given is None or not await waiting(check(*given)):
            raise HTTPAuthenticationRequired(auth_type="Basic", realm=realm, charset="UTF-8")
        return given[0]


def basic_auth(
    realm: str, check: CheckPassword
) -> Callable[
    [Callable[Concatenate[_H, _P], object]],
    Callable[Concatenate[_H, _P], Coroutine[Any, Any, None]],
]:
    """Decorate a method of a handler with `BasicAuthMixin`: it runs for users that *check* knows.

    ``self.current_user`` is the user's name.
    """

    def authenticate(handler: _H) -> Deferred[str]:
        return handler.get_authenticated_user(check, realm)

    return lambda method: after_login(authenticate, method)
