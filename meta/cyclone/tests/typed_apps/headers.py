"""cyclone.httputil."""

from __future__ import annotations

import datetime
from typing import assert_type

from cyclone import httputil
from cyclone.httputil import HTTPHeaders

headers = HTTPHeaders({"A": "b"})
HTTPHeaders([("A", "b")]).update(headers)
HTTPHeaders(A="b")["C"] = "d"
headers.add("A", "c")
assert_type(headers["A"], str)
assert_type(headers.get("A"), str | None)
assert_type(headers.pop("A", None), str | None)
assert_type(headers.get_list("A"), list[str])
assert_type(HTTPHeaders.parse("A: b"), HTTPHeaders)
assert_type(headers.copy(), HTTPHeaders)
for name, value in headers.get_all():
    assert_type((name, value), tuple[str, str])
arguments = {"a": "b"}
assert_type(httputil.url_concat("/", arguments), str)
assert_type(httputil.url_concat("/", [("a", "b")]), str)
assert_type(httputil.url_concat("/", None), str)
assert_type(httputil.format_timestamp(datetime.datetime.now(datetime.UTC)), str)
assert_type(httputil.format_timestamp(3), str)
assert_type(httputil.split_host_and_port("a:80"), tuple[str, int | None])
assert_type(httputil.responses[200], str)
assert_type(httputil.parse_cookie("a=b"), dict[str, str])
assert_type(httputil.parse_request_start_line("GET / HTTP/1.1").method, str)
assert_type(httputil.ResponseStartLine("HTTP/1.1", 200, "OK").code, int)
httputil.HTTPFile(filename="a", body=b"x", content_type="text/plain")
