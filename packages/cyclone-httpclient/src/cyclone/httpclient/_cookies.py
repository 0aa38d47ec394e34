"""A cookie jar for one client: RFC 6265bis as far as a program without pages needs it (CL-19).

Written here because ``http.cookiejar`` still speaks RFC 2965, guesses domains for names without a
dot, and has no limits. There is no list of public suffixes: a ``Domain`` of one label is refused,
and a jar is meant for the few servers that one client object talks to.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from ._abnf import TOKEN
from ._url import Target

MAX_COOKIE_SIZE = 4096
MAX_PER_HOST = 50
MAX_COOKIES = 3000
MAX_AGE = 400 * 86400

_FORBIDDEN = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_VALUE = re.compile(r"[^\x00-\x1f\x7f;,\s\\]*")
# cookie-date, RFC 6265 section 5.1.1
_DATE_TOKEN = re.compile(r"[^\x09\x20-\x2f\x3b-\x40\x5b-\x60\x7b-\x7e]+")
_TIME = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})(?:\D.*)?", re.S)
_DAY = re.compile(r"(\d{1,2})(?:\D.*)?", re.S)
_YEAR = re.compile(r"(\d{2,4})(?:\D.*)?", re.S)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


@dataclass(slots=True)
class Cookie:
    """A cookie as stored; ``expires`` in epoch seconds, ``None``: for the session."""

    name: str
    value: str
    domain: str
    path: str
    host_only: bool
    secure: bool
    expires: float | None
    created: int


def parse_cookie_date(text: str) -> float | None:
    """Seconds since the epoch of an ``Expires`` value, by the lenient rules of RFC 6265."""
    found: dict[str, int] = {}
    for token in _DATE_TOKEN.findall(text[:256]):
        if "time" not in found and (match := _TIME.fullmatch(token)):
            found["time"] = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
            if int(match[1]) > 23 or int(match[2]) > 59 or int(match[3]) > 59:
                return None
        elif "day" not in found and (match := _DAY.fullmatch(token)):
            found["day"] = int(match[1])
        elif "month" not in found and token[:3].lower() in _MONTHS:
            found["month"] = _MONTHS.index(token[:3].lower()) + 1
        elif "year" not in found and (match := _YEAR.fullmatch(token)):
            year = int(match[1])
            found["year"] = year + (1900 if 70 <= year <= 99 else 2000 if year < 70 else 0)
    if len(found) < 4:
        return None
    if found["year"] < 1601:
        return None
    try:
        day = datetime(found["year"], found["month"], found["day"], tzinfo=UTC)
    except ValueError:
        return None
    return day.timestamp() + found["time"]


def domain_matches(host: str, domain: str) -> bool:
    """RFC 6265 section 5.1.3, for a host that is not an address."""
    return host == domain or host.endswith("." + domain)


def path_matches(path: str, cookie_path: str) -> bool:
    """RFC 6265 section 5.1.4."""
    if path == cookie_path:
        return True
    return path.startswith(cookie_path) and (
        cookie_path.endswith("/") or path[len(cookie_path)] == "/"
    )


def _default_path(target: Target) -> str:
    path = target.path.partition("?")[0]
    return path.rpartition("/")[0] or "/"


def _attributes(parts: Iterable[str]) -> dict[str, str]:
    """Attribute names in lower case; of several, the last counts."""
    result = {}
    for part in parts:
        name, _, value = part.partition("=")
        result[name.strip().lower()] = value.strip()
    return result


class CookieJar:
    """The cookies of one client object.

    Kept in memory, at most 50 for each host and 3,000 in all, none larger than 4 KiB, none for
    longer than 400 days; over a limit the oldest go.
    """

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._hosts: dict[str, dict[tuple[str, str], Cookie]] = {}
        self._count = 0
        self._serial = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Cookie]:
        for cookies in self._hosts.values():
            yield from cookies.values()

    def clear(self) -> None:
        """Forget all cookies."""
        self._hosts.clear()
        self._count = 0

    def store(self, target: Target, values: Iterable[str]) -> None:
        """Take the ``Set-Cookie`` values of a response; each is exactly one cookie."""
        for value in values:
            cookie = self._parse(target, value)
            if cookie is not None:
                self._put(cookie, target.scheme == "https")

    def header(self, target: Target) -> str | None:
        """The ``Cookie`` value for a request, ``None`` when no cookie is for it."""
        now = self._clock()
        path = target.path.partition("?")[0]
        chosen = []
        for domain in self._domains(target):
            cookies = self._hosts.get(domain)
            for cookie in list(cookies.values()) if cookies else ():
                if cookie.expires is not None and cookie.expires <= now:
                    self._drop(cookie)
                elif (
                    (not cookie.host_only or cookie.domain == target.host)
                    and path_matches(path, cookie.path)
                    and (not cookie.secure or target.scheme == "https")
                ):
                    chosen.append(cookie)
        chosen.sort(key=lambda cookie: (-len(cookie.path), cookie.created))
        return "; ".join(f"{cookie.name}={cookie.value}" for cookie in chosen) or None

    @staticmethod
    def _domains(target: Target) -> list[str]:
        if target.is_ip:
            return [target.host]
        labels = target.host.split(".")
        return [".".join(labels[index:]) for index in range(min(len(labels), 32))]

    def _parse(self, target: Target, text: str) -> Cookie | None:
        """One cookie, or ``None`` when it is to be ignored (RFC 6265bis section 5.7)."""
        if len(text) > 2 * MAX_COOKIE_SIZE or _FORBIDDEN.search(text):
            return None
        pair, *parts = text.split(";")
        name, equals, value = pair.partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        if not equals or not name or len(name) + len(value) > MAX_COOKIE_SIZE:
            return None
        attributes = _attributes(parts)
        place = self._place(target, attributes.get("domain", ""))
        if place is None:
            return None
        path = attributes.get("path", "")
        if not path.startswith("/") or len(path) > 1024:
            path = _default_path(target)
        secure = "secure" in attributes
        if secure and target.scheme != "https":
            return None
        domain, host_only = place
        if not _prefix_allows(name, secure, host_only, path, "path" in attributes):
            return None
        self._serial += 1
        expires = self._expires(attributes)
        return Cookie(name, value, domain, path, host_only, secure, expires, self._serial)

    @staticmethod
    def _place(target: Target, attribute: str) -> tuple[str, bool] | None:
        """The domain of a cookie and whether it is for that host only."""
        domain = attribute.lower().removeprefix(".")
        if not domain or domain == target.host:
            return target.host, not domain or target.is_ip
        if target.is_ip or "." not in domain.strip(".") or not domain_matches(target.host, domain):
            return None
        return domain, False

    def _expires(self, attributes: Mapping[str, str]) -> float | None:
        now = self._clock()
        age = attributes.get("max-age", "")
        if re.fullmatch(r"-?[0-9]{1,18}", age):
            return now + min(int(age), MAX_AGE) if int(age) > 0 else 0.0
        if "expires" in attributes:
            moment = parse_cookie_date(attributes["expires"])
            if moment is not None:
                return min(moment, now + MAX_AGE)
        return None

    def _put(self, cookie: Cookie, over_tls: bool) -> None:
        cookies = self._hosts.setdefault(cookie.domain, {})
        key = (cookie.name, cookie.path)
        old = cookies.get(key)
        if not over_tls and self._hides_secure(cookie):
            return
        if old is not None:
            cookie.created = old.created
            self._drop(old)
            cookies = self._hosts.setdefault(cookie.domain, {})
        if cookie.expires is not None and cookie.expires <= self._clock():
            if not cookies:
                self._hosts.pop(cookie.domain, None)
            return
        if len(cookies) >= MAX_PER_HOST:
            self._drop(min(cookies.values(), key=lambda one: one.created))
            cookies = self._hosts.setdefault(cookie.domain, {})
        if self._count >= MAX_COOKIES:
            self._drop(min(self, key=lambda one: one.created))
            cookies = self._hosts.setdefault(cookie.domain, {})
        cookies[key] = cookie
        self._count += 1

    def _hides_secure(self, cookie: Cookie) -> bool:
        """A plain http response must not replace a cookie that came over TLS."""
        for (name, path), other in self._hosts.get(cookie.domain, {}).items():
            if other.secure and name == cookie.name and path_matches(cookie.path, path):
                return True
        return False

    def _drop(self, cookie: Cookie) -> None:
        cookies = self._hosts.get(cookie.domain, {})
        if cookies.pop((cookie.name, cookie.path), None) is not None:
            self._count -= 1
        if not cookies:
            self._hosts.pop(cookie.domain, None)


def _prefix_allows(name: str, secure: bool, host_only: bool, path: str, has_path: bool) -> bool:
    low = name.lower()
    if low.startswith("__secure-"):
        return secure
    if low.startswith("__host-"):
        return secure and host_only and path == "/" and has_path
    return True


def cookie_pairs(cookies: Mapping[str, str]) -> str:
    """The ``Cookie`` value of a request's own ``cookies=``.

    :raises ValueError: for a name or value that could be read as more than one cookie.
    """
    for name, value in cookies.items():
        if not TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError("a cookie's name or value holds a character that it cannot")
    return "; ".join(f"{name}={value}" for name, value in cookies.items())
