"""The options of a request: their names, both spellings of them, and what they are by default."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable, Iterable, Mapping
from datetime import datetime
from typing import IO, TYPE_CHECKING, Final, Protocol, TypeAlias, TypedDict

from ._errors import OptionConflictError

if TYPE_CHECKING:
    import ssl
    from os import PathLike

    from OpenSSL.SSL import Context
    from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
    from twisted.web.iweb import IBodyProducer, IPolicyForHTTPS

    from cyclone.httputil import HTTPHeaders

    from ._multipart import FileValue

    # Not as strings in parentheses: to pyright such an alias is of unknown type
    HeaderValue: TypeAlias = str | bytes | int | Iterable[str | bytes]
    HeadersLike: TypeAlias = (
        HTTPHeaders
        | Mapping[str, HeaderValue]
        | Mapping[bytes, HeaderValue]
        | Iterable[tuple[str, str]]
    )
    BodyLike: TypeAlias = (
        bytes
        | bytearray
        | memoryview
        | str
        | IO[bytes]
        | Iterable[bytes]
        | AsyncIterable[bytes]
        | IBodyProducer
    )
    TLSOptions: TypeAlias = (
        Mapping[str, object]
        | ssl.SSLContext
        | Context
        | IOpenSSLClientConnectionCreator
        | IPolicyForHTTPS
    )

StreamingCallback: TypeAlias = Callable[[bytes], "Awaitable[None] | None"]
HeaderCallback: TypeAlias = Callable[[str], None]


class BodyWriter(Protocol):
    """What a ``body_producer`` is given: it writes a piece and fires when there is room."""

    def __call__(self, data: bytes, /) -> Awaitable[None]:
        """Send ``data``; await the result before sending the next piece."""
        ...


BodyProducer: TypeAlias = Callable[[BodyWriter], "Awaitable[None] | None"]


class RequestOptions(TypedDict, total=False):
    """Every keyword of `HTTPRequest`, `fetch` and `AsyncHTTPClient.fetch`; times in seconds.

    Tornado's names. Cyclone's are `postdata`, `followRedirect`, `maxRedirects`, `timeout`, `proxy`.
    ``None`` means "as the client's defaults say" everywhere.
    """

    # what is sent
    json: object
    files: Mapping[str, FileValue] | Iterable[tuple[str, FileValue]] | None
    body_producer: BodyProducer | None
    if_modified_since: datetime | float | None
    user_agent: str | None
    cookies: Mapping[str, str] | None
    expect_100_continue: bool | None
    allow_nonstandard_methods: bool | None
    # credentials
    auth_username: str | None
    auth_password: str | None
    auth_mode: str | None
    # limits
    connect_timeout: float | None
    request_timeout: float | None
    max_body_size: int | None
    max_header_size: int | None
    # what comes back
    follow_redirects: bool | None
    max_redirects: int | None
    decompress_response: bool | None
    use_gzip: bool | None
    streaming_callback: StreamingCallback | None
    header_callback: HeaderCallback | None
    # the way there
    proxy_host: str | None
    proxy_port: int | None
    proxy_username: str | None
    proxy_password: str | None
    proxy_auth_mode: str | None
    no_proxy: str | Iterable[str] | None
    network_interface: str | None
    allow_ipv6: bool | None
    unix_socket: str | PathLike[str] | None
    # TLS
    validate_cert: bool | None
    ca_certs: str | PathLike[str] | None
    client_key: str | PathLike[str] | None
    client_cert: str | PathLike[str] | None
    ssl_options: TLSOptions | None
    server_hostname: str | None
    # Tornado's curl client only: accepted, and refused when not None
    prepare_curl_callback: Callable[[object], None] | None
    # Cyclone's spellings
    postdata: BodyLike | None
    followRedirect: bool | None
    maxRedirects: int | None
    timeout: float | None
    proxy: str | tuple[str, int] | None


ALIASES: Final[Mapping[str, str]] = {
    "postdata": "body",
    "followRedirect": "follow_redirects",
    "maxRedirects": "max_redirects",
    "timeout": "connect_timeout",
    "use_gzip": "decompress_response",
}

DEFAULTS: Final[Mapping[str, object]] = {
    "connect_timeout": 20.0,
    "request_timeout": 20.0,
    "follow_redirects": True,
    "max_redirects": 5,
    "decompress_response": True,
    "allow_nonstandard_methods": False,
    "expect_100_continue": False,
    "validate_cert": True,
    "allow_ipv6": True,
    "max_body_size": 100 * 1024 * 1024,
    "max_header_size": 64 * 1024,
    "proxy_password": "",
}

NAMES: Final = frozenset(RequestOptions.__annotations__) - ALIASES.keys() - {"proxy"}
"""The one name of each option (without ``url``, ``method``, ``headers`` and ``body``)."""


def canonical(options: Mapping[str, object]) -> dict[str, object]:
    """Bring options to one spelling and drop those that are ``None``.

    :raises TypeError: for an unknown name.
    :raises OptionConflictError: naming both spellings, when one option has two.
    """
    result: dict[str, object] = {}
    spelled: dict[str, str] = {}
    for given, value in options.items():
        if value is None and given != "json":
            if given not in NAMES and given not in ALIASES and given not in ("proxy", "body"):
                raise TypeError(f"unknown request option {given!r}")
            continue
        for name, one in _expand(given, value):
            if name in spelled:
                raise OptionConflictError(
                    f"{spelled[name]!r} and {given!r} are two names of one option: give one of them"
                )
            spelled[name] = given
            result[name] = one
    return result


def _expand(given: str, value: object) -> list[tuple[str, object]]:
    """The canonical options that one keyword stands for."""
    if given == "proxy":
        from ._proxy import split_proxy

        return split_proxy(value)
    name = ALIASES.get(given, given)
    if name not in NAMES and name != "body":
        raise TypeError(f"unknown request option {given!r}")
    if given == "prepare_curl_callback":
        raise ValueError("prepare_curl_callback is for Tornado's curl client, which is not here")
    return [(name, value)]
