"""What is noted of a request while it runs: its ids, its trace, its time, its outcome.

An application has an :class:`Observer` if one of its settings asks for something of that; without
one a request costs nothing more than the question whether there is one.
"""

from __future__ import annotations

import contextlib
import contextvars
import re
import weakref
from collections.abc import Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred

from cyclone.httputil import current_request

from ._base import HandlerBase
from ._log import route_of
from ._loop_monitor import DEBUG_BLOCKED_AFTER, LoopMonitor
from ._tracecontext import TraceContext, continue_trace, new_trace

if TYPE_CHECKING:
    from types import TracebackType

    from opentelemetry.trace import Span

    from cyclone.httpserver import HTTPRequest

    from ._application import Application
    from ._handler import RequestHandler
    from ._metrics import Metrics
    from ._spans import Spans

    _ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None]

REQUEST_ID_HEADER = "X-Request-ID"
#: The status, in metrics, of a request whose client went away before its answer began.
CLIENT_LEFT = "499"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._~:+/=@-]{1,128}").fullmatch
_KEY = "_observation"
_LAG_INTERVAL = 1.0


class Observation:
    """One request under observation; a ``cyclone.httputil.RequestContext``."""

    __slots__ = (
        "_ended",
        "_handler",
        "_observer",
        "_trace",
        "handler_class",
        "request",
        "route",
        "span",
        "status",
    )

    def __init__(self, observer: Observer, request: HTTPRequest) -> None:
        self._observer = observer
        self.request = request
        self._handler: weakref.ref[RequestHandler] | None = None
        self._trace: TraceContext | None = None
        self._ended = False
        self.span: Span | None = None
        self.handler_class: type[object] | None = None
        self.route: str | None = None
        #: What was answered; None: that is not known.
        self.status: int | None = None

    @property
    def trace(self) -> TraceContext:
        """The request's place in a trace."""
        if self._trace is None:
            self._trace = trace_of(self.request)
        return self._trace

    @trace.setter
    def trace(self, trace: TraceContext) -> None:
        self._trace = trace

    def log_fields(self) -> Mapping[str, str]:
        """The ids for a log event."""
        if not self._observer.traces:
            return {"request_id": self.request.request_id}
        trace = self.trace
        return {
            "request_id": self.request.request_id,
            "trace_id": trace.trace_id,
            "span_id": trace.span_id,
        }

    def outgoing_headers(self) -> Mapping[str, str]:
        """The ids for a request made on behalf of this one."""
        headers = {self._observer.id_header or REQUEST_ID_HEADER: self.request.request_id}
        if self._observer.traces:
            headers["traceparent"] = self.trace.traceparent
            if self.trace.state:
                headers["tracestate"] = self.trace.state
        return headers

    def made(self, handler: RequestHandler) -> None:
        """A handler was made for the request."""
        # Weakly: a request that nobody can answer is found by its handler being collected.
        self._handler = weakref.ref(handler)
        self.handler_class = type(handler)

    def note(self, handler: RequestHandler | None = None) -> None:
        """Note what is known by now, before the handler is gone."""
        if handler is None:
            handler = self._handler() if self._handler is not None else None
        if handler is not None:
            route = route_of(handler)
            self.route = None if route is None else route.removesuffix("$")
            if handler._headers_written:
                self.status = handler._status_code

    def end(self, reason: str | None = None) -> None:
        """The request is over; *reason* tells why, if the client went away first."""
        if not self._ended:
            self._ended = True
            self.note()
            self._observer.ended(self, reason)


