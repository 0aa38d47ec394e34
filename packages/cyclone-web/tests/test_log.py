"""The access log."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from cyclone.web import Application, HTTPError, RequestHandler
from cyclone.web._log import access_log, access_logger


class Status(RequestHandler):
    def get(self, status: str) -> None:
        if int(status) >= 400:
            raise HTTPError(int(status))
        self.set_status(int(status))
        self.write("four")


@pytest.fixture(autouse=True)
def _everything(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def access(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "cyclone.access"]


@pytest.mark.parametrize(
    ("status", "level"),
    [(200, "INFO"), (302, "INFO"), (404, "WARNING"), (499, "WARNING"), (500, "ERROR")],
)
def test_one_line_and_its_level(
    serve: Any, caplog: pytest.LogCaptureFixture, status: int, level: str
) -> None:
    serve([(r"/(\d+)", Status)]).fetch("GET", f"/{status}?a=b")
    (record,) = access(caplog)
    assert record.levelname == level
    line = rf"{status} GET /{status}\?a=b \(127\.0\.0\.1\) \d+\.\d\dms"
    assert re.fullmatch(line, record.getMessage())


def test_fields(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    serve([(r"/(\d+)", Status)]).fetch("GET", "/200")
    event = access(caplog)[0].event  # type: ignore[attr-defined]
    assert {name: event[name] for name in ("method", "uri", "status", "bytes", "remote_ip")} == {
        "method": "GET",
        "uri": "/200",
        "status": 200,
        "bytes": 4,
        "remote_ip": "127.0.0.1",
    }
    assert event["route"] == r"/(\d+)$"
    assert event["handler"].endswith("Status")
    assert len(event["request_id"]) >= 16


def test_json(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    serve([(r"/(\d+)", Status)], access_log_format="json").fetch("GET", "/404")
    fields = json.loads(access(caplog)[0].getMessage())
    assert (fields["status"], fields["route"]) == (404, r"/(\d+)$")


def test_without_a_route(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    serve([]).fetch("GET", "/nowhere")
    assert access(caplog)[0].event["route"] is None  # type: ignore[attr-defined]


def test_log_function(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    client = serve(
        [(r"/(\d+)", Status)], log_function=lambda handler: seen.append(handler.get_status())
    )
    client.fetch("GET", "/201")
    assert seen == [201]
    assert access(caplog) == []


def test_overrides(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    seen: list[str] = []

    class Logging(Application):
        def log_request(self, handler: RequestHandler) -> None:
            seen.append("application")

    class Handler(Status):
        def _log(self) -> None:
            seen.append("handler")
            super()._log()

    serve([(r"/(\d+)", Handler)], application=Logging).fetch("GET", "/200")
    assert seen == ["handler", "application"]


@pytest.mark.parametrize("path", ["/%1b[31m", "/%0aFAKE", '/"', "/a%00"])
def test_lg_01_the_path_is_logged_as_sent(
    serve: Any, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    serve([]).fetch("GET", path)
    message = access(caplog)[0].getMessage()
    assert path in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("status", "level"), [(200, "info"), (399, "info"), (404, "warning"), (500, "error")]
)
def test_access_logger(status: int, level: str) -> None:
    assert access_logger(status) == getattr(access_log, level)


def test_a_summary_of_ones_own(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Quiet(RequestHandler):
        def _request_summary(self) -> str:
            return f"{self.request.method} (hidden)"

        def get(self) -> None:
            self.write("x")

    serve([("/", Quiet)]).fetch("GET", "/?token=secret")
    (record,) = access(caplog)
    assert re.fullmatch(r"200 GET \(hidden\) \d+\.\d\dms", record.getMessage())
