"""The pipes between workers and their supervisor."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from cyclone.cli._channel import MAX_LINE, EndOfPipe, Lines, say


@given(st.lists(st.text(st.characters(codec="ascii", exclude_characters="\n"))), st.integers(1, 9))
def test_lines_in_any_pieces(lines: list[str], size: int) -> None:
    data = "".join(f"{line}\n" for line in lines).encode()
    feed, found = Lines(), []
    for start in range(0, len(data), size):
        found += feed.feed(data[start : start + size])
    assert found == lines


def test_a_line_without_end_is_forgotten() -> None:
    lines = Lines()
    for _ in range(10):
        assert lines.feed(b"x" * MAX_LINE) == []
    assert len(lines._rest) <= MAX_LINE


def test_say_is_one_line() -> None:
    reading, writing = os.pipe()
    try:
        say("failed a\nb\r\nc", writing)
        say("x" * 10_000, writing)
        data = os.read(reading, 100_000)
    finally:
        os.close(reading)
        os.close(writing)
    first, second, rest = data.split(b"\n")
    assert (first, len(second), rest) == (b"failed a b c", MAX_LINE - 1, b"")
    say("nobody listens", writing)


def test_the_end_of_a_pipe() -> None:
    reading, writing = os.pipe()
    closed: list[bool] = []
    pipe = EndOfPipe(reading, lambda: closed.append(True))
    os.write(writing, b"ignored")
    assert pipe.doRead() is None
    os.set_blocking(reading, False)
    assert pipe.doRead() is None
    os.close(writing)
    assert isinstance(pipe.doRead(), ConnectionDone)
    pipe.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]
    assert closed == [True]
    assert (pipe.fileno(), pipe.logPrefix()) == (reading, "supervisor")
    os.close(reading)
    assert isinstance(pipe.doRead(), ConnectionDone)
