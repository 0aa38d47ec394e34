"""Numbers for Prometheus, with the extra ``metrics``."""

from __future__ import annotations

import os
import weakref
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ._handler import RequestHandler

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry, Counter, Histogram

    from cyclone.httpserver import HTTPServer

MISSING = (
    "prometheus-client is not installed, which the setting 'metrics' and MetricsHandler need: "
    "pip install 'cyclone-web[metrics]'"
)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})
#: How many different sets of labels there may be; what comes later is counted as ``other``.
MAX_SERIES = 2000
_OTHER = "other"
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


class Metrics:
    """What is counted, in one registry of ``prometheus_client``.

    Labels are bounded: the route's pattern, never a path; unknown methods are ``OTHER``.
    """

    def __init__(self, registry: CollectorRegistry, *, max_series: int = MAX_SERIES) -> None:
        from prometheus_client import Counter, Gauge, Histogram

        self.registry = registry
        self._max_series = max_series
        self._requests = Counter(
            "cyclone_http_requests_total",
            "Requests that ended, by method, route and status",
            ("method", "route", "status"),
            registry=registry,
        )
        self._seconds = Histogram(
            "cyclone_http_request_duration_seconds",
            "From the head of a request to the end of its answer",
            ("method", "route"),
            buckets=_LATENCIES,
            registry=registry,
        )
        self._connections = Gauge(
            "cyclone_http_connections",
            "Connections that are open",
            registry=registry,
            multiprocess_mode="livesum",
        )
        self._lag = Histogram(
            "cyclone_event_loop_lag_seconds",
            "How late the reactor does what is due",
            buckets=_LAGS,
            registry=registry,
        )
        self._series: dict[tuple[str, str | None, str], tuple[Counter, Histogram]] = {}
        self._servers: weakref.WeakSet[HTTPServer] = weakref.WeakSet()
        self._last_server: weakref.ref[HTTPServer] | None = None

    def request(self, method: str, route: str | None, status: str, seconds: float) -> None:
        """Count a request that ended."""
        if method not in METHODS:
            method = "OTHER"
        key = (method, route, status)
        series = self._series.get(key)
        if series is None:
            if len(self._series) >= self._max_series:
                # METHODS bounds this one.
                key = (method, _OTHER, _OTHER)
            series = self._series.get(key) or self._add(key)
        series[0].inc()
        series[1].observe(seconds)

    def _add(self, key: tuple[str, str | None, str]) -> tuple[Counter, Histogram]:
        method, route, status = key
        label = "none" if route is None else route
        series = self._requests.labels(method, label, status), self._seconds.labels(method, label)
        self._series[key] = series
        return series

    def lagged(self, seconds: float) -> None:
        """Note how late the reactor was."""
        self._lag.observe(seconds)
        self.refresh()

    def seen(self, server: HTTPServer) -> None:
        """Note a server, whose connections are counted."""
        if self._last_server is None or self._last_server() is not server:
            self._last_server = weakref.ref(server)
            self._servers.add(server)

    def refresh(self) -> None:
        """Count the connections."""
        self._connections.set(sum(len(server.open_connections) for server in self._servers))


_known: weakref.WeakKeyDictionary[CollectorRegistry, Metrics] = weakref.WeakKeyDictionary()


def find_metrics(setting: object) -> Metrics | None:
    """The metrics of a registry (True: the default one); None if the setting is neither.

    :raises ImportError: without ``prometheus-client``.
    """
    try:
        from prometheus_client import REGISTRY, CollectorRegistry
    except ImportError as error:
        if setting is True:
            raise ImportError(MISSING) from error
        return None
    if setting is not True and not isinstance(setting, CollectorRegistry):
        return None  # the application's own setting of that name
    registry = REGISTRY if setting is True else setting
    metrics = _known.get(registry)
    if metrics is None:
        metrics = _known[registry] = Metrics(registry)
    return metrics


class MetricsHandler(RequestHandler):
    """Answers Prometheus with what the setting ``metrics`` collects, and all else in the registry.

    *registry* is a ``prometheus_client.CollectorRegistry`` other than that of the setting. With
    ``PROMETHEUS_MULTIPROC_DIR`` in the environment the numbers of all processes are added up. Who
    may read them is not checked: route it on an address of its own, or override ``prepare``.

    :raises ImportError: without ``prometheus-client``.
    """

    def initialize(self, registry: CollectorRegistry | None = None) -> None:
        """Find the registry."""
        try:
            from prometheus_client import REGISTRY
        except ImportError as error:
            raise ImportError(MISSING) from error
        observer = self.application._observer
        metrics = None if observer is None else observer.metrics
        if metrics is not None:
            metrics.refresh()
        self._registry = registry or (REGISTRY if metrics is None else metrics.registry)

    def get(self) -> None:
        """Write all series, or those called ``name[]``, in the format that ``Accept`` asks for."""
        from prometheus_client.exposition import choose_encoder

        registry: Any = self._registry
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = _all_processes()
        names: Iterable[str] = self.get_query_arguments("name[]")
        if names:
            registry = registry.restricted_registry(names)
        encode, content_type = choose_encoder(self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", content_type)
        self.set_header("Cache-Control", "no-store")
        self.write(encode(registry))

    def compute_etag(self) -> None:
        """It is never the same twice."""


def _all_processes() -> CollectorRegistry:
    from prometheus_client import CollectorRegistry
    from prometheus_client.multiprocess import MultiProcessCollector

    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry
