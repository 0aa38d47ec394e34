"""The cookies of a handler: read, set, cleared, and signed."""

from __future__ import annotations

import datetime
import re
import time
import warnings
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, overload

from cyclone.escape import native_str
from cyclone.httpserver import HTTPRequest
from cyclone.httputil import CookieError, build_set_cookie, parse_cookie

from ._base import HandlerBase
from ._signing import (
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
    warn_about_weak_secret,
)

if TYPE_CHECKING:
    Expires = float | tuple[int, ...] | datetime.datetime

# RFC 6265 section 4.1.1: an attribute ends at a semicolon, a header at a control character.
_forbidden = re.compile(r"[\x00-\x20;\x7f]")
_ATTRIBUTES = frozenset(
    {"domain", "expires", "path", "max_age", "httponly", "secure", "samesite", "partitioned"}
)
# The names of RFC 2109 that http.cookies still knows and no browser does.
_OBSOLETE_ATTRIBUTES = frozenset({"comment", "version"})
# Browsers drop a cookie of such a name without Secure, also one that clears it.
_NEED_SECURE = ("__Host-", "__Secure-")

# Up to here a time is certainly one that a date can have.
_MANY_DAYS = 100 * 366

_secret_checked: object = None
_secret_warned = False


class CookiesMixin(HandlerBase):
    """What a handler does with cookies.

    Whatever reads the request's cookies through the handler makes the answer depend on them, so it
    carries ``Vary: Cookie``: a shared cache must not show one user the page of another.
    """

    _parsed_request_cookies: dict[str, str] | None = None

    @property
    def cookies(self) -> SimpleCookie:
        """The cookies of the request, by name (``self.cookies["name"].value``)."""
        self._vary_on("Cookie")
        cookies: SimpleCookie = self.request.cookies
        return cookies

    @overload
    def get_cookie(self, name: str, default: str) -> str: ...

    @overload
    def get_cookie(self, name: str, default: str | None = None) -> str | None: ...

    def get_cookie(self, name: str, default: str | None = None) -> str | None:
        """Return the value of the request's cookie *name*, or *default*.

        Cookies set in this request are not seen before the browser sends them back.
        """
        cookies = self._parsed_request_cookies
        if cookies is None:
            self._vary_on("Cookie")
            request: Any = self.request
            if not isinstance(request, HTTPRequest):
                # A double in somebody's test, which has what the documentation says it has.
                return request.cookies[name].value if name in request.cookies else default
            # A third of the time that a SimpleCookie takes.
            cookies = self._parsed_request_cookies = parse_cookie(
                request.get_header("Cookie") or ""
            )
        return cookies.get(name, default)

    def set_cookie(
        self,
        name: str,
        value: str | bytes,
        domain: str | None = None,
        expires: Expires | None = None,
        path: str = "/",
        expires_days: float | None = None,
        *,
        max_age: int | None = None,
        httponly: bool = False,
        secure: bool = False,
        samesite: str | None = None,
        partitioned: bool = False,
        **kwargs: Any,
    ) -> None:
        """Set a cookie with this response. A later call with the same *name* replaces it.

        :param expires: a time (seconds since the epoch, :func:`time.gmtime` tuple, datetime) at
            which the browser drops the cookie; without *expires*, *expires_days* and *max_age* it
            goes with the session.
        :param expires_days: the same, in days from now; *expires* is stronger.
        :param max_age: the same, in seconds from now.
        :param samesite: ``"Lax"``, ``"Strict"`` or ``"None"`` (which needs *secure*).
        :param partitioned: keep one cookie per top-level site (CHIPS); needs *secure*.
        :param kwargs: the same names in another case, as old code has them (deprecated).
        :raises http.cookies.CookieError: a character in a name or attribute that would end it.
        :raises ValueError: a value that cannot be sent, or a rule of a ``__Host-``/``__Secure-``
            name broken.
        """
        name = native_str(name)
        if expires_days is not None and not expires:
            expires = _in_days(expires_days)
        attributes: dict[str, Any] = {
            "domain": domain,
            "expires": expires or None,
            "path": path,
            "max_age": max_age,
            "httponly": httponly,
            "secure": secure,
            "samesite": samesite,
            "partitioned": partitioned,
        }
        if kwargs:
            attributes |= _known_attributes(name, kwargs)
        if self._new_cookies is None:
            self._new_cookies = {}
        self._new_cookies[name] = build_set_cookie(name, value, **attributes)

    def clear_cookie(
        self, name: str, path: str = "/", domain: str | None = None, **kwargs: Any
    ) -> None:
        """Make the browser drop the cookie *name*.

        *path*, *domain* (and ``samesite``, ``secure``) must be those it was set with.
        """
        for excluded in ("expires", "expires_days", "max_age"):
            if excluded in kwargs:
                raise TypeError(f"clear_cookie() takes no argument {excluded!r}")
        if name.startswith(_NEED_SECURE):
            kwargs.setdefault("secure", True)
        self.set_cookie(name, "", path=path, domain=domain, expires=_in_days(-365), **kwargs)

    def clear_all_cookies(self, **kwargs: Any) -> None:
        """Clear each cookie that came with the request, as :meth:`clear_cookie` does.

        The request only tells their names: those set with another path or domain than *kwargs* say
        stay.
        """
        for name in self.cookies:
            try:
                self.clear_cookie(name, **kwargs)
            except CookieError:
                # The client may send names that no server can have set with these attributes.
                continue

    def set_secure_cookie(
        self,
        name: str,
        value: str | bytes,
        expires_days: float | None = 30,
        version: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Set a cookie that nobody can forge, signed with the setting ``cookie_secret``.

        Its content can be read by the user, and may be any bytes. *expires_days* is for the browser
        (``None``: until it closes); how old a value is believed, :meth:`get_secure_cookie` decides.
        """
        signed = self.create_signed_value(name, value, version=version)
        self.set_cookie(name, signed, expires_days=expires_days, **kwargs)

    def create_signed_value(
        self, name: str, value: str | bytes, version: int | None = None
    ) -> bytes:
        """Sign *value* as :meth:`set_secure_cookie` does, for use outside a cookie.

        :meth:`get_secure_cookie` reads it back from its argument ``value``.
        """
        self.require_setting("cookie_secret", "secure cookies")
        settings = self.application.settings
        secret = settings["cookie_secret"]
        _check_secret_once(secret)
        key_version = None if isinstance(secret, str | bytes) else settings.get("key_version")
        return create_signed_value(secret, name, value, version=version, key_version=key_version)

    def get_secure_cookie(
        self,
        name: str,
        value: str | None = None,
        max_age_days: float = 31,
        min_version: int | None = None,
    ) -> bytes | None:
        """Return what :meth:`set_secure_cookie` was given; ``None`` if missing, forged or old.

        :param value: a signed value to check in place of the cookie *name*.
        :param min_version: the oldest format believed (setting ``min_version``, else 1).
        """
        self.require_setting("cookie_secret", "secure cookies")
        settings = self.application.settings
        if value is None:
            value = self.get_cookie(name)
        return decode_signed_value(
            settings["cookie_secret"],
            name,
            value,
            max_age_days=max_age_days,
            min_version=settings.get("min_version") if min_version is None else min_version,
        )

    def get_secure_cookie_key_version(self, name: str, value: str | None = None) -> int | None:
        """Return which key version the cookie *name* (or *value*) says it was signed with."""
        self.require_setting("cookie_secret", "secure cookies")
        if value is None:
            value = self.get_cookie(name)
        return None if value is None else get_signature_key_version(value)

    set_signed_cookie = set_secure_cookie
    get_signed_cookie = get_secure_cookie
    get_signed_cookie_key_version = get_secure_cookie_key_version


def _known_attributes(name: str, kwargs: dict[str, Any]) -> dict[str, Any]:
    """Translate the spellings that http.cookies takes, such as ``HttpOnly`` and ``Max-Age``."""
    known = {}
    for given, content in kwargs.items():
        if _forbidden.search(str(content)):
            raise CookieError(f"Invalid cookie attribute {given}={content!r} for cookie {name!r}")
        plain = given.lower().replace("-", "_")
        if plain in _ATTRIBUTES:
            known[plain] = content
        elif plain not in _OBSOLETE_ATTRIBUTES:
            raise TypeError(f"set_cookie() got an unexpected keyword argument {given!r}")
    warnings.warn(
        f"set_cookie() takes its arguments in lower case, not as {', '.join(sorted(kwargs))}",
        DeprecationWarning,
        stacklevel=3,
    )
    return known


def _in_days(days: float) -> datetime.datetime | float:
    if -_MANY_DAYS < days < _MANY_DAYS:
        return time.time() + days * 86400
    try:
        return datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=days)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"expires_days={days!r} is not a time a cookie can have") from error


def _check_secret_once(secret: Any) -> None:
    global _secret_checked, _secret_warned
    if not _secret_warned and secret is not _secret_checked:
        _secret_checked = secret
        _secret_warned = warn_about_weak_secret(secret)
