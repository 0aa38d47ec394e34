"""Form bodies in one go, and the configuration of their parsing."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import (
    HTTPFile,
    HTTPHeaders,
    HTTPInputError,
    MultipartLimits,
    ParseBodyConfig,
    ParseMultipartConfig,
    ParseUrlEncodedConfig,
    get_parse_body_config,
    parse_body_arguments,
    parse_multipart_form_data,
    set_parse_body_config,
)

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=1234"

BODY = (
    b'--1234\r\nContent-Disposition: form-data; name="files"; filename="ab.txt"\r\n\r\n'
    b"Foo\r\n--1234--"
)

Arguments = dict[str, list[bytes]]
Files = dict[str, list[HTTPFile]]


def parse(
    content_type: str,
    body: bytes,
    headers: HTTPHeaders | None = None,
    config: ParseBodyConfig | None = None,
) -> tuple[Arguments, Files]:
    arguments: Arguments = {}
    files: Files = {}
    parse_body_arguments(content_type, body, arguments, files, headers, config=config)
    return arguments, files


@pytest.fixture
def default_config() -> Iterator[None]:
    yield
    set_parse_body_config(None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"a=1&b=2&a=3", {"a": [b"1", b"3"], "b": [b"2"]}),
        (b"a=&b", {"a": [b""], "b": [b""]}),
        (b"", {}),
        (b"a=%C3%A9+%26&%C3%A9=x", {"a": [b"\xc3\xa9 &"], "\xc3\xa9": [b"x"]}),
        (b"a=%zz&b=%", {"a": [b"%zz"], "b": [b"%"]}),
        pytest.param(b"a=1;b=2", {"a": [b"1;b=2"]}, id="HV-14"),
        pytest.param(b"a=" + b";" * 1_000_000, {"a": [b";" * 1_000_000]}, id="BP-11"),
    ],
)
def test_urlencoded(body: bytes, expected: Arguments) -> None:
    assert parse(FORM, body) == (expected, {})


@pytest.mark.parametrize(
    "content_type",
    [
        FORM,
        "Application/X-WWW-Form-UrlEncoded",
        f"{FORM};charset=utf-8",
        f"{FORM} ; charset=ISO-8859-1",
    ],
)
def test_content_types_of_forms(content_type: str) -> None:
    assert parse(content_type, b"a=1") == ({"a": [b"1"]}, {})


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/json", "multipart/mixed; boundary=1", FORM + "x"],
)
def test_other_bodies_add_nothing(content_type: str) -> None:
    assert parse(content_type, b"a=1") == ({}, {})


def test_what_is_there_is_extended() -> None:
    arguments: Arguments = {"a": [b"0"]}
    files: Files = {}
    parse_body_arguments(FORM, b"a=1", arguments, files)
    parse_body_arguments(MULTIPART, BODY, arguments, files)
    parse_body_arguments(MULTIPART, BODY, arguments, files)
    assert arguments == {"a": [b"0", b"1"]}
    assert [file.body for file in files["files"]] == [b"Foo", b"Foo"]


@pytest.mark.parametrize(
    "content_type",
    [
        MULTIPART,
        'multipart/form-data; boundary="1234"',
        "Multipart/Form-Data;BOUNDARY=1234",
        "multipart/form-data; charset=utf-8; boundary=1234",
        "multipart/form-data; boundary = 1234 ",
    ],
)
def test_content_types_of_multipart_bodies(content_type: str) -> None:
    """BP-21."""
    _, files = parse(content_type, BODY)
    file = files["files"][0]
    assert (file["filename"], file.body) == ("ab.txt", b"Foo")
    assert file.content_type == "application/unknown"


@pytest.mark.parametrize(
    ("content_type", "message"),
    [
        ("multipart/form-data", "boundary not found"),
        ("multipart/form-data; boundary=", "boundary not found"),
        ('multipart/form-data; boundary=""', "boundary not found"),
        ("multipart/form-dataxyz; boundary=1234", "content type"),
        ('multipart/form-data; boundary="1234 "', "bad boundary"),
        ("multipart/form-data; boundary=" + "x" * 257, "bad boundary"),
        ("multipart/form-data; boundary=12345", "no boundary|no final boundary"),
        ("multipart/form-data; boundary=1234; charset=foo", "Unsupported charset"),
        (f"{FORM}; charset=unicode_escape", "Unsupported charset"),
    ],
)
def test_bad_content_types(content_type: str, message: str) -> None:
    """BP-18, BP-21."""
    with pytest.raises(HTTPInputError, match=message):
        parse(content_type, BODY)


@pytest.mark.parametrize("content_type", [FORM, MULTIPART])
def test_encoded_bodies_are_refused(content_type: str) -> None:
    with pytest.raises(HTTPInputError, match="Content-Encoding"):
        parse(content_type, BODY, HTTPHeaders({"Content-Encoding": "gzip"}))


def test_nothing_is_added_by_a_bad_body() -> None:
    arguments: Arguments = {}
    files: Files = {}
    with pytest.raises(HTTPInputError):
        parse_multipart_form_data(b"1234", BODY[:-2], arguments, files)
    assert (arguments, files) == ({}, {})


@pytest.mark.parametrize(("fields", "accepted"), [(999, True), (1000, True), (1001, False)])
def test_urlencoded_fields_are_limited(fields: int, accepted: bool) -> None:
    """HV-13."""
    body = b"&".join([b"a=1"] * fields)
    if accepted:
        assert len(parse(FORM, body)[0]["a"]) == fields
    else:
        with pytest.raises(HTTPInputError, match="Max number of fields exceeded"):
            parse(FORM, body)


def test_the_default_configuration() -> None:
    config = get_parse_body_config()
    assert (config.multipart.max_parts, config.multipart.max_files) == (1000, 100)
    assert (config.multipart.max_headers, config.multipart.max_part_header_size) == (16, 8192)
    assert config.urlencoded.max_arguments == 1000
    assert ParseMultipartConfig() == ParseMultipartConfig(True, 100, 10240, 100, 16, None, 1 << 23)
    assert config.multipart.limits() == MultipartLimits()
    assert ParseBodyConfig() == ParseBodyConfig(ParseMultipartConfig(), ParseUrlEncodedConfig())


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ParseMultipartConfig(max_parts=0), "too many parts"),
        (ParseMultipartConfig(max_files=0), "too many files"),
        (ParseMultipartConfig(max_part_header_size=10), "header too large"),
        (ParseMultipartConfig(max_headers=0), "too many headers"),
        (ParseMultipartConfig(max_part_size=2), "part too large"),
        (ParseMultipartConfig(enabled=False), "parsing is disabled"),
    ],
)
@pytest.mark.usefixtures("default_config")
def test_multipart_configuration(config: ParseMultipartConfig, message: str) -> None:
    """BP-20, BP-02, BP-03; given, or set for the process."""
    with pytest.raises(HTTPInputError, match=message):
        parse_multipart_form_data(b"1234", BODY, {}, {}, config=config)
    with pytest.raises(HTTPInputError, match=message):
        parse(MULTIPART, BODY, config=ParseBodyConfig(multipart=config))
    set_parse_body_config(ParseBodyConfig(multipart=config))
    with pytest.raises(HTTPInputError, match=message):
        parse(MULTIPART, BODY)
    with pytest.raises(HTTPInputError, match=message):
        parse_multipart_form_data(b"1234", BODY, {}, {})
    set_parse_body_config(ParseBodyConfig())
    assert parse(MULTIPART, BODY)[1]


@pytest.mark.usefixtures("default_config")
def test_urlencoded_configuration() -> None:
    set_parse_body_config(ParseBodyConfig(urlencoded=ParseUrlEncodedConfig(max_arguments=1)))
    assert parse(FORM, b"a=1")[0]
    with pytest.raises(HTTPInputError):
        parse(FORM, b"a=1&b=2")


def test_large_fields_are_allowed_in_memory() -> None:
    value = b"x" * 9_000_000
    body = b"--1234\r\nContent-Disposition: form-data; name=a\r\n\r\n" + value + b"\r\n--1234--"
    assert parse(MULTIPART, body)[0] == {"a": [value]}


@pytest.mark.parametrize(
    "filename",
    ["a;b.txt", 'a"b.txt', 'a";b.txt', 'a;"b.txt', 'a";";.txt', 'a\\"b.txt', "a\\b.txt", "a\tb"],
)
def test_special_filenames(filename: str) -> None:
    escaped = filename.replace("\\", "\\\\").replace('"', '\\"').encode()
    _, files = parse(MULTIPART, BODY.replace(b"ab.txt", escaped))
    assert files["files"][0].filename == filename


@given(st.binary())
def test_any_body_is_parsed_or_refused(body: bytes) -> None:
    for content_type in (FORM, MULTIPART):
        try:
            parse(content_type, body)
        except HTTPInputError:
            continue
