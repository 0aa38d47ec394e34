"""HTTPRequest: what it keeps, copies, refuses and shows."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest

from cyclone.httpclient import HTTPRequest
from cyclone.httputil import HTTPHeaders


@pytest.mark.parametrize(
    "headers",
    [
        {"A": "1", "B": "2"},
        {"a": ["1"], "b": ("2",)},
        {b"A": b"1", b"B": b"2"},
        [("A", "1"), ("B", "2")],
        {"A": 1, "B": 2},
        HTTPHeaders({"A": "1", "B": "2"}),
    ],
)
def test_headers_of_every_form_are_copied(headers: Any) -> None:
    before = copy.copy(headers)
    request = HTTPRequest("http://h/", headers=headers)
    assert list(request.headers.get_all()) == [("A", "1"), ("B", "2")]
    request.headers["C"] = "3"
    assert headers == before


def test_several_values() -> None:
    request = HTTPRequest("http://h/", headers={"A": ["1", "2"]})
    assert request.headers.get_list("A") == ["1", "2"]


def test_setters() -> None:
    request = HTTPRequest("http://h/")
    request.headers = {"a": "b"}
    assert isinstance(request.headers, HTTPHeaders)
    request.headers = None
    assert list(request.headers) == []
    values: list[tuple[object, bytes]] = [
        ("\u00fc", b"\xc3\xbc"),
        (bytearray(b"x"), b"x"),
        ([b"a", b"b"], b"ab"),
    ]
    for value, body in values:
        request.body = value
        assert request.body == body
    with pytest.raises(TypeError):
        request.body = 42


@pytest.mark.parametrize(
    "when",
    [
        datetime.datetime(2020, 1, 2, 3, 4, 5, tzinfo=datetime.UTC),
        1577934245,
        1577934245.0,
    ],
)
def test_if_modified_since(when: Any) -> None:
    request = HTTPRequest("http://h/", if_modified_since=when)
    assert request.headers["If-Modified-Since"] == "Thu, 02 Jan 2020 03:04:05 GMT"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"headers": {"A": "b\nc"}}, ValueError),
        ({"headers": {"A": object()}}, TypeError),
        ({"headers": {"A": None}}, TypeError),
        ({"headers": {"A": "\u20ac"}}, ValueError),
        ({"method": "A B"}, ValueError),
        ({"method": "x" * 65}, ValueError),
        ({"if_modified_since": "yesterday"}, TypeError),
        ({"json": object()}, TypeError),
        ({"body": 42}, TypeError),
    ],
)
def test_CL_01_refused(options: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        HTTPRequest("http://h/", **options)


def test_json_and_files_make_the_body() -> None:
    request = HTTPRequest("http://h/", json={"a": "\u00fc"})
    assert request.body == '{"a":"\u00fc"}'.encode()
    assert (request.method, request.headers["Content-Type"]) == ("POST", "application/json")
    request = HTTPRequest("http://h/", json=[], headers={"Content-Type": "application/x+json"})
    assert request.headers["Content-Type"] == "application/x+json"
    request = HTTPRequest("http://h/", method="PUT", files={"a": "b"})
    assert request.method == "PUT"
    assert request.headers["Content-Type"].startswith("multipart/form-data; boundary=")


def test_copies_are_independent() -> None:
    request = HTTPRequest("http://h/", headers={"a": "b"}, user_agent="x")
    for other in (copy.copy(request), request.copy()):
        other.headers["a"] = "c"
        other.user_agent = "y"
    assert (request.headers["a"], request.user_agent) == ("b", "x")


def test_LG_03_repr_shows_no_secret() -> None:
    request = HTTPRequest(
        "http://user:secret@h/p", headers={"Authorization": "secret"}, body="secret", method="POST"
    )
    assert repr(request) == "<HTTPRequest POST 'http://h/p'>"


def test_bytes_url() -> None:
    assert HTTPRequest(b"http://h/\xc3\xbc").url == "http://h/\u00fc"
