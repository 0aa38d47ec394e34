"""Inflating, without I/O."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cyclone.httpserver import RequestError
from cyclone.httpserver._inflate import STEP, GzipInflater


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4), st.integers(1, 700))
@settings(max_examples=100, deadline=None)
def test_any_cuts(members: list[bytes], step: int) -> None:
    data = b"".join(gzip.compress(member) for member in members)
    inflater = GzipInflater()
    out = b""
    for begin in range(0, len(data), step):
        out += b"".join(inflater.feed(data[begin : begin + step]))
    inflater.finish()
    assert out == b"".join(members)


def test_steps_BP15() -> None:
    inflater = GzipInflater()
    sizes = [len(piece) for piece in inflater.feed(gzip.compress(bytes(10 * STEP)))]
    assert max(sizes) <= STEP
    assert sum(sizes) == 10 * STEP


@given(st.binary(max_size=300))
@settings(max_examples=100, deadline=None)
def test_noise_BP17(noise: bytes) -> None:
    def inflate() -> None:
        inflater = GzipInflater()
        list(inflater.feed(gzip.compress(b"x") + b"\x00" + noise))
        inflater.finish()

    with pytest.raises(RequestError):
        inflate()
