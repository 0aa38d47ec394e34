"""HTTPRequest: what to fetch and how; checked when it is made, never changed by a fetch."""

from __future__ import annotations

import copy
import json as json_module
import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Self, Unpack

from cyclone.httputil import HTTPHeaders, format_timestamp

from ._abnf import METHOD
from ._body import to_body
from ._errors import OptionConflictError
from ._options import canonical

if TYPE_CHECKING:
    from os import PathLike

    from ._multipart import FileValue
    from ._options import (
        BodyLike,
        BodyProducer,
        HeaderCallback,
        HeadersLike,
        RequestOptions,
        StreamingCallback,
        TLSOptions,
    )

_BODY_OPTIONS = ("body", "json", "files", "body_producer")


def to_headers(value: HeadersLike | None) -> HTTPHeaders:
    """Headers of any of the accepted forms as `HTTPHeaders`; always a copy.

    :raises ValueError: for a name or value that must not go on the wire (CL-01).
    """
    if isinstance(value, HTTPHeaders):
        return value.copy()
    headers = HTTPHeaders()
    if value is None:
        return headers
    pairs = value.items() if isinstance(value, Mapping) else value
    for name, content in pairs:
        key = name.decode("latin-1") if isinstance(name, bytes) else name
        if isinstance(content, list | tuple):
            for one in content:
                headers.add(key, _header_text(one))
        else:
            headers.add(key, _header_text(content))
    return headers


def _header_text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    if isinstance(value, int | float):
        value = str(value)
    if not isinstance(value, str):
        raise TypeError(f"a header value is a str, not {type(value).__name__}")
    return value.strip(" \t")


class HTTPRequest:
    """A request, in Tornado's or Cyclone's spelling (see `RequestOptions` for every keyword).

    An option that was not given (or given as ``None``) is left to the defaults of the client.
    ``headers`` may be a mapping to values or to lists of values, or `HTTPHeaders`; the caller's
    object is copied. ``json=`` and ``files=`` make the body and its ``Content-Type``.

    :raises OptionConflictError: for one option under two names, or two ways to give a body.
    :raises ValueError: for a method or header that must not go on the wire.
    """

    json: object = None
    files: Mapping[str, FileValue] | Iterable[tuple[str, FileValue]] | None = None
    body_producer: BodyProducer | None = None
    user_agent: str | None = None
    cookies: Mapping[str, str] | None = None
    expect_100_continue: bool | None = None
    allow_nonstandard_methods: bool | None = None
    auth_username: str | None = None
    auth_password: str | None = None
    auth_mode: str | None = None
    connect_timeout: float | None = None
    request_timeout: float | None = None
    max_body_size: int | None = None
    max_header_size: int | None = None
    follow_redirects: bool | None = None
    max_redirects: int | None = None
    decompress_response: bool | None = None
    streaming_callback: StreamingCallback | None = None
    header_callback: HeaderCallback | None = None
    proxy_host: str | None = None
    proxy_port: int | None = None
    proxy_username: str | None = None
    proxy_password: str | None = None
    proxy_auth_mode: str | None = None
    no_proxy: str | Iterable[str] | None = None
    network_interface: str | None = None
    allow_ipv6: bool | None = None
    unix_socket: str | PathLike[str] | None = None
    validate_cert: bool | None = None
    ca_certs: str | PathLike[str] | None = None
    client_key: str | PathLike[str] | None = None
    client_cert: str | PathLike[str] | None = None
    ssl_options: TLSOptions | None = None
    server_hostname: str | None = None

    def __init__(
        self,
        url: str | bytes,
        method: str | bytes | None = None,
        headers: HeadersLike | None = None,
        body: BodyLike | None = None,
        **options: Unpack[RequestOptions],
    ) -> None:
        self.url: str = url.decode("utf-8") if isinstance(url, bytes) else url
        if not isinstance(self.url, str):
            raise TypeError(f"the URL is a str, not {type(url).__name__}")
        self._headers = to_headers(headers)
        self._body: object = None
        self.start_time: float = time.time()
        chosen = "GET"
        if options or body is not None:
            chosen = self._take_options(body, options)
        if method is not None:
            chosen = method.decode("latin-1") if isinstance(method, bytes) else method
            if not METHOD.fullmatch(chosen):
                raise ValueError("the method is not a token of RFC 9110")
        self.method = chosen

    def _take_options(self, body: BodyLike | None, options: RequestOptions) -> str:
        """Set the given options; returns the method they imply."""
        given = canonical({**({"body": body} if body is not None else {}), **options})
        implied = [name for name in _BODY_OPTIONS if name in given]
        if len(implied) > 1:
            raise OptionConflictError(
                f"{implied[0]!r} and {implied[1]!r} both give the body: give one of them"
            )
        modified = given.pop("if_modified_since", None)
        if modified is not None:
            self._headers["If-Modified-Since"] = _http_date(modified)
        content = given.pop("body", None)
        self.__dict__.update(given)
        if content is not None:
            self.body = content
        elif "json" in given:
            self._body = json_module.dumps(
                given["json"], ensure_ascii=False, separators=(",", ":")
            ).encode()
            self._headers.setdefault("Content-Type", "application/json")
        elif self.files is not None:
            from ._multipart import encode_multipart

            content_type, self._body = encode_multipart(self.files)
            self._headers["Content-Type"] = content_type
        if "json" in given or "files" in given or options.get("postdata") is not None:
            return "POST"
        return "GET"

    @property
    def headers(self) -> HTTPHeaders:
        """The request's own headers; setting ``None`` empties them."""
        return self._headers

    @headers.setter
    def headers(self, value: HeadersLike | None) -> None:
        self._headers = value if isinstance(value, HTTPHeaders) else to_headers(value)

    @property
    def body(self) -> object:
        """The body: ``bytes`` (a ``str`` is encoded as UTF-8), or the object it is read from."""
        return self._body

    @body.setter
    def body(self, value: object) -> None:
        self._body = to_body(value)

    def copy(self) -> Self:
        """An independent request with the same options."""
        return copy.copy(self)

    def __copy__(self) -> Self:
        new = self.__class__.__new__(self.__class__)
        new.__dict__.update(self.__dict__)
        new._headers = self._headers.copy()
        return new

    def __repr__(self) -> str:
        """Method and URL without its user information; never headers or body (LG-03)."""
        from ._url import without_userinfo

        return f"<{type(self).__name__} {self.method} {without_userinfo(self.url)!r}>"


def _http_date(value: object) -> str:
    if isinstance(value, datetime | int | float | tuple | time.struct_time):
        return format_timestamp(value)
    raise TypeError("if_modified_since is a datetime or seconds since the epoch")
