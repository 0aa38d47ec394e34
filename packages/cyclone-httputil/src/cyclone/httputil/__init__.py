"""HTTP headers, cookies, dates, forms, multipart, ranges and negotiation without any I/O."""

from typing import TYPE_CHECKING

from ._abnf import HTTP_WHITESPACE, is_token
from ._accept import choose_encoding, choose_media_type, parse_accept
from ._body import (
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    get_parse_body_config,
    parse_body_arguments,
    parse_multipart_form_data,
    set_parse_body_config,
)
from ._context import RequestContext, current_request
from ._cookies import build_set_cookie, parse_cookie
from ._dates import format_timestamp, http_date, parse_http_date
from ._errors import CookieError, HTTPInputError, HTTPOutputError, RangeNotSatisfiable
from ._etags import etag_matches, parse_etags, quote_etag
from ._files import HTTPFile
from ._forms import FormReceiver, SpooledPart
from ._forwarded import forwarded_address, parse_forwarded
from ._headers import HTTPHeaders
from ._interfaces import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from ._multipart import (
    MultipartEvent,
    MultipartLimits,
    MultipartReceiver,
    PartBegin,
    PartData,
    PartEnd,
)
from ._params import check_charset, content_disposition, parse_parameters
from ._pieces import Pieces, append_joined
from ._ranges import format_content_range, if_range_matches, parse_byte_ranges
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
    "FormReceiver",
    "HTTPConnection",
    "HTTPFile",
    "HTTPHeaders",
    "HTTPInputError",
    "HTTPMessageDelegate",
    "HTTPOutputError",
    "HTTPServerConnectionDelegate",
    "MultipartEvent",
    "MultipartLimits",
    "MultipartReceiver",
    "ParseBodyConfig",
    "ParseMultipartConfig",
    "ParseUrlEncodedConfig",
    "PartBegin",
    "PartData",
    "PartEnd",
    "Pieces",
    "RangeNotSatisfiable",
    "RequestContext",
    "RequestStartLine",
    "ResponseStartLine",
    "SpooledPart",
    "__version__",
    "append_joined",
    "build_set_cookie",
    "check_charset",
    "choose_encoding",
    "choose_media_type",
    "content_disposition",
    "current_request",
    "encode_username_password",
    "etag_matches",
    "format_content_range",
    "format_timestamp",
    "forwarded_address",
    "get_parse_body_config",
    "http_date",
    "if_range_matches",
    "is_token",
    "parse_accept",
    "parse_body_arguments",
    "parse_byte_ranges",
    "parse_cookie",
    "parse_etags",
    "parse_forwarded",
    "parse_http_date",
    "parse_multipart_form_data",
    "parse_parameters",
    "parse_request_start_line",
    "parse_response_start_line",
    "qs_to_qsl",
    "quote_etag",
    "responses",
    "set_parse_body_config",
    "split_host_and_port",
    "url_concat",
    "validate_host",
]

__version__: str

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> object:
        """The version comes from the installed metadata, read only when asked for.

        ``HTTPServerRequest``, which Tornado has here, is `cyclone.httpserver.HTTPRequest`: found
        where that package is installed.
        """
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-httputil")
        if name == "HTTPServerRequest":
            from importlib import import_module

            try:
                return import_module("cyclone.httpserver").HTTPRequest
            except ModuleNotFoundError:
                raise AttributeError(f"{name} needs the package cyclone-httpserver") from None
        if name == "_parse_header":
            # Private in Tornado, and yet what programs split their headers with
            return parse_parameters
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
