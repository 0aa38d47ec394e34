"""Where a redirect leads and what goes along: the table of the Fetch standard, section 4.4.

======= ============ ==============================
status  method       the next request
======= ============ ==============================
301/302 POST         GET without the body
301/302 any other    the same method, with the body
303     GET, HEAD    the same method
303     any other    GET without the body
307/308 any          the same method, with the body
======= ============ ==============================

Credentials (``Authorization``, ``Proxy-Authorization``, ``Cookie``, and the URL's user name) stay
behind as soon as scheme, host or port differ, and do not come back (CL-02).
"""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin

from cyclone.httputil import HTTPHeaders

from ._url import Target, parse_url

STATUSES = frozenset((301, 302, 303, 307, 308))
BODY_HEADERS = (
    "Content-Encoding",
    "Content-Language",
    "Content-Length",
    "Content-Location",
    "Content-Type",
    "Expect",
    "Transfer-Encoding",
)
CREDENTIAL_HEADERS = ("Authorization", "Cookie", "Proxy-Authorization")

# urljoin takes "http://" for a relative reference to the same place.
_NO_HOST = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.\-]*:)?//(?:[/?#]|\Z)")

# What stands for itself in a Location: the reserved and the unreserved characters and "%".
_SAFE = "!#$%&'()*+,-./:;=?@_~[]|^`{}\"<>"


def next_target(current: Target, location: str) -> Target:
    """The target of a ``Location`` header, which may be relative; the fragment is inherited.

    :raises ValueError: for another scheme than http and https, or no host.
    """
    location = location.strip(" \t")
    if _NO_HOST.match(location):
        raise ValueError("the redirect leads to a URL without a host")
    raw = location.encode("latin-1")
    # Browsers send UTF-8 on as it came, and take a space for %20.
    target = parse_url(urljoin(current.url, quote(raw, safe=_SAFE)))
    if target.fragment or not current.fragment:
        return target
    return parse_url(target.url + current.fragment)


def next_method(code: int, method: str) -> tuple[str, bool]:
    """The method of the next request, and whether it has the body of the last one."""
    if code in (301, 302) and method == "POST":
        return "GET", False
    if code == 303 and method not in ("GET", "HEAD"):
        return "GET", False
    return method, True


def next_headers(headers: HTTPHeaders, *, same_origin: bool, keeps_body: bool) -> HTTPHeaders:
    """The headers that go along; ``Host`` is made anew for each request."""
    result = headers.copy()
    dropped = ["Host"]
    if not keeps_body:
        dropped += BODY_HEADERS
    if not same_origin:
        dropped += CREDENTIAL_HEADERS
    for name in dropped:
        result.pop(name, None)
    return result
