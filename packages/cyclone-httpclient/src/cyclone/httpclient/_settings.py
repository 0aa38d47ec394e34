"""What a request is to be fetched with: its own options over its client's defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Self

from ._options import DEFAULTS, NAMES, canonical

if TYPE_CHECKING:
    from ._options import HeaderCallback, StreamingCallback, TLSOptions
    from ._request import HTTPRequest

SETTING_NAMES = NAMES - {"json", "files", "body_producer", "if_modified_since"}


class Settings:
    """The value of every option; a plain object since one is made for each fetch that has any."""

    user_agent: str | None = None
    cookies: Mapping[str, str] | None = None
    expect_100_continue: bool
    allow_nonstandard_methods: bool
    auth_username: str | None = None
    auth_password: str | None = None
    auth_mode: str | None = None
    connect_timeout: float
    request_timeout: float
    max_body_size: int
    max_header_size: int
    follow_redirects: bool
    max_redirects: int
    decompress_response: bool
    streaming_callback: StreamingCallback | None = None
    header_callback: HeaderCallback | None = None
    proxy_host: str | None = None
    proxy_port: int | None = None
    proxy_username: str | None = None
    proxy_password: str | None = None
    proxy_auth_mode: str | None = None
    no_proxy: str | Iterable[str] | None = None
    network_interface: str | None = None
    allow_ipv6: bool
    unix_socket: str | PathLike[str] | None = None
    validate_cert: bool
    ca_certs: str | PathLike[str] | None = None
    client_key: str | PathLike[str] | None = None
    client_cert: str | PathLike[str] | None = None
    ssl_options: TLSOptions | None = None
    server_hostname: str | None = None

    def __init__(self, defaults: Mapping[str, object] | None = None) -> None:
        given = canonical(defaults or {})
        unknown = given.keys() - SETTING_NAMES
        if unknown:
            raise TypeError(
                f"not an option that a client can have a default for: {sorted(unknown)}"
            )
        self.__dict__.update(DEFAULTS)
        self.__dict__.update(given)

    def merged(self, request: HTTPRequest) -> Self:
        """These settings under the options that the request has of its own."""
        own = request.__dict__
        overrides = own.keys() & SETTING_NAMES
        if not overrides:
            return self
        new = self.__class__.__new__(self.__class__)
        new.__dict__.update(self.__dict__)
        for name in overrides:
            if own[name] is not None:
                new.__dict__[name] = own[name]
        return new
