"""Protection against forged requests: tokens in a cookie and the form, and the browser's own word.

The first half is plain functions: what a token is, whether two are the same, whether a request
comes from another origin. :class:`XSRFMixin` ties them to a request.

A token is random bytes, kept in a cookie. Version 2 writes it differently each time, so that a page
that holds it can be compressed without giving it away bit by bit (BREACH)::

    "2|" hex mask (4 bytes) "|" hex token, masked "|" time of creation

Version 1 (Cyclone 1.x) is the hex token alone; it is read, and written again as version 2.
"""

from __future__ import annotations

import binascii
import hmac
import os
import re
import time
from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cyclone.escape import xhtml_escape

from ._arguments import ArgumentsMixin
from ._base import SAFE_METHODS, HandlerBase
from ._errors import HTTPError

_GET_ARGUMENT: Any = ArgumentsMixin.get_argument
_MAX_TOKEN_CHARS = 256
_version_2 = re.compile(r"2\|([0-9a-fA-F]{8})\|((?:[0-9a-fA-F]{2}){1,64})\|([0-9]{1,15})")
# What Cyclone 1.x and early Tornado wrote is hex; applications put other plain words there.
_version_1 = re.compile(r"[!-{}~]+")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


class XSRFToken(NamedTuple):
    """A token as read from a cookie, a form or a header."""

    version: int
    token: bytes
    timestamp: int


def new_xsrf_token(now: float) -> XSRFToken:
    """Return a fresh random token, made at *now* (seconds since the epoch)."""
    return XSRFToken(2, os.urandom(16), int(now))


def encode_xsrf_token(token: XSRFToken, version: int = 2) -> bytes:
    """Write *token* in format *version*; version 2 looks different each time.

    :raises ValueError: the version is neither 1 nor 2.
    """
    if version == 2:
        mask = os.urandom(4)
        masked = _apply_mask(mask, token.token)
        return b"2|%b|%b|%d" % (mask.hex().encode(), masked.hex().encode(), token.timestamp)
    if version == 1:
        return token.token.hex().encode()
    raise ValueError(f"unknown xsrf_cookie_version {version!r}")


def decode_xsrf_token(value: str, now: float) -> XSRFToken | None:
    """Read a token of either format, or return ``None`` for anything else. Never raises."""
    if len(value) > _MAX_TOKEN_CHARS:
        return None
    match = _version_2.fullmatch(value)
    if match is not None:
        mask, masked = bytes.fromhex(match[1]), bytes.fromhex(match[2])
        return XSRFToken(2, _apply_mask(mask, masked), int(match[3]))
    if _version_1.fullmatch(value) is None:
        return None
    try:
        token = binascii.unhexlify(value)
    except ValueError:
        token = value.encode("ascii")
    # Version 1 does not say when it was made.
    return XSRFToken(1, token, int(now))


def same_xsrf_token(one: XSRFToken, other: XSRFToken) -> bool:
    """Say whether both hold the same secret, in time that does not depend on where they differ."""
    return hmac.compare_digest(one.token, other.token)


def check_cross_origin(
    sec_fetch_site: str | None, origin: str | None, host: str, is_trusted: Callable[[str], bool]
) -> str | None:
    """Say why a request that changes something must be refused, or ``None`` if it may pass.

    Browsers send ``Sec-Fetch-Site`` over HTTPS; it decides when it is there. Else ``Origin`` has to
    name our *host*. A request with neither does not come from a (current) browser, so it carries
    nobody's cookies against their will. *is_trusted* is asked about the ``Origin`` of the others.
    """
    if sec_fetch_site in ("same-origin", "none"):
        return None
    if sec_fetch_site is None:
        if origin is None or _is_origin_of(origin, host) or is_trusted(origin):
            return None
        return f"Origin {origin!r} not allowed"
    if origin and is_trusted(origin):
        return None
    if sec_fetch_site not in ("same-site", "cross-site"):
        sec_fetch_site = repr(sec_fetch_site)
    return f"Sec-Fetch-Site {sec_fetch_site} & origin {origin!r} not allowed"


