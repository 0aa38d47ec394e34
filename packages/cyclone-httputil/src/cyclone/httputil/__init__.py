"""HTTP headers, cookies, dates, forms, multipart, ranges and negotiation without any I/O."""

from ._abnf import HTTP_WHITESPACE, is_token
from ._cookies import build_set_cookie, parse_cookie
from ._dates import format_timestamp, http_date, parse_http_date
from ._errors import CookieError, HTTPInputError, HTTPOutputError, RangeNotSatisfiable
from ._files import HTTPFile
from ._headers import HTTPHeaders
from ._startline import (
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
    parse_response_start_line,
    responses,
)
from ._urls import (
    encode_username_password,
    qs_to_qsl,
    split_host_and_port,
    url_concat,
    validate_host,
)

__all__ = [
    "HTTP_WHITESPACE",
    "CookieError",
    "HTTPFile",
    "HTTPHeaders",
    "HTTPInputError",
    "HTTPOutputError",
    "RangeNotSatisfiable",
    "RequestStartLine",
    "ResponseStartLine",
    "__version__",
    "build_set_cookie",
    "encode_username_password",
    "format_timestamp",
    "http_date",
    "is_token",
    "parse_cookie",
    "parse_http_date",
    "parse_request_start_line",
    "parse_response_start_line",
    "qs_to_qsl",
    "responses",
    "split_host_and_port",
    "url_concat",
    "validate_host",
]

__version__: str


def __getattr__(name: str) -> str:
    """The version comes from the installed metadata, read only when asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cyclone-httputil")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
