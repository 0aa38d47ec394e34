"""Text and bytes."""

from typing import Any

import pytest

from cyclone import escape


@pytest.mark.parametrize(
    ("value", "expected"),
    [("é", b"\xc3\xa9"), (b"\xff", b"\xff"), (None, None), ("", b"")],
    ids=["text", "bytes", "none", "empty"],
)
def test_utf8(value: Any, expected: Any) -> None:
    assert escape.utf8(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [(b"\xc3\xa9", "é"), ("é", "é"), (None, None)],
    ids=["bytes", "text", "none"],
)
def test_to_unicode(value: Any, expected: Any) -> None:
    assert escape.to_unicode(value) == expected


@pytest.mark.parametrize("function", [escape.utf8, escape.to_unicode])
def test_other_types_are_refused(function: Any) -> None:
    with pytest.raises(TypeError, match="not int"):
        function(1)


def test_bytes_that_are_not_utf8_are_an_error() -> None:
    with pytest.raises(UnicodeDecodeError):
        escape.to_unicode(b"\xff")


def test_old_names() -> None:
    assert escape.native_str is escape.to_basestring is escape._unicode is escape.to_unicode


def test_recursive_unicode() -> None:
    value = {b"a": [b"b", (b"c", 1)], "d": None}
    assert escape.recursive_unicode(value) == {"a": ["b", ("c", 1)], "d": None}
