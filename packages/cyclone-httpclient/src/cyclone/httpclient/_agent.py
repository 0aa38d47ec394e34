"""This package's connections as a Twisted `IAgent`, for code that is written against that seam."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IBodyProducer, IResponse
from zope.interface import implementer

from cyclone.httputil import HTTPHeaders

from ._body import Body, TwistedBody
from ._errors import HTTPStreamClosedError
from ._message import WireRequest
from ._route import route_to
from ._settings import Settings
from ._twisted import failure_of
from ._url import parse_url

if TYPE_CHECKING:
    from ._parser import ResponseHead
    from ._pool import Exchange, Pool


@implementer(IResponse)
class _Response:
    """The response, and the sink that it comes through. Bytes wait until ``deliverBody``."""

    previousResponse = None
    request = None

    def __init__(self) -> None:
        self.answered: Deferred[IResponse] = Deferred(self._cancelled)
        self.exchange: Exchange | None = None
        self.version: tuple[bytes, int, int] = (b"HTTP", 1, 1)
        self.code = 0
        self.phrase = b""
        self.headers = Headers()
        self.length: object = UNKNOWN_LENGTH
        self._protocol: IProtocol | None = None
        self._early: list[bytes] = []
        self._room: Deferred[object] | None = None
        self._paused = False
        self._end: Failure | None = None

    def _cancelled(self, _: object) -> None:
        if self.exchange is not None:
            self.exchange.cancel()

    def head_received(self, head: ResponseHead) -> None:
        """Fire the agent's Deferred."""
        self.version = (b"HTTP", 1, int(head.version[-1]))
        self.code = head.code
        self.phrase = head.reason.encode("latin-1")
        for name, value in head.fields:
            self.headers.addRawHeader(name, value)
        if head.length is not None:
            self.length = head.length
        self.answered.callback(self)

    def body_received(self, data: bytes) -> Deferred[object] | None:
        """Pass on, or hold until somebody wants it."""
        if self._protocol is None:
            self._early.append(data)
        else:
            self._protocol.dataReceived(data)
        if self._protocol is not None and not self._paused:
            return None
        self._room = Deferred()
        return self._room

    def response_complete(self) -> None:
        """The end of the body."""
        self._finish(failure_of(ResponseDone("Response body fully received")))

    def exchange_failed(self, error: Exception) -> None:
        """The end, too early."""
        if not self.answered.called:
            self.answered.errback(error)
        else:
            self._finish(_cut_short(error, self))

    def _finish(self, reason: Failure) -> None:
        if self._protocol is None:
            self._end = reason
        else:
            self._protocol.connectionLost(reason)

    def deliverBody(self, protocol: IProtocol) -> None:
        """Give the body to ``protocol``, what has come already first."""
        self._protocol = protocol
        protocol.makeConnection(cast(ITransport, _BodyTransport(self)))
        early, self._early = self._early, []
        for data in early:
            protocol.dataReceived(data)
        if self._end is not None:
            protocol.connectionLost(self._end)
        elif not self._paused:
            self._let_in()

    def _let_in(self) -> None:
        room, self._room = self._room, None
        if room is not None:
            room.callback(None)

    def pause(self) -> None:
        """The protocol wants no more for now."""
        self._paused = True

    def resume(self) -> None:
        """The protocol wants more."""
        self._paused = False
        self._let_in()

    def abort(self) -> None:
        """The protocol has had enough."""
        if self.exchange is not None and not self.exchange.over:
            self.exchange.fail(HTTPStreamClosedError("The body was given up"))

    def setPreviousResponse(self, response: IResponse) -> None:
        """Kept for redirect agents."""
        self.previousResponse = response


def _cut_short(error: Exception, response: _Response) -> Failure:
    return failure_of(
        ResponseFailed([failure_of(error)], response)  # type: ignore[no-untyped-call]
    )


@implementer(IPushProducer)
class _BodyTransport:
    """What a body's protocol has for a transport, as in Twisted: pause, resume, give up."""

    disconnecting = False

    def __init__(self, response: _Response) -> None:
        self._response = response

    def pauseProducing(self) -> None:
        self._response.pause()

    def resumeProducing(self) -> None:
        self._response.resume()

    def stopProducing(self) -> None:
        self._response.abort()

    loseConnection = abortConnection = stopProducing


@implementer(IAgent)
class PoolAgent:
    """An `IAgent` over a pool: no redirects, no decoding, no cookies, as Twisted's Agent."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._settings = settings

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,
    ) -> Deferred[IResponse]:
        """Send a request; fails with this package's errors when there is no response."""
        response = _Response()
        body: Body | None = None if bodyProducer is None else TwistedBody(bodyProducer)
        try:
            target = parse_url(uri.decode("ascii"))
            fields = HTTPHeaders()
            for name, values in headers.getAllRawHeaders() if headers is not None else ():
                for value in values:
                    fields.add(name.decode("latin-1"), value.decode("latin-1").strip(" \t"))
            wire = WireRequest(
                method.decode("ascii"),
                target,
                route_to(target, self._settings),
                fields,
                body,
                connect_timeout=self._settings.connect_timeout,
            )
        except ValueError as error:
            return fail(error)
        exchange = self._pool.send(wire, response)
        if not exchange.over:
            response.exchange = exchange
        return response.answered
