"""Bytes that arrive in pieces."""

import os
import tracemalloc
from collections import deque
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import Pieces, append_joined
from cyclone.httputil._pieces import _MANY


@given(
    st.lists(st.sampled_from([0, 1, 2, 63, 1000, 30_000, 65_535, 65_536, 70_000]), max_size=200),
    st.integers(0, 200),
)
def test_nothing_is_lost(sizes: list[int], taken_at: int) -> None:
    pieces, whole, first = Pieces(), b"", b""
    for number, size in enumerate(sizes):
        if number == taken_at:
            first = b"".join(pieces.take())
            assert pieces.size == 0
            assert pieces.joined() == b""
        data = bytes([number % 256]) * size
        pieces.append(data)
        whole += data
    assert pieces.size == len(whole) - len(first)
    assert first + pieces.joined() == whole
    assert first + pieces.joined() == whole
    assert first + b"".join(pieces.take()) == whole


@pytest.mark.parametrize("size", [1, 2, 1000, 4096, 30_000, 65_535, 65_536, 200_000])
def test_small_pieces_are_not_kept_one_by_one(size: int) -> None:
    pieces = Pieces()
    for _ in range(min(20_000, 4_000_000 // size)):
        pieces.append(os.urandom(size))
    total = pieces.size
    assert len(pieces.take()) <= 64 + total // min(64 * size, 65_536)


@pytest.mark.parametrize(
    ("count", "left"),
    [
        (_MANY - 1, [1] * (_MANY - 1)),
        (_MANY, [_MANY]),
        (2 * _MANY, [_MANY, _MANY]),
        (2 * _MANY + 1, [_MANY, _MANY, 1]),
    ],
)
def test_what_was_joined_is_not_joined_again(count: int, left: list[int]) -> None:
    pieces = Pieces()
    for _ in range(count):
        pieces.append(b"x")
    assert [len(piece) for piece in pieces.take()] == left


def test_two_bytes_at_a_time_cost_little_more_than_their_size() -> None:
    pieces = Pieces()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(100_000):
            pieces.append(b"%02d" % (number % 100))
        used = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert used < 2 * pieces.size


def test_clear() -> None:
    pieces = Pieces()
    pieces.append(b"x")
    pieces.clear()
    pieces.append(b"y")
    assert pieces.joined() == b"y"
    assert pieces.size == 1


def test_one_piece_is_not_copied() -> None:
    pieces, data = Pieces(), os.urandom(1000)
    pieces.append(data)
    assert pieces.joined() is data


@given(st.lists(st.binary(max_size=12)))
def test_small_pieces_of_a_queue_are_put_together(pieces: list[bytes]) -> None:
    queue: deque[bytes | bytearray] = deque([b"large"])
    for piece in pieces:
        append_joined(queue, piece, 20)
    assert b"".join(queue) == b"large" + b"".join(pieces)
    assert all(len(each) <= 20 for each in queue)
    following = list(queue)[1:]
    assert all(len(one) + len(two) > 20 for one, two in pairwise(following))
