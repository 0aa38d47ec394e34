"""ASGI applications (version 3, http) behind a route.

Nearly all of them are written for asyncio, so they need Twisted's asyncio reactor. There is no
lifespan: start and stop belong to the program that embeds them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyclone.httputil import HTTPHeaders, ResponseStartLine, responses, split_host_and_port

from ._coroutines import start
from ._log import application_log, log_foreign
from ._routing_matchers import unquote_group

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from cyclone.httpserver import HTTPRequest


def serve_asgi(application: Any, request: HTTPRequest) -> None:
    """Let the ASGI *application* answer *request*."""
    exchange = _Exchange(request)
    running = start(application(asgi_scope(request), exchange.receive, exchange.send))
    running.addCallbacks(lambda _: exchange.ended(), exchange.failed)


def asgi_scope(request: HTTPRequest) -> dict[str, Any]:
    """Return the connection scope of *request*, as the specification describes it."""
    host, port = split_host_and_port(request.host)
    default_port = 443 if request.protocol == "https" else 80
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": request.version.partition("/")[2],
        "method": request.method,
        "scheme": request.protocol,
        "path": (unquote_group(request.path) or b"").decode("utf-8", "replace"),
        "raw_path": request.path.encode("latin-1", "replace"),
        "query_string": request.query.encode("latin-1", "replace"),
        "root_path": "",
        "headers": [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in request.headers.get_all()
        ],
        "client": (request.remote_ip, 0),
        "server": (host, port if port is not None else default_port),
    }


class _Exchange:
    """The messages of one request."""

    def __init__(self, request: HTTPRequest) -> None:
        self._request = request
        self._connection = request.connection
        self._body_sent = False
        self._start: ResponseStartLine | None = None
        self._headers = HTTPHeaders()
        self._begun = False
        self._done = False

    async def receive(self) -> dict[str, Any]:
        """Give the body, then wait for the client to go away."""
        if not self._body_sent:
            self._body_sent = True
            return {"type": "http.request", "body": self._request.body, "more_body": False}
        if not self._done and not self._connection.closed:
            await self._request.notifyFinish()
        return {"type": "http.disconnect"}

    async def send(self, message: dict[str, Any]) -> None:
        """Take a part of the response; waits while the client is slow.

        RuntimeError for messages in a wrong order; cyclone.httpserver.StreamClosedError, an OSError
        to the application, when the client went away.
        """
        kind = message["type"]
        if kind == "http.response.start" and self._start is None:
            status = int(message["status"])
            reason = responses.get(status, "Unknown")
            self._start = ResponseStartLine("HTTP/1.1", status, reason)
            for name, value in message.get("headers", ()):
                self._headers.add(name.decode("latin-1"), value.decode("latin-1"))
        elif kind == "http.response.body" and self._start is not None and not self._done:
            await self._send_body(message.get("body", b""), message.get("more_body", False))
        else:
            raise RuntimeError(f"ASGI message {kind!r} does not belong here")

    async def _send_body(self, body: bytes, more: bool) -> None:
        assert self._start is not None
        connection, request = self._connection, self._request
        if connection.closed or connection.request is not request:
            raise OSError("The client went away")
        self._done = not more
        if not self._begun:
            self._begun = True
            if not more:
                connection.write_response(request, self._start.code, None, self._headers, body)
                return
            await connection.write_headers(self._start, self._headers, body)
        else:
            await connection.write(body)
        if not more:
            _detached(connection.finish())

    def ended(self) -> None:
        """The application returned; a response it did not complete is cut."""
        self._log()
        if not self._done:
            self._break()

    def failed(self, failure: Any) -> None:
        """The application raised: 500 if nothing was sent."""
        if self._connection.request is self._request:
            message = "Uncaught exception serving {request}"
            application_log.error(message, request=repr(self._request), exc_info=failure.value)
        self._log()
        self._break()

    def _log(self) -> None:
        connection, request = self._connection, self._request
        if self._begun and self._start is not None:
            status = self._start.code
        else:
            status = 499 if connection.closed or connection.request is not request else 500
        log_foreign(request, status)

    def _break(self) -> None:
        self._done = True
        request, connection = self._request, self._connection
        if connection.request is not request:
            return
        if self._begun:
            connection.abort()
        else:
            headers = HTTPHeaders({"Content-Type": "text/plain; charset=UTF-8"})
            connection.write_response(request, 500, None, headers, b"500: Internal Server Error\n")


def _detached(deferred: Deferred[None]) -> None:
    deferred.addErrback(lambda _: None)
