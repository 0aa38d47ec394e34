"""Log lines, written in the background (F-18)."""

from __future__ import annotations

import logging
import os

from cyclone.cli._writer import BackgroundHandler


def record(text: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("test", logging.INFO, __file__, 1, text, arguments, None)


def test_lines_are_written_in_order() -> None:
    reading, writing = os.pipe()
    handler = BackgroundHandler(writing)
    for number in range(200):
        handler.handle(record("%d é", number))
    handler.handle(record("%d", "no number"))
    handler.close()
    os.close(writing)
    with open(reading, encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert lines[:-1] == [f"{number} é" for number in range(200)]
    assert lines[-1] == "a log record of test cannot be formatted"


def test_f18_nobody_reads() -> None:
    reading, writing = os.pipe()
    handler = BackgroundHandler(writing, max_lines=100)
    for _ in range(2000):
        handler.handle(record("x" * 1000))
    assert len(handler._lines) <= 100
    assert not handler.flush_within(0.05)
    os.close(reading)
    assert handler.flush_within(5)  # a broken pipe is no longer waited for
    handler.close()
    os.close(writing)


def test_f18_what_was_dropped_is_counted() -> None:
    reading, writing = os.pipe()
    handler = BackgroundHandler(writing, max_lines=2)
    handler._wake.set()  # as if the thread was busy
    for _ in range(5):
        handler.handle(record("line"))
    handler._start()
    handler.close()
    os.close(writing)
    with open(reading, encoding="utf-8") as file:
        assert file.read() == "line\nline\n3 log lines were dropped\n"


def test_a_bad_descriptor() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    os.close(writing)
    handler = BackgroundHandler(writing)
    handler.handle(record("lost"))
    assert handler.flush_within(5)
    handler.close()
    handler.close()