class Observer:
    """Watches the requests of one application."""

    def __init__(
        self,
        application: Application,
        *,
        traces: bool,
        id_header: str | None,
        metrics: Metrics | None,
        spans: Spans | None,
        blocked_after: float | None,
    ) -> None:
        self._application = weakref.ref(application)
        self.traces = traces or spans is not None
        self.id_header = id_header
        self.metrics = metrics
        self.spans = spans
        #: Whether log events and outgoing requests get ids.
        self.gives_ids = self.traces or id_header is not None
        self._blocked_after = blocked_after
        self._watches = blocked_after is not None or metrics is not None
        self._monitor: LoopMonitor | None = None

    @property
    def monitor(self) -> LoopMonitor | None:
        """What watches the reactor, if something asks for that; made with the first request."""
        if self._monitor is not None or not self._watches:
            return self._monitor
        application = self._application()
        if application is not None:
            after = self._blocked_after
            self._monitor = LoopMonitor(
                application.reactor,
                interval=_LAG_INTERVAL if after is None else after / 4,
                threshold=after,
                on_lag=None if self.metrics is None else self.metrics.lagged,
                monotonic=application.monotonic,
            )
        return self._monitor

    # --- a request comes and goes ---------------------------------------------------------------

    def serve(self, serve: Callable[[HTTPRequest], None], request: HTTPRequest) -> None:
        """Serve a complete request, in a context of its own."""
        observation = self._enter(request)
        monitor = self.monitor
        if monitor is None:
            try:
                serve(request)
            finally:
                observation.note()
            return
        monitor.start()
        started, logged = monitor.monotonic(), monitor.logged
        try:
            serve(request)
        finally:
            observation.note()
            monitor.stepped(observation.handler_class, started, logged)

    def receive(self, receive: Callable[[HTTPRequest], Any], request: HTTPRequest) -> Any:
        """The head of a request is in: what takes its body does so in this context."""
        observation = self._enter(request)
        receiver = receive(request)
        observation.note()
        if receiver is None:
            return None
        context = contextvars.copy_context()
        if isinstance(receiver, Deferred):
            return receiver.addCallback(lambda found: found and _InContext(found, context))
        return _InContext(receiver, context)

    def _enter(self, request: HTTPRequest) -> Observation:
        """Begin, or go on, with the observation of *request* in the current context."""
        observation: Observation | None = request.__dict__.get(_KEY)
        if observation is None:
            observation = request.__dict__[_KEY] = Observation(self, request)
            if self.id_header is not None:
                self._take_id(request)
            if self.metrics is not None:
                self.metrics.seen(request.connection.server)
            if self.spans is not None:
                observation.span, observation.trace = self.spans.start(request)
            if self.metrics is not None or self.spans is not None:
                request.notifyFinish().addCallback(observation.end)
        if self.gives_ids:
            current_request.set(observation)
        if self.spans is not None and observation.span is not None:
            self.spans.attach(observation.span)
        return observation

    def _take_id(self, request: HTTPRequest) -> None:
        """Believe the request's own id, if it comes from where its address would be believed."""
        name = self.id_header or REQUEST_ID_HEADER
        proxy = request.connection.server.proxy_rules
        if not request.has_header(name) or (
            proxy is not None and not proxy.believes(request.connection.peer_ip)
        ):
            return
        given = request.headers.get_list(name)
        if len(given) == 1 and _REQUEST_ID(given[0]):
            request.request_id = given[0]

    def ended(self, observation: Observation, reason: str | None) -> None:
        """A request is over."""
        if self.metrics is not None:
            status, named = observation.status, observation.handler_class
            self.metrics.request(
                observation.request.method,
                observation.route or (None if named is None else named.__qualname__),
                str(status) if status is not None else CLIENT_LEFT if reason else "unknown",
                observation.request.request_time(),
            )
        if self.spans is not None and observation.span is not None:
            self.spans.end(observation.span, observation)

    # --- what a handler tells -------------------------------------------------------------------

    def made(self, handler: RequestHandler) -> None:
        """A handler was made."""
        handler._observed_by = self
        observation = observation_of(handler)
        if observation is not None:
            observation.made(handler)

    def failed(self, handler: HandlerBase, exc_info: _ExcInfo) -> None:
        """A handler raised: have that logged, and noted in the span if it is the server's fault."""
        error = exc_info[1]
        observation = observation_of(handler)
        if (
            observation is not None
            and self.spans is not None
            and observation.span is not None
            and getattr(error, "status_code", 500) >= 500
        ):
            self.spans.record(observation.span, error)
        with self.during(handler):
            handler.log_exception(*exc_info)

    def log(self, handler: RequestHandler) -> None:
        """Have the request logged, with its ids wherever that happens to run."""
        observation = observation_of(handler)
        if observation is None:
            handler.application.log_request(handler)
            return
        if current_request.get() is observation or not self.gives_ids:
            handler.application.log_request(handler)
        else:
            with self.during(handler):
                handler.application.log_request(handler)
        observation.note(handler)
        if handler.request.connection.request is not handler.request:
            # Sent, or (a WebSocket) no longer HTTP.
            observation.end()

    @contextlib.contextmanager
    def during(self, handler: HandlerBase) -> Iterator[None]:
        """A time in which the handler's request is the one served, whatever the context says."""
        observation = observation_of(handler)
        if observation is None or not self.gives_ids:
            yield
            return
        token = current_request.set(observation)
        try:
            yield
        finally:
            current_request.reset(token)

    def timed(
        self, handler: HandlerBase, coroutine: Coroutine[Any, Any, Any]
    ) -> Coroutine[Any, Any, Any]:
        """The coroutine of a handler, its steps timed if the reactor is watched."""
        monitor = self.monitor
        if monitor is None or not monitor.threshold:
            return coroutine
        return monitor.timed(type(handler), coroutine)


class _InContext:
    """A body's receiver that runs in the context of its request."""

    def __init__(self, receiver: Any, context: contextvars.Context) -> None:
        self._receiver = receiver
        self._context = context

    # A copy each time: one context cannot be entered while it is in use already.

    def data_received(self, chunk: bytes) -> Any:
        return self._context.copy().run(self._receiver.data_received, chunk)

    def finish(self) -> None:
        self._context.copy().run(self._receiver.finish)

    def on_connection_close(self) -> None:
        self._context.copy().run(self._receiver.on_connection_close)


def make_observer(application: Application) -> Observer | None:
    """The observer that the application's settings ask for, if they do.

    :raises ImportError: when a setting needs an extra that is not installed.
    """
    settings = application.settings
    metrics = spans = None
    if settings.get("metrics"):
        from ._metrics import find_metrics

        metrics = find_metrics(settings["metrics"])
    if settings.get("opentelemetry"):
        from ._spans import Spans

        spans = Spans(settings["opentelemetry"])
    blocked_after = settings.get(
        "blocked_reactor_after", DEBUG_BLOCKED_AFTER if settings.get("debug") else None
    )
    traces = bool(settings.get("trace_context"))
    id_header = settings.get("request_id_header")
    if not (traces or id_header or metrics or spans or blocked_after):
        return None
    return Observer(
        application,
        traces=traces,
        id_header=id_header or None,
        metrics=metrics,
        spans=spans,
        blocked_after=blocked_after or None,
    )


def observation_of(handler: HandlerBase) -> Observation | None:
    """What is noted of the handler's request, if it is observed."""
    observation: Observation | None = getattr(handler.request, "__dict__", {}).get(_KEY)
    return observation


def note_status(request: HTTPRequest, status: int) -> None:
    """Note how a request is answered that has no handler any more."""
    observation: Observation | None = request.__dict__.get(_KEY)
    if observation is not None:
        observation.status = status


def trace_of(request: HTTPRequest) -> TraceContext:
    """A context that goes on with the trace the request belongs to, or begins one."""
    if not request.has_header("traceparent"):
        return new_trace()
    headers = request.headers
    return continue_trace(headers.get_list("traceparent"), headers.get_list("tracestate"))