def _is_origin_of(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # The scheme is not compared with ours: behind a proxy we may not know it. It does say which
    # port goes without saying.
    port = _DEFAULT_PORTS.get(parts.scheme, "")
    named = parts.netloc.lower().removesuffix(port)
    # "null", "" and "file://" name no host, which is no match for a missing Host header.
    return named != "" and named == host.lower().removesuffix(port)


def _apply_mask(mask: bytes, data: bytes) -> bytes:
    key = (mask * (len(data) // 4 + 1))[: len(data)]
    return (int.from_bytes(data) ^ int.from_bytes(key)).to_bytes(len(data))


class XSRFMixin(HandlerBase):
    """XSRF tokens and the cross-origin check of a handler.

    The setting ``xsrf_cookies`` switches the token check on, ``cross_origin_protection`` the
    check of ``Sec-Fetch-Site`` and ``Origin``. Both leave GET, HEAD and OPTIONS alone, and run
    before ``prepare``.
    """

    #: ``True`` on a handler class leaves it out of the token check.
    no_xsrf: bool = False

    _xsrf_token: bytes | None = None

    @property
    def xsrf_cookie_name(self) -> str:
        """The cookie's name: the setting of this name, unless a class sets the attribute."""
        name: str = self.settings.get("xsrf_cookie_name") or "_xsrf"
        return name

    @property
    def xsrf_token(self) -> bytes:
        """The token for this response, as ASCII bytes; its first use sets a missing cookie.

        The same handler always gives the same bytes, each request gets other ones.
        """
        if self._xsrf_token is None:
            stored = self._read_xsrf_cookie()
            token = stored or new_xsrf_token(time.time())
            version = self.settings.get("xsrf_cookie_version", 2)
            self._xsrf_token = encode_xsrf_token(token, version)
            if stored is None:
                self._set_xsrf_cookie(self._xsrf_token)
        return self._xsrf_token

    def xsrf_form_html(self) -> str:
        """Return the hidden ``<input>`` that each form with a POST needs.

        In a template: ``{% module xsrf_form_html() %}``.
        """
        return f'<input type="hidden" name="_xsrf" value="{xhtml_escape(self.xsrf_token)}"/>'

    def check_xsrf_cookie(self) -> None:
        """Raise ``HTTPError(403)`` unless the request repeats the token of its cookie.

        It may be the argument ``_xsrf`` or the header ``X-XSRFToken`` or ``X-CSRFToken``. Override
        this with a method that does nothing for a handler that authenticates without cookies.
        """
        given = self._given_xsrf_token()
        if not given:
            raise HTTPError(403, "'_xsrf' argument missing from POST")
        token = decode_xsrf_token(given, time.time())
        if token is None:
            raise HTTPError(403, "'_xsrf' argument has invalid format")
        expected = self._read_xsrf_cookie()
        if expected is None or not same_xsrf_token(token, expected):
            raise HTTPError(403, "XSRF cookie does not match POST argument")

    def check_trusted_origin(self, origin: str) -> bool:
        """Say whether a request from another origin, such as ``"https://example.com"``, is welcome.

        Asked only with ``cross_origin_protection``, before ``prepare``, for requests that would
        else be refused. The default looks for *origin*, exactly, in the setting
        ``trusted_origins``. An override that returns ``True`` opens the handler to every site, with
        the user's cookies.
        """
        return origin in (self.settings.get("trusted_origins") or ())

    def _check_forgery(self) -> None:
        if self.request.method in SAFE_METHODS:
            return
        settings = self.settings
        if settings.get("xsrf_cookies") and not self.no_xsrf:
            self.check_xsrf_cookie()
        if settings.get("cross_origin_protection"):
            error = self._check_cross_origin(self.check_trusted_origin)
            if error is not None:
                raise HTTPError(403, error)

    def _check_cross_origin(self, is_trusted: Callable[[str], bool]) -> str | None:
        headers = self.request.headers
        return check_cross_origin(
            headers.get("Sec-Fetch-Site"),
            headers.get("Origin"),
            headers.get("Host", ""),
            is_trusted,
        )

    def _given_xsrf_token(self) -> str | None:
        request = self.request
        # A token in the URL ends up in logs and Referer headers. Tornado and Cyclone take it there,
        # and running forms rely on it; new projects set xsrf_query_argument=False.
        in_query = self.settings.get("xsrf_query_argument", True)
        get_argument = getattr(type(self), "get_argument", _GET_ARGUMENT)
        if in_query and get_argument is not _GET_ARGUMENT:
            # An override may know of arguments elsewhere, such as in a JSON body
            own: object = get_argument(self, "_xsrf", None)
            if own:
                return str(own)[: _MAX_TOKEN_CHARS + 9]
        arguments = request.arguments if in_query else request.body_arguments
        # Not get_argument: what is not UTF-8 is a bad token (403), not a bad request (400).
        for value in reversed(arguments.get("_xsrf", ())):
            given = value[: _MAX_TOKEN_CHARS + 9].decode("utf-8", "replace").strip()
            if given:
                return given
            break
        headers = request.headers
        return headers.get("X-XSRFToken") or headers.get("X-CSRFToken")

    def _read_xsrf_cookie(self) -> XSRFToken | None:
        cookie = self.get_cookie(self.xsrf_cookie_name)
        return decode_xsrf_token(cookie, time.time()) if cookie else None

    def _set_xsrf_cookie(self, token: bytes) -> None:
        name = self.xsrf_cookie_name
        options: dict[str, Any] = {"samesite": "Lax"}
        if name.startswith(("__Host-", "__Secure-")):
            # Browsers drop such a cookie without it.
            options["secure"] = True
        options.update(self.settings.get("xsrf_cookie_kwargs") or {})
        if "expires_days" not in options and self.current_user:
            options["expires_days"] = 30
        self.set_cookie(name, token, **options)
