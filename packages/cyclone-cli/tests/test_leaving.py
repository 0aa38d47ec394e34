"""Ending a process that its threads hold up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator

import pytest

from cyclone.cli import _leaving
from cyclone.cli._leaving import Leaving


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_leaving, "LEAST", 0.0)
    monkeypatch.setattr(_leaving, "_LOOK_EVERY", 0.001)


class Process:
    """Notes what is done to it."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self.over = threading.Event()
        self.leaving = Leaving(lambda: 7, self.clean_up, self.exit)

    def clean_up(self) -> None:
        self.events.append("clean")

    def exit(self, code: int) -> None:
        self.events.append(code)
        self.over.set()


@pytest.fixture
def busy() -> Iterator[threading.Thread]:
    """A thread that works until the test is over."""
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="busy-one")
    thread.start()
    yield thread
    done.set()
    thread.join()


def test_f39_it_ends_with_the_code_and_names_the_threads(
    busy: threading.Thread, caplog: pytest.LogCaptureFixture
) -> None:
    process = Process()
    process.leaving.within(0)
    assert process.leaving.begun
    assert process.over.wait(20)
    assert process.events == ["clean", 7]
    assert "ending without" in caplog.text
    assert "busy-one" in caplog.text


def test_f39_without_a_thread_it_ends_too(caplog: pytest.LogCaptureFixture) -> None:
    process = Process()
    with caplog.at_level(logging.WARNING):
        process.leaving.within(0)
        assert process.over.wait(20)
    assert process.events == ["clean", 7]


def test_a_later_call_only_makes_it_shorter() -> None:
    process = Process()
    process.leaving.within(3600)
    process.leaving.within(0)
    process.leaving.within(3600)
    assert process.over.wait(20)


def test_what_fails_before_does_not_hold_it_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda arguments: None)
    process = Process()

    def broken() -> None:
        raise OSError

    process.leaving = Leaving(lambda: 0, broken, process.exit)
    process.leaving.within(0)
    assert process.over.wait(20)
    assert process.events == [0]


def test_cancelled() -> None:
    process = Process()
    process.leaving.within(3600)
    thread = process.leaving._thread
    assert thread is not None
    process.leaving.cancel()
    assert not process.leaving.begun
    thread.join(20)
    assert not thread.is_alive()
    assert process.events == []
