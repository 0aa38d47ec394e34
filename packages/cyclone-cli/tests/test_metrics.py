"""Metrics for Prometheus."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from cyclone.cli import _metrics
from cyclone.cli.observability import Metrics, MetricsHandler
from cyclone.web import Application, RequestHandler


class Main(RequestHandler):
    def get(self) -> None:
        self.write("x")


def make(clock: Clock) -> tuple[Application, Metrics]:
    application = Application(
        [(r"/", Main), (r"/metrics", MetricsHandler, {"metrics": lambda: made[0]})],
        log_function=lambda handler: None,
    )
    made = [Metrics(application, reactor=clock)]
    return application, made[0]


def test_page(fetch: Callable[..., Any]) -> None:
    application, _ = make(Clock())
    for path, verb in [("/", "GET"), ("/", "GET"), ("/none", "GET"), ("/", "BREW")]:
        fetch(application, path, verb)
    status, page = fetch(application, "/metrics")
    assert status == 200
    assert 'cyclone_requests_total{handler="Main",method="GET",status="200"} 2.0' in page
    assert 'method="GET",status="404"} 1.0' in page
    assert 'method="other",status="405"} 1.0' in page
    assert 'cyclone_request_seconds_count{handler="Main"} 3.0' in page
    assert "cyclone_connections 1.0" in page
    assert "cyclone_loop_lag_seconds 0.0" in page


def test_lag(fetch: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    clock, now = Clock(), [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    application, metrics = make(clock)
    fetch(application)
    now[0] += _metrics.LAG_INTERVAL + 0.25
    clock.advance(_metrics.LAG_INTERVAL)
    assert b"cyclone_loop_lag_seconds 0.25" in metrics.page()
    application.closing = True
    clock.advance(_metrics.LAG_INTERVAL)
    assert clock.getDelayedCalls() == []


PROGRAM = """
from cyclone.cli.observability import Metrics
from cyclone.web import Application
metrics = Metrics(Application())
metrics._requests.labels("GET", "200", "Main").inc()
print(metrics.page().decode())
"""


def test_sum_over_processes(tmp_path: Path) -> None:
    environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    command = [sys.executable, "-c", PROGRAM]
    for count in ("1.0", "2.0"):
        done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True)
        assert f'status="200"}} {count}' in done.stdout
