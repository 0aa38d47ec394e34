"""Resources of twisted.web behind a route: the adapter between our connection and their request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyclone.httputil import HTTPHeaders, ResponseStartLine

from ._log import log_foreign

if TYPE_CHECKING:
    from cyclone.httpserver import HTTPRequest


def is_resource(value: object) -> bool:
    """Tell whether *value* is a twisted.web resource, without importing twisted.web."""
    return hasattr(value, "getChildWithDefault") and hasattr(value, "render")


def serve_resource(resource: Any, request: HTTPRequest) -> None:
    """Let the twisted.web *resource* (the root of its tree) answer *request*."""
    from twisted.web.server import Request, Site

    site: Any = Site(resource)  # type: ignore[no-untyped-call]
    channel = _Channel(request, site)
    inner: Any = Request(channel)  # type: ignore[no-untyped-call]
    channel.inner = inner
    for name, value in request.headers.get_all():
        inner.requestHeaders.addRawHeader(name.encode("latin-1"), value.encode("latin-1"))
    chunked = "Transfer-Encoding" in request.headers
    # Long bodies, and those of unknown length, go to a temporary file.
    inner.gotLength(None if chunked else int(request.headers.get("Content-Length", "0")))
    file = request.body_file
    while piece := file.read(65536):
        inner.handleContentChunk(piece)
    request.notifyFinish().addCallback(channel.ended)
    # As HTTP/1.0, so that the body comes without chunks: framing it is our connection's affair.
    inner.requestReceived(
        request.method.encode("latin-1"), request.uri.encode("latin-1"), b"HTTP/1.0"
    )


class _Channel:
    """What a twisted.web request expects of its connection."""

    factory = None
    inner: Any = None

    def __init__(self, request: HTTPRequest, site: Any) -> None:
        self._request = request
        self._connection: Any = request.connection
        self._finished = False
        self._status = 499  # the client left before there was another
        self.site = site
        self.transport = self

    def getPeer(self) -> Any:
        """Return the address of the client."""
        return self._connection.transport.getPeer()

    def getHost(self) -> Any:
        """Return our address."""
        return self._connection.transport.getHost()

    def isSecure(self) -> bool:
        """Tell whether the client speaks TLS, to us or to a proxy we believe."""
        return self._request.protocol == "https"

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: Any) -> None:
        """Send the head."""
        if self._is_current():
            fields = HTTPHeaders()
            pairs = headers.getAllRawHeaders() if hasattr(headers, "getAllRawHeaders") else headers
            for name, values in pairs:
                for value in values if isinstance(values, list) else [values]:
                    fields.add(name.decode("latin-1"), value.decode("latin-1"))
            self._status = int(code)
            start_line = ResponseStartLine("HTTP/1.1", int(code), reason.decode("latin-1"))
            self._connection.write_headers(start_line, fields).addErrback(_ignore)

    def write(self, data: bytes) -> None:
        """Send a piece of the body."""
        if self._is_current():
            self._connection.write(data).addErrback(_ignore)

    def writeSequence(self, pieces: Any) -> None:
        """Send pieces of the body."""
        self.write(b"".join(pieces))

    def requestDone(self, request: Any) -> None:
        """Note that the resource has finished."""
        if self._is_current():
            self._finished = True
            self._connection.finish().addErrback(_ignore)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """Let *producer* write at the client's pace."""
        self._connection.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """The producer has ended."""
        self._connection.unregisterProducer()

    def loseConnection(self) -> None:
        """Break off."""
        if self._is_current():
            self._connection.abort()

    abortConnection = loseConnection

    def ended(self, reason: str | None) -> None:
        """Log the request; tell the resource when the client went away too early."""
        log_foreign(self._request, self._status)
        if not self._finished and reason is not None:
            from twisted.internet.error import ConnectionLost
            from twisted.python.failure import Failure

            self._finished = True
            failure = Failure(ConnectionLost(reason))  # type: ignore[no-untyped-call]
            self.inner.connectionLost(failure)

    def _is_current(self) -> bool:
        return not self._finished and self._connection.request is self._request


def _ignore(_: object) -> None:
    """The end of the request tells of it."""
