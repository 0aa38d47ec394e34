"""The health page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from twisted.internet import defer

from cyclone.cli import HealthHandler, _drain, is_draining
from cyclone.testing import Client
from cyclone.web import Application


def ask(checks: Any = None, verb: str = "GET", **attributes: Any) -> tuple[int, bytes]:
    application = Application([(r"/health", HealthHandler, {"checks": checks})])
    vars(application).update(attributes)
    response = Client(application).fetch(verb, "/health")
    return response.code, response.body


async def later() -> bool:
    return True


def broken() -> bool:
    raise OSError("secret")


@pytest.mark.parametrize(
    ("checks", "status", "answer"),
    [
        (None, 200, {"status": "ok", "checks": {}}),
        ({"a": lambda: 1, "b": later}, 200, {"status": "ok", "checks": {"a": True, "b": True}}),
        ({"a": lambda: defer.succeed(True)}, 200, {"status": "ok", "checks": {"a": True}}),
        ({"a": lambda: None}, 503, {"status": "failing", "checks": {"a": False}}),
        ({"a": broken}, 503, {"status": "failing", "checks": {"a": False}}),
    ],
)
def test_checks(checks: Any, status: int, answer: dict[str, Any]) -> None:
    found, body = ask(checks)
    assert (found, json.loads(body)) == (status, answer)


def test_head() -> None:
    assert ask(verb="HEAD") == (200, b"")


def test_draining(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_draining()
    monkeypatch.setattr(_drain, "_draining", True)
    assert is_draining()
    assert ask() == (503, b'{"status": "stopping", "checks": {}}')


def test_an_application_that_stops() -> None:
    assert ask(closing=True)[0] == 503
