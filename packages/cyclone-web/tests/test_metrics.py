"""Numbers for Prometheus."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, Counter
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cyclone.testing import Client
from cyclone.web import Application, HTTPError, MetricsHandler, RequestHandler
from cyclone.web._metrics import Metrics, find_metrics


class Story(RequestHandler):
    def get(self, number: str) -> None:
        if number == "0":
            raise HTTPError(404)
        if number == "1":
            raise ValueError("seen by nobody")
        self.write(number)

    def post(self, number: str) -> None:
        self.set_status(201)


class Waiting(RequestHandler):
    async def get(self) -> None:
        await self.application.settings["waiting"]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def count(registry: CollectorRegistry, method: str, route: str, status: str) -> float | None:
    labels = {"method": method, "route": route, "status": status}
    return registry.get_sample_value("cyclone_http_requests_total", labels)


def test_requests_by_method_route_and_status(serve: Any, registry: CollectorRegistry) -> None:
    client = serve([(r"/story/(\d+)", Story)], metrics=registry)
    for path in ("/story/5", "/story/6", "/story/0", "/story/1", "/nowhere/1", "/nowhere/2"):
        client.fetch(uri=path)
    client.fetch("POST", "/story/5", body=b"")
    route = r"/story/(\d+)"
    assert count(registry, "GET", route, "200") == 2
    assert count(registry, "GET", route, "404") == 1
    assert count(registry, "GET", route, "500") == 1
    assert count(registry, "POST", route, "201") == 1
    assert count(registry, "GET", "ErrorHandler", "404") == 2
    found = registry.get_sample_value(
        "cyclone_http_request_duration_seconds_count", {"method": "GET", "route": route}
    )
    assert found == 4


def test_unknown_methods_are_one(serve: Any, registry: CollectorRegistry) -> None:
    client = serve([(r"/story/(\d+)", Story)], metrics=registry)
    for method in ("BREW", "WHEN", "PROPFIND"):
        client.start(method, "/story/5")
    assert count(registry, "OTHER", r"/story/(\d+)", "405") == 3


def test_labels_are_bounded(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry, max_series=3)
    for number in range(50):
        metrics.request("GET", f"/{number}", "200", 0.1)
        metrics.request(f"M{number}", "/0", "200", 0.1)
    assert count(registry, "GET", "/0", "200") == 1
    assert count(registry, "OTHER", "/0", "200") == 50
    assert count(registry, "GET", "other", "other") == 48
    assert len(metrics._series) == 4


def test_a_client_that_left(serve: Any, registry: CollectorRegistry) -> None:
    waiting: Deferred[None] = Deferred()
    connection = serve([("/", Waiting)], metrics=registry, waiting=waiting).start()
    assert count(registry, "GET", "/", "499") is None
    connection.lose()
    assert count(registry, "GET", "/", "499") == 1
    waiting.callback(None)
    assert count(registry, "GET", "/", "200") is None


def test_what_is_answered_elsewhere(serve: Any, registry: CollectorRegistry) -> None:
    def answer(request: Any) -> None:
        request.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        request.finish()

    serve([("/", answer)], metrics=registry).fetch()
    assert count(registry, "GET", "none", "unknown") == 1


def test_connections(serve: Any, registry: CollectorRegistry) -> None:
    client = serve([(r"/story/(\d+)", Story), ("/metrics", MetricsHandler)], metrics=registry)
    first, second = client.connect(), client.connect()
    client.start(uri="/story/5", connection=first)
    assert "cyclone_http_connections 3.0" in client.fetch(uri="/metrics").text
    second.lose()
    assert "cyclone_http_connections 2.0" in client.fetch(uri="/metrics").text


def test_lag(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.lagged(0.02)
    assert registry.get_sample_value("cyclone_event_loop_lag_seconds_sum") == 0.02
    found = registry.get_sample_value("cyclone_event_loop_lag_seconds_bucket", {"le": "0.025"})
    assert found == 1


def test_the_lag_is_measured(registry: CollectorRegistry) -> None:
    # A clock that no thread can be watched with: this one does what the thread does.
    client = Client(Application([(r"/story/(\d+)", Story)], metrics=registry, reactor=Clock()))
    client.fetch(uri="/story/5")
    monitor = client.app._observer.monitor
    assert monitor.threshold is None
    monitor._reactor.callFromThread = lambda call: call()
    monitor.check()
    assert registry.get_sample_value("cyclone_event_loop_lag_seconds_count") == 1


def test_the_page(serve: Any, registry: CollectorRegistry) -> None:
    Counter("own_things", "Of the application", registry=registry).inc(3)
    client = serve([("/metrics", MetricsHandler)], metrics=registry)
    response = client.fetch(uri="/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert response.headers["Cache-Control"] == "no-store"
    assert "Etag" not in response.headers
    assert "own_things_total 3.0" in response.text
    only = client.fetch(uri="/metrics?name[]=own_things_total").text
    assert "own_things_total 3.0" in only
    assert "cyclone_" not in only
    accept = {"Accept": "application/openmetrics-text; version=1.0.0"}
    response = client.fetch(uri="/metrics", headers=accept)
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert response.text.endswith("# EOF\n")


def test_another_registry(serve: Any, registry: CollectorRegistry) -> None:
    Counter("own_things", "Of the application", registry=registry).inc()
    routes = [("/metrics", MetricsHandler, {"registry": registry})]
    assert "own_things_total 1.0" in serve(routes).fetch(uri="/metrics").text
    assert "python_info" in serve([("/metrics", MetricsHandler)]).fetch(uri="/metrics").text


def test_several_processes(serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    response = serve([("/metrics", MetricsHandler)]).fetch(uri="/metrics")
    assert (response.status, response.body) == (200, b"")


def test_applications_share_what_a_registry_has(registry: CollectorRegistry) -> None:
    first, second = Application(metrics=registry), Application(metrics=registry)
    assert first._observer is not None
    assert second._observer is not None
    assert first._observer.metrics is second._observer.metrics
    metrics = find_metrics(True)
    assert metrics is not None
    assert metrics.registry is REGISTRY
    assert find_metrics(True) is metrics


@pytest.mark.parametrize("setting", [None, False, "statsd", object()])
def test_a_setting_of_the_applications_own_is_left_alone(setting: object) -> None:
    application = Application(metrics=setting)
    assert application._observer is None
    assert application.settings["metrics"] is setting


def test_without_prometheus_client(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ImportError, match=r"pip install 'cyclone-web\[metrics\]'"):
        Application(metrics=True)
    assert Application(metrics="statsd")._observer is None
    response = serve([("/metrics", MetricsHandler)], serve_traceback=True).fetch(uri="/metrics")
    assert response.status == 500
    assert "cyclone-web[metrics]" in response.text
