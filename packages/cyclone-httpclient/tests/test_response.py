"""HTTPResponse: Tornado's constructor, both sets of names."""

from __future__ import annotations

from io import BytesIO

import pytest

from cyclone.httpclient import HTTPClientError, HTTPRequest, HTTPResponse
from cyclone.httputil import HTTPHeaders

REQUEST = HTTPRequest("http://user:secret@h/")


def test_tornados_constructor() -> None:
    response = HTTPResponse(REQUEST, 200, buffer=BytesIO(b"x"))
    assert (response.body, response.reason, response.phrase) == (b"x", "OK", "OK")
    assert response.buffer is not None
    assert response.buffer.read() == b"x"
    assert response.effective_url == REQUEST.url
    assert response.error is None
    response.rethrow()
    assert HTTPResponse(REQUEST, 200).body == b""
    assert HTTPResponse(REQUEST, 200).buffer is None
    assert HTTPResponse(REQUEST, 200, buffer=b"y").buffer is not None


@pytest.mark.parametrize("code", [304, 404, 599, 999])
def test_errors(code: int) -> None:
    response = HTTPResponse(REQUEST, code)
    assert isinstance(response.error, HTTPClientError)
    assert response.error.response is response
    with pytest.raises(HTTPClientError, match=str(code)):
        response.rethrow()


def test_a_given_error() -> None:
    error = OSError("x")
    response = HTTPResponse(REQUEST, 599, error=error)
    assert response.error is error
    with pytest.raises(OSError, match="x"):
        response.rethrow()


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/plain", b"\xc3\xbc", "\u00fc"),
        ("text/plain; charset=latin-1", b"\xfc", "\u00fc"),
        ('text/plain; charset="ISO-8859-1"', b"\xfc", "\u00fc"),
        ("text/plain; charset=nonsense", b"\xc3\xbc", "\u00fc"),
        ("text/plain; charset=rot13", b"x", "x"),
        ("text/plain", b"\xff", "\ufffd"),
    ],
)
def test_text(kind: str, body: bytes, text: str) -> None:
    headers = HTTPHeaders({"Content-Type": kind})
    assert HTTPResponse(REQUEST, 200, headers, body).text == text


def test_json() -> None:
    assert HTTPResponse(REQUEST, 200, buffer=b'{"a": [1]}').json() == {"a": [1]}
    with pytest.raises(ValueError, match="Expecting"):
        HTTPResponse(REQUEST, 200, buffer=b"<html>").json()


def test_length() -> None:
    headers = HTTPHeaders({"Content-Length": "7"})
    assert HTTPResponse(REQUEST, 200, headers).length == 7
    assert HTTPResponse(REQUEST, 200, buffer=b"abc").length == 3


def test_LG_03_repr_shows_no_secret() -> None:
    headers = HTTPHeaders({"Set-Cookie": "secret"})
    response = HTTPResponse(REQUEST, 200, headers, b"secret")
    assert repr(response) == "HTTPResponse(code=200, effective_url='http://h/')"
