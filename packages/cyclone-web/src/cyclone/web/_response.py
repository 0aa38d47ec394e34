"""The head of the answer: status, header fields, redirects, entity tags."""

from __future__ import annotations

import datetime
import functools
import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from cyclone.httputil import (
    HTTPHeaders,
    HTTPInputError,
    HTTPOutputError,
    format_timestamp,
    http_date,
    responses,
)

from ._base import HandlerBase

if TYPE_CHECKING:
    from ._base import HeaderValue

# A "<" is refused as well, although a reason phrase may hold it: error pages show the reason.
_REASON = re.compile(r"[\t\x20-\x3b\x3d-\x7e\x80-\xff]*").fullmatch
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029]|\s").search
_ETAGS = re.compile(r'\*|(?:W/)?"[^"]*"').findall
_NON_ASCII = re.compile(r"[^\x00-\x7f]+")
_sha1 = hashlib.sha1


JSON_TYPE = "application/json; charset=UTF-8"


class _LazyHeaders:
    """Makes a handler's header fields when they are first touched.

    Until then the answer has the default fields, whose bytes are made once a second for all
    requests.
    """

    def __get__(self, handler: HandlerBase | None, owner: type) -> Any:
        if handler is None:
            return self
        if handler._made_headers is not None:
            return handler._made_headers
        application = handler.application
        if hasattr(type(application), "_default_headers"):
            headers = application._default_headers().copy()
        else:
            # A stand-in for an application, in a test
            headers = default_headers({})
        if handler._wrote_json:
            headers["Content-Type"] = JSON_TYPE
        handler._made_headers = headers
        return headers

    def __set__(self, handler: HandlerBase, headers: HTTPHeaders) -> None:
        handler._made_headers = headers


class ResponseMixin(HandlerBase):
    """What a handler says about its answer before the body."""

    if not TYPE_CHECKING:
        _headers = _LazyHeaders()

    def clear(self) -> None:
        """Forget what was set and written so far; cookies stay, as in Tornado."""
        self._made_headers = None
        self._wrote_json = False
        self._write_buffer = []
        self._status_code = 200
        self._reason = "OK"
        self.set_default_headers()

    def set_default_headers(self) -> None:
        """Override to set header fields of every answer, error pages included."""

    # --- status ---------------------------------------------------------------------------

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        """Set the status; a *reason* that must not be sent becomes ``Unknown`` (as in Tornado)."""
        self._status_code = status_code = int(status_code)
        if reason is None:
            self._reason = responses.get(status_code, "Unknown")
        else:
            self._reason = reason if _REASON(reason) else "Unknown"

    def get_status(self) -> int:
        """The status that is, or was, sent."""
        return self._status_code

    # --- header fields --------------------------------------------------------------------

    def set_header(self, name: str, value: HeaderValue) -> None:
        """Set a field, in place of all its former values.

        :raises ValueError: for a name or value that must not go on the wire (CR, LF, NUL, ...).
        :raises TypeError: for a value that is no str, bytes, int or datetime.
        """
        headers = self._made_headers
        if headers is None:
            headers = self._headers
        try:
            headers[name] = value if type(value) is str else _header_value(value, name)
        except HTTPOutputError as error:
            raise _unsafe(error, name) from None

    def set_headers(
        self, name: str | Mapping[str, HeaderValue], value: HeaderValue | None = None
    ) -> None:
        """Set one field, or all fields of a mapping."""
        if isinstance(name, Mapping):
            for key, each in name.items():
                self.set_header(key, each)
        elif value is None:
            raise TypeError("set_headers() takes a mapping, or a name and a value")
        else:
            self.set_header(name, value)

    def add_header(self, name: str, value: HeaderValue) -> None:
        """Add one more value for a field; raises as :meth:`set_header` does."""
        try:
            self._headers.add(name, _header_value(value, name))
        except HTTPInputError as error:
            # The program's fault, not the client's.
            raise _unsafe(error, name) from None

    def clear_header(self, name: str) -> None:
        """Take back all values of a field."""
        if name in self._headers:
            del self._headers[name]

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """Answer with a redirect (302, 301 if *permanent*, or any 3xx *status*) and finish.

        *url* is sent as given, relative or absolute; what is not ASCII is percent-encoded.

        :raises ValueError: when *url* holds white space or control characters.
        """
        if self._headers_written:
            raise RuntimeError("Cannot redirect after headers have been written")
        if status is None:
            status = 301 if permanent else 302
        elif status not in range(300, 400):
            raise ValueError(f"Not a redirect: status {status!r}")
        self.set_status(status)
        self._headers["Location"] = _location(url)
        self.finish()

    # --- conditional requests -------------------------------------------------------------

    def compute_etag(self) -> str | None:
        """The entity tag: a hash of what was written. Override it; None means no tag."""
        buffer = self._write_buffer
        body = buffer[0] if len(buffer) == 1 else b"".join(buffer)
        return f'"{_sha1(body, usedforsecurity=False).hexdigest()}"'

    def set_etag_header(self) -> None:
        """Set ``Etag`` to :meth:`compute_etag`.

        :meth:`finish` does it for a 200 to GET or HEAD, unless ``Etag`` was set to another value.
        """
        etag = self.compute_etag()
        if etag is not None:
            self._headers["Etag"] = self._computed_etag = etag

    def check_etag_header(self) -> bool:
        """Whether the request's ``If-None-Match`` holds our ``Etag``, so that 304 is the answer.

        The comparison is weak and ``*`` matches any tag (RFC 9110, section 13.1.2).
        """
        given = self.request.get_header("If-None-Match")
        if given is None:
            return False
        ours = self._headers.get("Etag", "")
        tags = _ETAGS(given)
        if not ours or not tags:
            return False
        ours = ours.removeprefix("W/")
        return tags[0] == "*" or any(tag.removeprefix("W/") == ours for tag in tags)

    # --- just before the head leaves --------------------------------------------------------

    def _complete_headers(self) -> None:
        """Add what was collected aside: cookies and the names for ``Vary``."""
        headers = self._headers
        if self._vary_headers is not None:
            add_vary(headers, self._vary_headers)
        if self._new_cookies is not None:
            for cookie in self._new_cookies.values():
                headers.add("Set-Cookie", cookie)

    def _clear_representation_headers(self) -> None:
        """A 204 or 304 describes no body (RFC 9110, section 15.4.5)."""
        for name in ("Content-Encoding", "Content-Language", "Content-Type"):
            self.clear_header(name)


