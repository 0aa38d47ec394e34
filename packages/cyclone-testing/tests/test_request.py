"""The bytes of requests."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.escape import parse_qs_bytes
from cyclone.httputil import HTTPFile, HTTPHeaders, parse_body_arguments
from cyclone.testing._request import OutgoingRequest, pairs


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (None, []),
        ({"a": 1, "b": "x"}, [("a", "1"), ("b", "x")]),
        ({"a": ["1", 2]}, [("a", "1"), ("a", "2")]),
        ([("a", b"\xff"), ("a", "")], [("a", b"\xff"), ("a", "")]),
    ],
    ids=["none", "mapping", "list", "pairs"],
)
def test_parameters(params: Any, expected: list[Any]) -> None:
    assert pairs(params) == expected


@pytest.mark.parametrize(
    ("method", "uri", "params", "target", "body"),
    [
        ("get", "/", None, "/", None),
        ("GET", "/a b?c=d e", None, "/a%20b?c=d%20e", None),
        ("GET", "/?x=1", {"y": "2&3"}, "/?x=1&y=2%263", None),
        ("GET", "/é", None, "/%C3%A9", None),
        ("GET", "/%2e%2e/x", None, "/%2e%2e/x", None),
        ("GET", "http://example.com", None, "/", None),
        ("POST", "/", {"y": "é"}, "/", b"y=%C3%A9"),
        ("PUT", "/", {"y": ["1", "2"]}, "/", b"y=1&y=2"),
        ("PATCH", "/", {}, "/", None),
        ("DELETE", "/", {"y": 1}, "/?y=1", None),
        ("GET", "/\r\nX: y", None, "/X:%20y", None),
        ("GET", "//evil.example/..//x", None, "//evil.example/..//x", None),
        ("GET", "/a:b//c?d=//e?f#g", None, "/a:b//c?d=//e?f", None),
        ("GET", "https://example.com//x?y#z", None, "//x?y", None),
    ],
)
def test_target_and_body(
    method: str, uri: str, params: Any, target: str, body: bytes | None
) -> None:
    request = OutgoingRequest(method, uri, params)
    assert (request.target, request.body) == (target, body)
    assert request.wire("HTTP/1.1").startswith(f"{method.upper()} {target} HTTP/1.1\r\n".encode())


def test_a_body_leaves_the_parameters_to_the_query() -> None:
    request = OutgoingRequest("POST", "/", {"a": "1"}, body="text")
    assert (request.target, request.body) == ("/?a=1", b"text")


def test_json() -> None:
    request = OutgoingRequest("POST", "/", {"a": "1"}, json={"b": [1, None]})
    assert (request.target, request.body) == ("/?a=1", b'{"b": [1, null]}')
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_length_even_without_a_body(method: str) -> None:
    assert b"Content-Length: 0\r\n" in OutgoingRequest(method, "/").wire("HTTP/1.1")
    assert b"Content-Length" not in OutgoingRequest("GET", "/").wire("HTTP/1.1")


def test_headers_are_kept() -> None:
    headers = HTTPHeaders({"X-One": "1"})
    request = OutgoingRequest("POST", "/", {"a": 1}, {"Content-Type": "text/x"}, None)
    assert request.headers["Content-Type"] == "text/x"
    assert OutgoingRequest("GET", "/", headers=headers).headers["X-One"] == "1"


def test_files() -> None:
    files = {
        "a": b"plain",
        "b": ("b.txt", "text"),
        "c": [
            ("c.png", b"\x89", "image/png"),
            HTTPFile(filename="d", body=b"D", content_type="x/y"),
        ],
        'q"\r\n': {"filename": 'f"\r\n', "body": b"F"},
    }
    request = OutgoingRequest("POST", "/", {"field": "value", "other": ["1", "2"]}, files=files)
    arguments: dict[str, list[bytes]] = {}
    found: dict[str, list[HTTPFile]] = {}
    body = request.body or b""
    parse_body_arguments(request.headers["Content-Type"], body, arguments, found)
    assert arguments == {"field": [b"value"], "other": [b"1", b"2"]}
    assert [(file.filename, file.body) for file in found["c"]] == [("c.png", b"\x89"), ("d", b"D")]
    assert [file.content_type for file in found["c"]] == ["image/png", "x/y"]
    assert [(file.filename, file.body) for file in found["a"]] == [("a", b"plain")]
    assert found["b"][0].content_type == "application/octet-stream"
    assert len(found) == 4


@pytest.mark.parametrize(
    "arguments",
    [
        {"method": "GE T"},
        {"method": "GET\r\nX:"},
        {"body": b"x", "json": 1},
        {"body": b"x", "files": {"a": b""}},
        {"files": {"a": 7}},
        {"files": {"a": ("n", b"", "text/plain\r\nX: y")}},
        {"headers": {"X": "a\r\nb"}},
    ],
    ids=["space", "line", "two", "three", "file", "type", "header"],
)
def test_what_cannot_be_sent(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        OutgoingRequest(**{"method": "POST", "uri": "/", **arguments})


@given(st.dictionaries(st.text(min_size=1), st.text(min_size=1)))
def test_forms_come_through(params: dict[str, str]) -> None:
    if any("\ud800" <= char <= "\udfff" for text in (*params, *params.values()) for char in text):
        return
    body = OutgoingRequest("POST", "/", params).body or b""
    found = parse_qs_bytes(body, keep_blank_values=True) if params else {}
    # Names are Latin-1 text there, as in Tornado
    decoded = {name.encode("latin-1"): values[0].decode() for name, values in found.items()}
    assert decoded == {name.encode(): value for name, value in params.items()}
