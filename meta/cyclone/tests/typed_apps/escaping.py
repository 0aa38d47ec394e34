"""cyclone.escape: what None, str and bytes become."""

from __future__ import annotations

from typing import Any, assert_type

from cyclone import escape
from cyclone.escape import native_str, to_unicode, utf8


def convert(text: str, either: str | bytes, perhaps: str | bytes | None) -> None:
    assert_type(utf8(text), bytes)
    assert_type(utf8(either), bytes)
    assert_type(utf8(perhaps), bytes | None)
    assert_type(utf8(None), None)
    assert_type(to_unicode(b"x"), str)
    assert_type(to_unicode(either), str)
    assert_type(to_unicode(perhaps), str | None)
    assert_type(to_unicode(None), None)
    assert_type(native_str(either), str)
    assert_type(escape.to_basestring(perhaps), str | None)
    assert_type(escape._unicode(b"x"), str)
    assert_type(escape.xhtml_escape(either), str)
    assert_type(escape.xhtml_unescape(either), str)
    assert_type(escape.url_escape(either, plus=False), str)
    assert_type(escape.url_unescape(either), str)
    assert_type(escape.url_unescape(either, encoding=None), bytes)
    assert_type(escape.url_unescape(either, "latin-1", plus=False), str)
    assert_type(escape.json_encode({"a": [1, None]}), str)
    assert_type(escape.json_decode(either), Any)
    assert_type(escape.squeeze(text), str)
    assert_type(escape.linkify(either, shorten=True, extra_params='rel="nofollow"'), str)
    assert_type(escape.linkify(text, extra_params=str.upper, permitted_protocols=["http"]), str)
    assert_type(escape.parse_qs_bytes("a=b"), dict[str, list[bytes]])
    escape.recursive_unicode({"a": [b"x"]})
