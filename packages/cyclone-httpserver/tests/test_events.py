"""The event log."""

from __future__ import annotations

import contextvars
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from twisted.logger import formatEvent, globalLogPublisher

from cyclone.httpserver import EventLogger, escape_for_log
from cyclone.httputil import current_request


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("é", "é"),
        ("a\nFAKE", "a\\x0aFAKE"),
        ("\x1b[31m", "\\x1b[31m"),
        ("\x9b\x7f\x85", "\\x9b\\x7f\\x85"),
        ("\u2028", "\\u2028"),
        (12, "12"),
    ],
)
def test_escape_LG01(text: object, expected: str) -> None:
    assert escape_for_log(text) == expected


def test_both_worlds(caplog: pytest.LogCaptureFixture) -> None:
    events: list[dict[str, Any]] = []
    observer: Any = events.append
    globalLogPublisher.addObserver(observer)
    try:
        with caplog.at_level(logging.INFO, "cyclone.test"):
            EventLogger("cyclone.test").info("{a} and {b:.1f}", a="x\ny", b=2.25)
    finally:
        globalLogPublisher.removeObserver(observer)
    record = caplog.records[0]
    assert record.getMessage() == "x\\x0ay and 2.2"
    assert record.__dict__["event"] == {"a": "x\ny", "b": 2.25}
    assert record.filename == "test_events.py"
    mine = [event for event in events if event["log_namespace"] == "cyclone.test"]
    assert mine[0]["a"] == "x\ny"


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_levels(level: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "cyclone.test"):
        getattr(EventLogger("cyclone.test"), level)("hello")
    assert caplog.records[0].levelname.lower() == level


def test_missing_field_does_not_raise(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "cyclone.test"):
        EventLogger("cyclone.test").info("{there} {gone}", there=1)
    assert caplog.records[0].getMessage() == "1 {gone}"


def test_exception(caplog: pytest.LogCaptureFixture) -> None:
    error = ValueError("x")
    EventLogger("cyclone.test").error("failed {n}", n=1, exc_info=error)
    assert caplog.records[0].exc_info is not None
    assert caplog.records[0].exc_info[1] is error


def test_a_failing_handler_F18() -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise OSError("disk full")

    logger = logging.getLogger("cyclone.test.broken")
    logger.addHandler(Broken())
    EventLogger("cyclone.test.broken").error("x")


def test_nobody_listens() -> None:
    log = EventLogger("cyclone.test.silent")
    logging.getLogger("cyclone.test.silent").setLevel(logging.CRITICAL)
    log.info("{x}", x=object())
    assert isinstance(log.is_enabled(logging.INFO), bool)


def test_the_ids_of_the_request_that_is_served(caplog: pytest.LogCaptureFixture) -> None:
    class Serving:
        def log_fields(self) -> dict[str, str]:
            return {"request_id": "a1", "status": "never in place of a field"}

        def outgoing_headers(self) -> dict[str, str]:
            raise AssertionError("nothing is sent")

    def log() -> None:
        current_request.set(Serving())
        EventLogger("cyclone.test").warning("{braces} without fields")
        EventLogger("cyclone.test").warning("{status}", status=200)

    contextvars.copy_context().run(log)
    EventLogger("cyclone.test").warning("outside")
    events = [record.event for record in caplog.records]  # type: ignore[attr-defined]
    assert [record.getMessage() for record in caplog.records] == [
        "{braces} without fields",
        "200",
        "outside",
    ]
    assert events[0]["request_id"] == "a1"
    assert events[1] == {"request_id": "a1", "status": 200}
    assert events[2] == {}


class _Begun:
    """What `twisted.python.log.startLogging` leads to: an observer of all events."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._observer: Any = self._note

    def __enter__(self) -> list[str]:
        globalLogPublisher.addObserver(self._observer)
        return self.lines

    def __exit__(self, *_: object) -> None:
        globalLogPublisher.removeObserver(self._observer)

    def _note(self, event: Any) -> None:
        if event["log_namespace"] == "nowhere.else":
            self.lines.append(formatEvent(event))


@pytest.fixture
def unheard() -> Iterator[logging.Logger]:
    """A logger that nobody has given a handler, whatever pytest has set up."""
    logger = logging.getLogger("nowhere.else")
    logger.propagate = False
    yield logger
    logger.propagate = True


def test_one_line_where_only_twisted_logs(
    unheard: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    with _Begun() as lines:
        EventLogger(unheard.name).warning("{what} is wrong", what="this")
    assert lines == ["this is wrong"]
    assert capsys.readouterr().err == ""  # redirected, it would be a second line


def test_a_filter_sees_the_record_where_only_twisted_logs(unheard: logging.Logger) -> None:
    seen: list[logging.LogRecord] = []

    def note(record: logging.LogRecord) -> bool:
        seen.append(record)
        return False

    unheard.addFilter(note)
    try:
        with _Begun() as lines:
            EventLogger(unheard.name).warning("wrong")
    finally:
        unheard.removeFilter(note)
    assert [record.getMessage() for record in seen] == lines == ["wrong"]


@pytest.mark.parametrize("way", ["exception", "triple", "current"])
def test_twisted_gets_the_traceback_and_no_failure(way: str, unheard: logging.Logger) -> None:
    with _Begun() as lines:
        try:
            raise ValueError("of\nthis")
        except ValueError as error:
            exc_info: Any = {
                "exception": error,
                "triple": (ValueError, error, error.__traceback__),
                "current": True,
            }[way]
            EventLogger(unheard.name).error("failed", exc_info=exc_info)
    first, second, *_, last = lines[0].split("\n")
    assert (first, second) == ("failed", "Traceback (most recent call last):")
    assert last == "this"


def test_nothing_to_trace(unheard: logging.Logger) -> None:
    with _Begun() as lines:
        EventLogger(unheard.name).error("failed", exc_info=True)
    assert lines == ["failed"]
