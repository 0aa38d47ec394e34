"""Redirects that stay where the program meant them to go."""

from __future__ import annotations

import functools
import re
import string
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from cyclone.httputil import qs_to_qsl, url_concat

from ._base import overridable
from ._errors import HTTPError
from ._handler import RequestHandler

F = TypeVar("F", bound=Callable[..., Any])

# What browsers drop: C0 controls and spaces around a URL, tabs and line ends anywhere (WHATWG URL).
_AROUND = "".join(map(chr, range(0x21)))
_DROPPED = str.maketrans("\\", "/", "\t\r\n")
_CONTROLS = re.compile(r"[\x00-\x20\x7f]").search


def is_protocol_relative(url: str) -> bool:
    """Tell whether a browser would take the start of *url* for a host, as in ``//example.com``."""
    return _as_browser(url).startswith("//")


def is_safe_redirect(url: str) -> bool:
    """Tell whether *url*, which a client sent, leads to the same host: for ``next=`` arguments.

    True for a path (``/a?b#c``) only: no scheme, no host, nothing a browser would read as one.
    """
    return (
        url.startswith("/")
        and not is_protocol_relative(url)
        and _CONTROLS(url) is None
        and "\\" not in url
    )


class RedirectHandler(RequestHandler):
    """Redirects GET requests to *url*.

    *url* is a format string: ``{0}``, ``{1}`` or ``{name}`` stand for what the groups of the route
    caught. The request's query arguments are added. Scheme and host come from *url* alone: 400 if
    what the client sent would change them, so they cannot be filled in.
    """

    @overridable
    def initialize(self, url: str, permanent: bool = True) -> None:
        """Note the target, and whether the redirect is 301 (*permanent*) or 302."""
        self._url = url
        self._permanent = permanent

    @overridable
    def get(self, *args: Any, **kwargs: Any) -> None:
        """Redirect."""
        # The groups were percent-decoded; a space must be written as it came.
        url = self._url.format(*args, **kwargs).replace(" ", "%20")
        try:
            if self.request.query_arguments:
                arguments: Any = self.request.query_arguments
                url = url_concat(url, list(qs_to_qsl(arguments)))
            stays = _keeps_origin(self._url, url)
        except ValueError:
            stays = False
        if not stays:
            raise HTTPError(400, "Redirect URL cannot change the scheme or netloc")
        if _CONTROLS(url):
            raise HTTPError(400, "Redirect URL contains invalid characters")
        self.set_status(301 if self._permanent else 302)
        # What the groups caught was percent-decoded; it goes out as UTF-8, as Tornado sends it.
        self.set_header("Location", url.encode("utf-8"))
        self.finish()


def removeslash(method: F) -> F:
    """Redirect GET and HEAD requests for a path that ends in a slash to the one without.

    Other methods get 404; so that the redirect cannot leave the host, ``//host/`` gets 403.
    """

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        path = self.request.path
        if not path.endswith("/"):
            return method(self, *args, **kwargs)
        target = path.rstrip("/")
        if not _may_redirect(self, target or path):
            raise HTTPError(404)
        if not target:  # the path is "/"
            return method(self, *args, **kwargs)
        _redirect(self, target)
        return None

    return wrapper  # type: ignore[return-value]


def addslash(method: F) -> F:
    """Redirect GET and HEAD requests for a path that does not end in a slash to the one that does.

    Other methods get 404; so that the redirect cannot leave the host, ``//host`` gets 403.
    """

    @functools.wraps(method)
    def wrapper(self: RequestHandler, *args: Any, **kwargs: Any) -> Any:
        path = self.request.path
        if path.endswith("/"):
            return method(self, *args, **kwargs)
        if not _may_redirect(self, path + "/"):
            raise HTTPError(404)
        _redirect(self, path + "/")
        return None

    return wrapper  # type: ignore[return-value]


def _may_redirect(handler: RequestHandler, target: str) -> bool:
    if handler.request.method not in ("GET", "HEAD"):
        return False
    if is_protocol_relative(target):
        raise HTTPError(403, "cannot redirect path with two initial slashes")
    return True


def _redirect(handler: RequestHandler, path: str) -> None:
    query = handler.request.query
    handler.redirect(f"{path}?{query}" if query else path, permanent=True)


def _keeps_origin(template: str, url: str) -> bool:
    """Tell whether *url*, made from *template*, has the scheme and host the template says.

    They are read from the text before the first substitution, as browsers read them and as RFC 3986
    has it: for other clients ``x\\@evil.com`` is a host. ValueError for a malformed URL.
    """
    prefix, substituted = "", False
    for literal, field, _, _ in string.Formatter().parse(template):
        prefix += literal
        if field is not None:
            substituted = True
            break
    scheme, host = _origin(prefix)
    if substituted and scheme in ("http", "https") and not host:
        return False  # the host would be what the client sent
    return _origin(url) == (scheme, host) and _plain_origin(url) == _plain_origin(prefix)


def _origin(url: str) -> tuple[str, str]:
    """Return the scheme and the authority a browser would see in *url*."""
    url = _as_browser(url)
    if url.startswith("//"):
        url = "//" + url.lstrip("/")  # browsers skip more slashes, urlsplit does not
    return _plain_origin(url)


def _plain_origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme.lower(), parts.netloc.lower()


def _as_browser(url: str) -> str:
    """Return *url* as a browser reads it: without what it ignores, with its slashes."""
    return url.strip(_AROUND).translate(_DROPPED)
