"""Metrics for Prometheus."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from cyclone.web import Application, RequestHandler

from ._around import at_end

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

#: Seconds between two measurements of the event loop's lag.
LAG_INTERVAL = 1.0
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts and times the requests of an application; needs ``cyclone-cli[metrics]``.

    - ``cyclone_requests_total``: by method, status and handler;
    - ``cyclone_request_seconds``: a histogram, by handler;
    - ``cyclone_connections``: open now;
    - ``cyclone_loop_lag_seconds``: how late the reactor last was.

    Labels are bounded: by the handlers there are, statuses, and the usual methods ("other" for
    any else). ``registry`` is a ``prometheus_client.CollectorRegistry``, by default a new one.
    """

    def __init__(
        self,
        application: Application,
        registry: CollectorRegistry | None = None,
        *,
        reactor: Any = None,
    ) -> None:
        import prometheus_client as prometheus

        self.registry = prometheus.CollectorRegistry() if registry is None else registry
        options: Any = {"registry": self.registry}
        self._requests = prometheus.Counter(
            "cyclone_requests", "Requests answered.", ["method", "status", "handler"], **options
        )
        self._seconds = prometheus.Histogram(
            "cyclone_request_seconds",
            "Time from a request's head to its answer.",
            ["handler"],
            buckets=_BUCKETS,
            **options,
        )
        gauges: Any = {**options, "multiprocess_mode": "livesum"}
        self._connections = prometheus.Gauge("cyclone_connections", "Open connections.", **gauges)
        gauges["multiprocess_mode"] = "livemax"
        self._lag = prometheus.Gauge(
            "cyclone_loop_lag_seconds", "How late the reactor last was.", **gauges
        )
        self._application = application
        self._reactor = reactor
        self._expected: float | None = None
        at_end(application, self._answered)

    def _answered(self, handler: RequestHandler) -> None:
        method = handler.request.method or ""
        name = type(handler).__qualname__
        labels = (method if method in _METHODS else "other", str(handler.get_status()), name)
        self._requests.labels(*labels).inc()
        self._seconds.labels(name).observe(handler.request.request_time())
        self._connections.set(len(self._application.connections))
        if self._expected is None:
            self._measure()

    def _measure(self) -> None:
        """Now, and from now on once in `LAG_INTERVAL`: how late is the reactor?"""
        reactor = self._reactor
        if reactor is None:
            from twisted.internet import reactor
        now = time.monotonic()
        if self._expected is not None:
            self._lag.set(max(0.0, now - self._expected))
            self._connections.set(len(self._application.connections))
            if self._application.closing:
                return  # nothing is left in the reactor of a server that stops
        self._expected = now + LAG_INTERVAL
        reactor.callLater(LAG_INTERVAL, self._measure)

    def page(self) -> bytes:
        """All metrics in the text format.

        With ``PROMETHEUS_MULTIPROC_DIR`` in the environment (a folder that is empty at start) the
        sum over all workers.
        """
        import prometheus_client as prometheus

        registry = self.registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            from prometheus_client import multiprocess

            registry = prometheus.CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return prometheus.generate_latest(registry)


class MetricsHandler(RequestHandler):
    """The page for Prometheus: ``(r"/metrics", MetricsHandler, {"metrics": lambda: metrics})``.

    ``metrics`` is a `Metrics`, or a function that gives it. Keep the page from the public.
    """

    def initialize(self, metrics: Any) -> None:
        """Take the metrics of the route."""
        self._metrics = metrics

    def get(self) -> None:
        """Answer."""
        metrics = self._metrics if isinstance(self._metrics, Metrics) else self._metrics()
        self.set_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.write(metrics.page())
