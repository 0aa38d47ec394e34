"""Cookies: tolerant in, strict out."""

import re
import time
from datetime import datetime
from typing import Final

from ._abnf import HTTP_WHITESPACE, TOKEN
from ._dates import format_timestamp
from ._errors import CookieError

_ESCAPE: Final = re.compile(r"\\(?:([0-3][0-7][0-7])|(.))", re.DOTALL)

# What may stand in a value without quotes, and within quotes without an octal escape
_PLAIN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+\-.^_`|~:]+")
_ESCAPED: Final = re.compile(r"[^A-Za-z0-9!#$%&'*+\-.^_`|~: ()/<=>?@\[\]{}]")
_FORBIDDEN_IN_VALUE: Final = re.compile(r"[\x00-\x20\x7f]|[^\x00-\xff]")
_FORBIDDEN_IN_ATTRIBUTE: Final = re.compile(r"[\x00-\x20;\x7f]|[^\x00-\x7f]")

_SAMESITE: Final = {"lax": "Lax", "strict": "Strict", "none": "None"}


def parse_cookie(cookie: str) -> dict[str, str]:
    r"""Parse a ``Cookie`` header into names and values, the way browsers do.

    Nothing is refused: only ``;`` separates, even within quotes; a chunk without ``=`` is a value
    with an empty name; the last of several equal names wins; ``\"``, ``\\`` and octal escapes are
    decoded in a quoted value. Linear in the size of the header (CK-01 to CK-04).
    """
    cookies: dict[str, str] = {}
    for chunk in cookie.split(";"):
        name, equals, value = chunk.partition("=")
        if not equals:
            name, value = "", chunk
        name, value = name.strip(HTTP_WHITESPACE), value.strip(HTTP_WHITESPACE)
        if name or value:
            cookies[name] = _unquote(value)
    return cookies


def _unquote(value: str) -> str:
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':
        return value
    return _ESCAPE.sub(_unescape, value[1:-1]) if "\\" in value else value[1:-1]


def _unescape(match: re.Match[str]) -> str:
    octal: str | None = match[1]
    return chr(int(octal, 8)) if octal else match[2]


def _quote(value: str) -> str:
    if _PLAIN.fullmatch(value):
        return value
    return '"' + _ESCAPED.sub(_escape, value) + '"'


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    return "\\" + char if char in '"\\' else f"\\{ord(char):03o}"


def build_set_cookie(
    name: str,
    value: str | bytes,
    *,
    domain: str | None = None,
    expires: float | tuple[int, ...] | time.struct_time | datetime | None = None,
    path: str | None = "/",
    max_age: int | None = None,
    httponly: bool = False,
    secure: bool = False,
    samesite: str | None = None,
    partitioned: bool = False,
) -> str:
    """The value of a ``Set-Cookie`` header.

    ``expires`` is anything `format_timestamp` takes, ``max_age`` whole seconds (0 deletes the
    cookie at once). A value is quoted where it must be; everything else that could break the
    header raises `CookieError`: a name that is not a token, white space or a control character in
    the value, such or a ``;`` in an attribute, a date out of range, an unknown ``samesite``.
    So does a cookie that browsers would drop: ``SameSite=None`` or ``Partitioned`` without
    ``secure``, and a ``__Host-`` or ``__Secure-`` name whose rules are not kept
    (`RFC 6265bis <https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html>`_).
    """
    if isinstance(value, bytes):
        value = value.decode("utf-8")
    elif not isinstance(value, str):
        raise TypeError(
            f"the value of cookie {name!r} is a str or bytes, not {type(value).__name__}"
        )
    if not TOKEN.fullmatch(name):
        raise CookieError(f"Invalid cookie attribute name={name!r} for cookie {name!r}")
    bad = _FORBIDDEN_IN_VALUE.search(value)
    if bad:
        raise CookieError(
            f"Invalid value for cookie {name!r}: {bad[0]!r} cannot be in it; url_escape() it, or "
            "sign it"
        )
    if name[:2] == "__":
        _check_prefix(name.lower(), name, domain, path, secure)
    key = (domain, path, max_age, httponly, secure, samesite, partitioned)
    known = _known_attributes.get(key) if max_age.__class__ in _HASHABLE else None
    if known is None:
        known = _attributes(name, *key)
        # An application has a few combinations; no more are kept
        if len(_known_attributes) < _MAX_KNOWN and max_age.__class__ in _HASHABLE:
            _known_attributes[key] = known
    before, after = known
    date = "" if expires is None else f"; expires={_date(name, expires)}"
    return f"{name}={_quote(value)}{before}{date}{after}"


_Key = tuple[str | None, str | None, int | None, bool, bool, str | None, bool]
_MAX_KNOWN: Final = 64
_HASHABLE: Final = (int, type(None))
_known_attributes: dict[_Key, tuple[str, str]] = {}


def _attributes(
    name: str,
    domain: str | None,
    path: str | None,
    max_age: int | None,
    httponly: bool,
    secure: bool,
    samesite: str | None,
    partitioned: bool,
) -> tuple[str, str]:
    """The attributes, checked, as they stand before and behind the date."""
    for key, text in (("domain", domain), ("path", path), ("samesite", samesite)):
        if text is not None and _FORBIDDEN_IN_ATTRIBUTE.search(text):
            raise CookieError(f"Invalid cookie attribute {key}={text!r} for cookie {name!r}")
    same_site = _same_site(name, samesite)
    if same_site == "None" and not secure:
        raise CookieError(f"Cookie {name!r}: SameSite=None needs secure=True")
    if partitioned and not secure:
        raise CookieError(f"Cookie {name!r}: Partitioned needs secure=True")
    parts = [
        "; HttpOnly" if httponly else "",
        f"; Max-Age={_seconds(name, max_age)}" if max_age is not None else "",
        "; Partitioned" if partitioned else "",
        f"; Path={path}" if path else "",
        f"; SameSite={same_site}" if same_site else "",
        "; Secure" if secure else "",
    ]
    return f"; Domain={domain}" if domain else "", "".join(parts)


def _same_site(name: str, samesite: str | None) -> str:
    if not samesite:
        return ""
    try:
        return _SAMESITE[samesite.lower()]
    except KeyError:
        raise CookieError(
            f"Invalid cookie attribute samesite={samesite!r} for cookie {name!r}"
        ) from None


def _date(name: str, expires: float | tuple[int, ...] | time.struct_time | datetime) -> str:
    try:
        return format_timestamp(expires)
    except TypeError:
        raise TypeError(
            f"expires of cookie {name!r} is seconds since the epoch, a datetime or a time tuple, "
            f"not {expires!r}"
        ) from None
    except (ValueError, OverflowError) as error:
        raise CookieError(
            f"Invalid cookie attribute expires for cookie {name!r}: {error}"
        ) from error


def _seconds(name: str, max_age: int) -> int:
    """A real number of seconds: an attacker's string could carry more attributes (RI-04)."""
    try:
        return int(max_age)
    except (ValueError, OverflowError, TypeError) as error:
        raise CookieError(
            f"Invalid cookie attribute max_age={max_age!r} for cookie {name!r}"
        ) from error


def _check_prefix(
    prefix: str, name: str, domain: str | None, path: str | None, secure: bool
) -> None:
    """Refuse what browsers would silently drop."""
    if prefix.startswith(("__secure-", "__host-")) and not secure:
        raise CookieError(f"Cookie {name!r}: its prefix needs secure=True")
    if prefix.startswith("__host-") and (domain or path != "/"):
        raise CookieError(f"Cookie {name!r}: a __Host- cookie has no domain and the path '/'")
