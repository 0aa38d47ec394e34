"""How frames are written, and what a close frame may say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.utils import apply_mask as slow_mask
from ws_support import frame

from cyclone.websocket._errors import ParseError
from cyclone.websocket._frames import (
    BINARY_HEADS,
    TEXT_HEADS,
    Closed,
    apply_mask,
    build_frame,
    close_payload,
    frame_head,
    is_sendable_code,
    parse_close,
)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536, 70000])
def test_frames_of_all_sizes(size: int) -> None:
    payload = bytes(size)
    assert build_frame(0x82, payload) == frame(0x82, payload, None)
    assert frame_head(0x82, size) + payload == frame(0x82, payload, None)


def test_the_ready_heads() -> None:
    assert TEXT_HEADS[5] == b"\x81\x05"
    assert BINARY_HEADS[125] == b"\x82\x7d"
    assert len(TEXT_HEADS) == len(BINARY_HEADS) == 126


def test_a_client_masks_each_frame_with_a_key_of_its_own() -> None:
    frames = {build_frame(0x81, b"same", masked=True) for _ in range(20)}
    assert len(frames) == 20
    for one in frames:
        assert one[:2] == b"\x81\x84"
        assert apply_mask(one[6:], one[2:6]) == b"same"


@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 6, 7, 8])
def test_ws12_a_mask_of_another_length_is_refused(size: int) -> None:
    for payload in (b"", b"x", b"x" * 7, b"x" * 65_535, b"x" * 70_000):
        with pytest.raises(ValueError, match="mask"):
            apply_mask(payload, bytes(size))


@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4), st.integers(0, 7))
def test_ws12_the_fast_mask_is_right_at_any_alignment(data: bytes, key: bytes, skip: int) -> None:
    assert apply_mask(memoryview(data)[skip:], key) == slow_mask(data[skip:], key)


@pytest.mark.parametrize("size", [*range(40), 125, 4095, 65_535, 65_536, 69_999, 70_000])
def test_ws12_no_byte_more_and_none_less_is_masked(size: int) -> None:
    around = bytes(range(256)) * 274  # what must not be touched, on both sides
    key = b"\x01\x80\xff\x5a"
    for skip in range(9):
        part = memoryview(around)[skip : skip + size]
        masked = apply_mask(part, key)
        assert len(masked) == size
        assert (
            masked
            == bytes(b ^ key[i & 3] for i, b in enumerate(part[: min(size, 50)]))
            + (slow_mask(part, key)[50:])
        )
        assert apply_mask(masked, key) == part
    assert around == bytes(range(256)) * 274


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999])
def test_codes_that_travel(code: int) -> None:
    assert is_sendable_code(code)
    assert parse_close(close_payload(code, "why")) == Closed(code, "why")


@pytest.mark.parametrize("code", [-1, 0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65536])
def test_codes_that_do_not(code: int) -> None:
    with pytest.raises(ValueError, match="code of a close frame"):
        close_payload(code, None)


def test_close_payloads() -> None:
    assert close_payload(None, None) == b""
    assert close_payload(None, "bye") == b"\x03\xe8bye"
    assert parse_close(b"") == Closed(None, None)
    close_payload(1000, "é" * 61)
    with pytest.raises(ValueError, match="123"):
        close_payload(1000, "é" * 62)
    with pytest.raises(ParseError):
        parse_close(b"\x03")
