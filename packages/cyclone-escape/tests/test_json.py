"""JSON."""

import pytest

from cyclone.escape import json_decode, json_encode


def test_a_script_element_cannot_be_closed() -> None:
    assert json_encode("</script>") == '"<\\/script>"'
    assert json_decode(json_encode("</script>")) == "</script>"


def test_bytes_are_decoded() -> None:
    assert json_decode(json_encode({"a": [b"\xc3\xa9", (b"x",)]})) == {"a": ["é", ["x"]]}
    assert json_encode({b"key": 1}) == '{"key": 1}'


def test_what_json_cannot_hold_is_refused() -> None:
    with pytest.raises(TypeError):
        json_encode({"a": object()})
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(ValueError, match="Circular"):
        json_encode(loop)


@pytest.mark.parametrize("value", ["[" * 100_000, '{"a":' * 100_000, "9" * 5000, "", "{", b"\xff"])
def test_what_cannot_be_read_BP_19(value: str | bytes) -> None:
    """BP-19: one kind of error for all that a client may send."""
    with pytest.raises(ValueError, match=r"\w"):
        json_decode(value)


@pytest.mark.parametrize("value", ['"é"', '"é"'.encode()], ids=["text", "bytes"])
def test_json_decode(value: str | bytes) -> None:
    assert json_decode(value) == "é"


def test_bad_json_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        json_decode("{")
