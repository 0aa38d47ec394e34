"""Which bodies are forms."""

from __future__ import annotations

import pytest

from cyclone.httpserver import HTTPRequest
from cyclone.httpserver._forms import parse_body
from cyclone.httputil import HTTPInputError


def request(content_type: str | None, body: bytes, **headers: str) -> HTTPRequest:
    fields = dict(headers)
    if content_type is not None:
        fields["Content-Type"] = content_type
    return HTTPRequest("POST", "/", headers=fields, body=body)


def test_urlencoded() -> None:
    found = parse_body(request("application/x-www-form-urlencoded", b"a=1&a=&b=%20"))
    assert found == ({"a": [b"1", b""], "b": [b" "]}, {})


@pytest.mark.parametrize("content_type", [None, "", "application/json", "text/plain"])
def test_no_form(content_type: str | None) -> None:
    assert parse_body(request(content_type, b"a=1")) == ({}, {})


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"a&" * 5000),
        ("multipart/form-data; boundary=B", b"nonsense"),
        ("multipart/form-data", b"nonsense"),
    ],
)
def test_bad_forms(content_type: str, body: bytes) -> None:
    with pytest.raises(HTTPInputError):
        parse_body(request(content_type, body))
    with pytest.raises(HTTPInputError):
        _ = request(content_type, body).files
