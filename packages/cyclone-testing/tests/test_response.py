"""The responses of the client."""

from __future__ import annotations

from typing import Any

import pytest

from cyclone.httputil import HTTPHeaders
from cyclone.testing import ClientResponse


def response(body: bytes = b"", **headers: Any) -> ClientResponse:
    fields = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    return ClientResponse(201, "Created", fields, body, uri="/x")


def test_the_names_of_handlers_and_of_clients() -> None:
    found = response(b'{"a": 1}', X_Y="z")
    assert found.code == found.status == found.status_code == found.get_status() == 201
    assert found.body == found.content == b'{"a": 1}'
    assert found.headers["X-Y"] == "z"
    assert found.json() == {"a": 1}
    assert (found.reason, found.version, found.history) == ("Created", "HTTP/1.1", [])
    assert repr(found) == "<ClientResponse 201 '/x', 8 bytes>"


@pytest.mark.parametrize(
    ("kind", "body", "text"),
    [
        ("text/html", b"\xc3\xa9", "é"),
        ("text/html; charset=iso-8859-1", b"\xe9", "é"),
        ('text/html; Charset="ISO-8859-1"; x=y', b"\xe9", "é"),
        ("text/html; charset=nonsense", b"\xc3\xa9", "é"),
    ],
)
def test_text(kind: str, body: bytes, text: str) -> None:
    assert response(body, Content_Type=kind).text == text


def test_cookies() -> None:
    found = response()
    found.headers.add("Set-Cookie", "a=1; Path=/")
    found.headers.add("Set-Cookie", "b=2")
    assert {name: morsel.value for name, morsel in found.cookies.items()} == {"a": "1", "b": "2"}
    assert found.cookies["a"]["path"] == "/"
