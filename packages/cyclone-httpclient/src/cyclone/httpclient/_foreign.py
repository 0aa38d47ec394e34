"""Sending requests through any `IAgent`: Twisted's own, a wrapper of it, or a test's.

The agent makes the connections, so the options about the way there (proxy, TLS, UNIX socket,
interface) are refused instead of being ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IBodyProducer, IResponse
from zope.interface import implementer

from ._body import Body
from ._failures import closed_error, connect_error
from ._parser import ResponseHead
from ._twisted import deliver_body, error_of, is_failure_of

if TYPE_CHECKING:
    from twisted.web.iweb import IAgent

    from ._connection import ResponseSink
    from ._message import WireRequest


@implementer(IBodyProducer)
class _BytesProducer:
    """A body in memory as an IBodyProducer."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.length = len(data)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._data)
        return succeed(None)

    def pauseProducing(self) -> None:
        """All of it is written already."""

    resumeProducing = stopProducing = pauseProducing


@implementer(IBodyProducer)
class _StreamProducer:
    """A body that is written piece by piece as an IBodyProducer."""

    def __init__(self, body: Body, length: int | None) -> None:
        self._body = body
        self.length = UNKNOWN_LENGTH if length is None else length
        self._room: Deferred[None] | None = None
        self._sending: Deferred[None] | None = None

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        from ._awaitables import to_deferred

        def write(data: bytes) -> Deferred[None]:
            if data:
                consumer.write(data)
            if self._room is None:
                return succeed(None)
            waiting: Deferred[None] = Deferred()
            self._room.addCallback(lambda _: waiting.callback(None))
            return waiting

        self._sending = to_deferred(self._body.send(write))
        return self._sending

    def pauseProducing(self) -> None:
        if self._room is None:
            self._room = Deferred()

    def resumeProducing(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.callback(None)

    def stopProducing(self) -> None:
        if self._sending is not None:
            self._sending.addErrback(_forget)
            self._sending.cancel()


class _AgentExchange(Protocol):
    """The handle of an exchange, and the protocol that the body is delivered to."""

    phase = "request"
    began = 0.0

    def __init__(self, request: WireRequest, sink: ResponseSink) -> None:
        self.over = False
        self._request = request
        self._sink = sink
        self.pending: Deferred[IResponse] | None = None
        self._response: IResponse | None = None
        self._paused = False
        self._backlog: list[bytes] = []
        self._end: Failure | None = None

    def cancel(self) -> None:
        """Give up; the sink hears nothing more."""
        self.over = True
        pending, self.pending = self.pending, None
        if pending is not None:
            pending.cancel()
        if self._response is not None and self.transport is not None:
            lose = getattr(self.transport, "abortConnection", None) or getattr(
                self.transport, "loseConnection", None
            )
            if lose is not None:
                lose()

    def answered(self, response: IResponse) -> None:
        """The head is in."""
        self.pending = None
        if self.over:
            return
        self._response = response
        fields = [
            (name, value.strip(b" \t"))
            for name, values in response.headers.getAllRawHeaders()
            for value in values
        ]
        length = None if response.length is UNKNOWN_LENGTH else cast(int, response.length)
        _, major, minor = response.version
        version = f"HTTP/{major}.{minor}"
        phrase = response.phrase.decode("latin-1")
        self._sink.head_received(ResponseHead(response.code, phrase, version, fields, length, True))
        if not self.over:
            deliver_body(response, self)

    def failed(self, failure: Failure) -> None:
        """There was no response."""
        self.pending = None
        if not self.over:
            self.over = True
            error = error_of(failure)
            if isinstance(error, ResponseFailed):
                self._sink.exchange_failed(closed_error(error, "Stream closed"))
            elif isinstance(error, CancelledError):
                self._sink.exchange_failed(error)
            else:
                self._sink.exchange_failed(connect_error(failure, self._request.route))

    def dataReceived(self, data: bytes) -> None:
        if self._paused:
            self._backlog.append(data)
        elif not self.over:
            self._take(data)

    def _take(self, data: bytes) -> None:
        waiting = self._sink.body_received(data)
        if waiting is not None:
            self._paused = True
            waiting.addCallbacks(self._resume, self._sink_failed)
            if self._paused:
                self._producer("pauseProducing")

    def _producer(self, name: str) -> None:
        if self.transport is not None and IPushProducer.providedBy(self.transport):
            getattr(self.transport, name)()

    def _resume(self, _: object) -> None:
        self._paused = False
        while self._backlog and not self._paused and not self.over:
            self._take(self._backlog.pop(0))
        if self._paused or self.over:
            return
        if self._end is not None:
            self._finish(self._end)
        else:
            self._producer("resumeProducing")

    def _sink_failed(self, failure: Failure) -> None:
        if not self.over:
            self.cancel()
            self._sink.exchange_failed(error_of(failure))

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._paused and not self.over:
            self._end = reason
        elif not self.over:
            self._finish(reason)

    def _finish(self, reason: Failure) -> None:
        self.over = True
        if is_failure_of(reason, ResponseDone, PotentialDataLoss):
            self._sink.response_complete()
        else:
            self._sink.exchange_failed(closed_error(error_of(reason), "Stream closed"))


def _forget(_: Failure) -> None:
    """An upload that was stopped: its own error interests nobody."""


class AgentTransport:
    """Sends what a fetch needs sent through an agent."""

    def __init__(self, agent: IAgent) -> None:
        self._agent = agent

    def send(self, request: WireRequest, sink: ResponseSink) -> _AgentExchange:
        """Send; see `cyclone.httpclient._flight.Transport`.

        :raises ValueError: for an option that only this package's own connections know.
        """
        route = request.route
        tls_options = route.tls is not None and route.tls[1:] != (True, None, None, None, None)
        if route.proxy or route.unix_socket or route.network_interface or tls_options:
            raise ValueError("proxy, TLS, interface and UNIX socket are the given agent's business")
        exchange = _AgentExchange(request, sink)
        headers = Headers()
        for name, value in request.headers.get_all():
            headers.addRawHeader(name.encode("ascii"), value.encode("latin-1"))
        if request.host is not None:
            headers.setRawHeaders(b"Host", [request.host.encode("latin-1")])
        producer: IBodyProducer | None = None
        if isinstance(request.content, bytes):
            producer = _BytesProducer(request.content)
        elif request.content is not None:
            producer = _StreamProducer(request.content, request.length)
        target = request.target
        url = f"{target.scheme}://{target.host_header}{target.path}".encode("ascii")
        pending = self._agent.request(request.method.encode("ascii"), url, headers, producer)
        exchange.pending = pending
        pending.addCallbacks(exchange.answered, exchange.failed)
        pending.addErrback(exchange.failed)
        return exchange
