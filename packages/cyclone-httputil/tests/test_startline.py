"""Start lines and status phrases."""

import http.client

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import (
    HTTPInputError,
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
    parse_response_start_line,
    responses,
)


def test_request_line() -> None:
    line = parse_request_start_line("GET /foo?a=b HTTP/1.1")
    assert line == RequestStartLine("GET", "/foo?a=b", "HTTP/1.1")
    assert (line.method, line.path, line.version) == ("GET", "/foo?a=b", "HTTP/1.1")
    assert parse_request_start_line("x-y * HTTP/1.0").method == "x-y"


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("GET / HTTP/1.10", id="HV-01-L09"),
        pytest.param("GET / HTTP/ 1.1", id="HV-01-L14"),
        pytest.param("GE(T / HTTP/1.1", id="HV-01-L15"),
        pytest.param("GET / HTTP/4294967295.255", id="HV-01"),
        pytest.param("GET /", id="HV-02-L08"),
        pytest.param("GET / HTTP/2.0", id="HV-02-L10"),
        pytest.param("PRI * HTTP/2.0", id="HV-02-L36"),
        pytest.param("GET /a\x00b HTTP/1.1", id="HV-03-L20"),
        pytest.param("GET /a b HTTP/1.1", id="HV-03-L21"),
        pytest.param("GET /\xff HTTP/1.1", id="HV-03-L23"),
        pytest.param("GET /\x7f HTTP/1.1", id="HV-03-L24"),
        pytest.param("GET  / HTTP/1.1", id="L03"),
        "",
        "GET",
        "GET / http/1.1",
        " GET / HTTP/1.1",
        "GET / HTTP/1.1 ",
        "GET / HTTP/1.1\r\n",
        "GET /\u0142 HTTP/1.1",
        "GET / HTTP/1.\u0661",
    ],
)
def test_bad_request_lines(line: str) -> None:
    with pytest.raises(HTTPInputError):
        parse_request_start_line(line)


def test_an_unknown_version_has_its_own_status() -> None:
    with pytest.raises(HTTPInputError) as caught:
        parse_request_start_line("GET / HTTP/2.0")
    assert caught.value.status_code == 505


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("HTTP/1.1 200 OK", ("HTTP/1.1", 200, "OK")),
        ("HTTP/1.0 404 Not Found", ("HTTP/1.0", 404, "Not Found")),
        ("HTTP/1.1 200 ", ("HTTP/1.1", 200, "")),
        ("HTTP/1.1 200", ("HTTP/1.1", 200, "")),
        ("HTTP/1.1 200 d\xe9j\xe0", ("HTTP/1.1", 200, "d\xe9j\xe0")),
    ],
)
def test_status_line(line: str, expected: tuple[str, int, str]) -> None:
    assert parse_response_start_line(line) == ResponseStartLine(*expected)


@pytest.mark.parametrize(
    "line",
    ["", "HTTP/1.1", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/2.0 200 OK", "HTTP/1.1 200 a\nb"],
)
def test_bad_status_lines(line: str) -> None:
    with pytest.raises(HTTPInputError):
        parse_response_start_line(line)


def test_the_phrases_are_those_of_the_library() -> None:
    assert responses == http.client.responses
    assert responses[404] == "Not Found"


@given(st.text())
def test_any_line_is_parsed_or_refused(line: str) -> None:
    for parse in (parse_request_start_line, parse_response_start_line):
        try:
            parse(line)
        except HTTPInputError:
            continue
