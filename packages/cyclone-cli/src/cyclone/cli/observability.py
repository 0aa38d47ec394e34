"""What goes on in a server: traces, metrics, and who blocks the reactor."""

from ._blocking import BlockingWatch
from ._metrics import Metrics, MetricsHandler
from ._tracing import Trace, TraceFilter, current_trace, parse_traceparent, trace, trace_headers

__all__ = [
    "BlockingWatch",
    "Metrics",
    "MetricsHandler",
    "Trace",
    "TraceFilter",
    "current_trace",
    "parse_traceparent",
    "trace",
    "trace_headers",
]
