"""The public names of cyclone.httputil."""

import subprocess
import sys
from importlib.metadata import version
from types import SimpleNamespace

import pytest

import cyclone.httputil

NAMES = [
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


def test_the_public_names() -> None:
    assert cyclone.httputil.__all__ == NAMES


def test_version_is_the_distributions() -> None:
    assert cyclone.httputil.__version__ == version("cyclone-httputil")


def test_every_public_name_exists() -> None:
    for name in cyclone.httputil.__all__:
        assert getattr(cyclone.httputil, name) is not None


def test_the_import_is_cheap_and_needs_no_event_loop() -> None:
    program = (
        "import sys, cyclone.httputil\n"
        "heavy = {'twisted', 'asyncio', 'email', 'socket', 'ssl', 'multipart', 'tempfile'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_the_request_is_found_where_the_server_is(monkeypatch: pytest.MonkeyPatch) -> None:
    server = SimpleNamespace(HTTPRequest=object())
    monkeypatch.setitem(sys.modules, "cyclone.httpserver", server)
    found = getattr(cyclone.httputil, "HTTPServerRequest")  # noqa: B009
    assert found is server.HTTPRequest
    monkeypatch.setitem(sys.modules, "cyclone.httpserver", None)
    with pytest.raises(AttributeError, match="needs the package cyclone-httpserver"):
        getattr(cyclone.httputil, "HTTPServerRequest")  # noqa: B009


def test_what_programs_for_tornado_split_headers_with() -> None:
    split = getattr(cyclone.httputil, "_parse_header")  # noqa: B009
    assert split('form-data; name="a;b"; X=1') == ("form-data", {"name": "a;b", "x": "1"})
