"""Who blocks the reactor."""

from __future__ import annotations

import logging
import sys
import time
from types import FrameType

import pytest
from twisted.internet.task import Clock

from cyclone.cli._blocking import BlockingWatch, describe
from cyclone.httpserver import HTTPRequest
from cyclone.web import Application, RequestHandler


class Busy(RequestHandler):
    frame: FrameType

    def get(self) -> None:
        def inner() -> None:
            self.frame = sys._getframe()

        inner()


def test_describe() -> None:
    handler = Busy(Application(), HTTPRequest(method="GET", uri="/"))
    handler.get()
    text = describe(handler.frame)
    assert text.startswith(("Busy.inner (line ", "Busy.get (line "))
    assert __file__ in text
    assert describe(sys._getframe()).endswith("in test_describe")


class Reactor(Clock):
    """A clock with the end of a reactor."""

    def addSystemEventTrigger(self, phase: str, event: str, function: object) -> None:
        self.end = function


def test_a_block_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "cyclone.general")
    reactor = Reactor()
    watch = BlockingWatch(reactor, limit=0.05)
    watch.start()
    limit = time.monotonic() + 10
    while watch._where is None and time.monotonic() < limit:
        time.sleep(0.01)  # this is what blocks
    for _ in range(3):
        reactor.advance(0.02)
    assert callable(reactor.end)
    reactor.end()
    reactor.advance(1)
    reactor.advance(1)
    (message,) = [one.getMessage() for one in caplog.records]
    assert "the reactor was blocked for" in message
    assert "test_a_block_is_told_once" in message
    assert reactor.getDelayedCalls() == []
