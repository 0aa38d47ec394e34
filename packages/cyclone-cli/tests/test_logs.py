"""Access logs, and what else is logged."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from typing import Any

import pytest
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from cyclone.cli import _logs
from cyclone.httpserver import HTTPRequest
from cyclone.httputil import HTTPHeaders
from cyclone.web import Application, RequestHandler


def handler(uri: str = "/a?b=1", **headers: str) -> RequestHandler:
    fields = HTTPHeaders({name.replace("_", "-"): value for name, value in headers.items()})
    request = HTTPRequest(method="GET", uri=uri, version="HTTP/1.1", headers=fields)
    request.remote_ip = "192.0.2.1"
    made = RequestHandler(Application(), request)
    made.set_status(404)
    return made


def test_combined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_logs, "_stamp", lambda now: "DATE")
    line = _logs.combined(handler(Referer="http://x/", User_Agent="Some/1.0"), 0)
    assert line == ('192.0.2.1 - - [DATE] "GET /a?b=1 HTTP/1.1" 404 0 "http://x/" "Some/1.0"')
    assert _logs.combined(handler(), 0).endswith('"-" "-"')


def test_the_bytes_of_the_body_are_told() -> None:
    class Five(RequestHandler):
        def get(self) -> None:
            self.write("five!")

    told: list[tuple[str, int]] = []
    application = Application(
        [("/", Five)],
        log_function=lambda each: told.append(
            (_logs.combined(each, 0), json.loads(_logs.as_json(each, 0))["bytes"])
        ),
    )
    connection: Any = application.buildProtocol(IPv4Address("TCP", "192.0.2.1", 9))
    connection.makeConnection(StringTransport())  # type: ignore[no-untyped-call]
    connection.dataReceived(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.connectionLost(Failure(ConnectionDone()))  # type: ignore[no-untyped-call]
    ((line, size),) = told
    assert '" 200 5 "' in line
    assert size == 5


@pytest.mark.parametrize("value", ['a" 200 "b', "back\\slash", "\x9b31m"])
def test_nothing_leaves_its_place(value: str) -> None:
    line = _logs.combined(handler(User_Agent=value), 0)
    assert line.count('"') == 6
    assert line.isprintable()


def test_the_date() -> None:
    text = _logs._stamp(1_000_000_000.5)
    assert text[2:12] == "/Sep/2001:"
    assert _logs._stamp(1_000_000_000.9) is text


def test_json() -> None:
    fields = json.loads(_logs.as_json(handler(User_Agent='a"b\n'[:3]), 1.5))
    assert fields["status"] == 404
    assert fields["user_agent"] == 'a"b'
    assert fields["time"] == 1.5
    assert len(fields["request_id"]) == 32


def test_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "cyclone.access")
    log = _logs.access_function("combined")
    for status in (200, 404, 500):
        made = handler()
        made.set_status(status)
        log(made)
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "ERROR"]
    _logs.access_function("off")(handler())
    assert len(caplog.records) == 3


@pytest.mark.parametrize(
    ("settings", "asked", "replaced"),
    [
        ({}, None, True),
        ({"log_function": print}, None, False),
        ({"access_log_format": "json"}, None, False),
        ({"log_function": print}, "off", True),
    ],
)
def test_an_applications_own_log_is_kept(
    settings: dict[str, Any], asked: str | None, replaced: bool
) -> None:
    application = Application(**settings)
    _logs.apply_access_log(application, asked)
    assert (application.settings.get("log_function") is not settings.get("log_function")) is (
        replaced
    )


PROGRAM = """
from cyclone.cli import _logs
import logging
handler = _logs.set_up(worker=3)
from twisted.logger import Logger
from twisted.python.failure import Failure
logging.getLogger("cyclone.general").info("hello %s", "you")
logging.getLogger("cyclone.access").info("whole line", extra={"whole": True})
Logger(namespace="mine").info("not shown")
try:
    1 / 0
except ZeroDivisionError:
    Logger(namespace="mine").failure("it failed")
Logger(namespace="cyclone.general").error("was shown already")
handler.flush_within(5)
"""


def test_set_up() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], stderr=subprocess.PIPE, text=True, check=True
    )
    lines = done.stderr.splitlines()
    assert lines[0].endswith(" INFO [worker 3] cyclone.general: hello you")
    assert lines[1] == "whole line"
    assert lines[2].endswith(" ERROR [worker 3] twisted: it failed")
    assert lines[-1] == "builtins.ZeroDivisionError: division by zero"


def test_no_standard_error_LG_04(monkeypatch: pytest.MonkeyPatch) -> None:
    """LG-04: what is no file descriptor 2 any more may be a client's connection."""
    monkeypatch.setattr(sys, "stderr", None)
    descriptor = _logs._standard_error()
    try:
        assert os.fstat(descriptor).st_rdev == os.stat(os.devnull).st_rdev
    finally:
        os.close(descriptor)


def test_the_requests_id() -> None:
    record = logging.LogRecord("mine", logging.INFO, __file__, 1, "at %s", ("work",), None)
    formatter = _logs.LineFormatter("%(name)s: %(message)s")
    assert formatter.format(record) == "mine: at work"
    record.request_id = "abc"
    assert formatter.format(record) == "mine: [abc] at work"
    assert formatter.format(record) == "mine: [abc] at work"


def test_lg_01_what_an_exception_says_is_no_line_of_the_log() -> None:
    try:
        try:
            raise ValueError("first\x1b[31m\n2026-01-01 INFO mine: fake")
        except ValueError as error:
            raise KeyError("second\r\n2026-01-01 INFO mine: fake") from error
    except KeyError as error:
        failure = (type(error), error, error.__traceback__)
    record = logging.LogRecord("mine", logging.ERROR, __file__, 1, "failed", (), failure)
    text = _logs.LineFormatter("%(levelname)s %(message)s").format(record)
    lines = text.split("\n")
    assert "    2026-01-01 INFO mine: fake" in lines
    assert not [line for line in lines if line.startswith("2026")]
    assert "ValueError: first\\x1b[31m" in text
    assert text.replace("\n", "").isprintable()


def test_lg_01_an_exception_that_cannot_be_told() -> None:
    class Odd(Exception):
        def __str__(self) -> str:
            raise ZeroDivisionError

    odd = Odd()
    odd.__context__ = odd
    record = logging.LogRecord("mine", logging.ERROR, __file__, 1, "failed", (), (Odd, odd, None))
    assert "Odd: <exception str() failed>" in _logs.LineFormatter("%(message)s").format(record)