def default_headers(settings: Mapping[str, Any]) -> HTTPHeaders:
    """The header fields every answer starts with."""
    headers = HTTPHeaders()
    server = settings.get("server_header", True)
    if server:
        headers["Server"] = server if isinstance(server, str) else server_name()
    headers["Content-Type"] = "text/html; charset=UTF-8"
    headers["Date"] = http_date()
    return headers


@functools.cache
def server_name() -> str:
    """What ``Server`` says unless a setting says otherwise."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"cyclone/{version('cyclone-web')}"
    except PackageNotFoundError:  # run from its sources, or packed into one file
        return "cyclone"


def add_vary(headers: HTTPHeaders, names: list[str]) -> None:
    """Merge *names* into ``Vary``; a ``*`` there covers all of them."""
    if "Vary" not in headers:
        headers["Vary"] = ", ".join(names)
        return
    present = [name.strip() for value in headers.get_list("Vary") for name in value.split(",")]
    known = {name.lower() for name in present}
    if "*" in known:
        return
    missing = [name for name in names if name.lower() not in known]
    if missing:
        headers["Vary"] = ", ".join([name for name in present if name] + missing)


def has_no_body(status_code: int) -> bool:
    """Whether an answer with this status never has a body."""
    return status_code in (204, 304) or 100 <= status_code < 200


def _unsafe(error: Exception, name: str) -> HTTPOutputError:
    message = str(error)
    if message.startswith("Invalid header value"):
        message = message.replace("Invalid", "Unsafe", 1) + f" for {name!r}"
    return HTTPOutputError(message)


def _header_value(value: object, name: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, datetime.datetime):
        return format_timestamp(value)
    # numbers.Integral is the test Tornado makes; __index__ is what it comes down to.
    if hasattr(value, "__index__"):
        return str(value)
    raise TypeError(
        f"Unsupported header value {value!r} for {name!r}: it is a str, bytes, int or datetime"
    )


def _location(url: str | bytes) -> str:
    text = url.decode("utf-8") if isinstance(url, bytes) else url
    if not isinstance(text, str):
        raise TypeError(f"redirect() takes a URL as str or bytes, not {url!r}")
    if _UNSAFE_IN_URL(text):
        raise ValueError(f"White space or control character in a redirect: {text!r}")
    if text.isascii():
        return text
    return _NON_ASCII.sub(lambda match: quote(match[0]), text)
