"""WSGI applications (PEP 3333) inside a reactor program, each request in a thread of the pool."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from cyclone.httpserver import StreamClosedError
from cyclone.httputil import HTTPHeaders, ResponseStartLine, split_host_and_port

from ._coroutines import start
from ._log import application_log, log_foreign
from ._routing_matchers import unquote_group

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from twisted.internet.defer import Deferred

    from cyclone.httpserver import HTTPRequest

    WSGIApplication = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_UNCAUGHT = "Uncaught exception serving {request}"


def to_wsgi_str(data: bytes) -> str:
    """Return bytes as the text that stands for them in a WSGI environment."""
    return data.decode("latin-1")


class WSGIContainer:
    """Makes a WSGI application a callback for the server, a target for routers, a fallback.

    It runs in the reactor's thread pool, or on *executor* if that is given, so it has to be
    thread-safe. Blocks of a body are sent as they come, at the pace of the client.
    """

    #: The application gets the body as it came.
    parses_forms = False

    def __init__(self, wsgi_application: WSGIApplication, executor: Executor | None = None) -> None:
        self.wsgi_application = wsgi_application
        self.executor = executor

    def __call__(self, request: HTTPRequest, **_: Any) -> None:
        """Serve *request*."""
        start(self.handle_request(request)).addErrback(_log_failure, request)

    async def handle_request(self, request: HTTPRequest) -> None:
        """Run the application for *request* and send what it answers."""
        answer = WSGIAnswer(request, self.environ(request))
        try:
            await self._in_thread(answer.run, self.wsgi_application)
        except StreamClosedError:
            pass  # the client went away
        except Exception:
            application_log.error(_UNCAUGHT, request=repr(request), exc_info=True)
            answer.fail()
        log_foreign(request, answer.status)

    def environ(self, request: HTTPRequest) -> dict[str, Any]:
        """Return the WSGI environment of *request*.

        Header fields with an underscore in their name are left out, because ``X_Real_Ip`` would
        pass for ``X-Real-Ip``, and so is ``Proxy``, which programs take for a setting (httpoxy).
        """
        host, port = split_host_and_port(request.host)
        https = request.protocol == "https"
        environ: dict[str, Any] = {
            "REQUEST_METHOD": request.method,
            "SCRIPT_NAME": "",
            "PATH_INFO": to_wsgi_str(unquote_group(request.path) or b""),
            "QUERY_STRING": request.query,
            "REMOTE_ADDR": request.remote_ip,
            "SERVER_NAME": host,
            "SERVER_PORT": str(port if port is not None else 443 if https else 80),
            "SERVER_PROTOCOL": request.version,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": request.protocol,
            "wsgi.input": request.body_file,
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }
        for name in request.headers:
            if name == "Content-Type":
                environ["CONTENT_TYPE"] = request.headers[name]
            elif name not in ("Content-Length", "Proxy") and "_" not in name:
                separator = "; " if name == "Cookie" else ","
                values = separator.join(request.headers.get_list(name))
                environ["HTTP_" + name.upper().replace("-", "_")] = values
        if "Content-Length" in request.headers:
            environ["CONTENT_LENGTH"] = request.headers["Content-Length"]
        elif "Transfer-Encoding" in request.headers:
            # Its chunks are gone; an application needs to know how much to read.
            body = environ["wsgi.input"]
            environ["CONTENT_LENGTH"] = str(body.seek(0, 2))
            body.seek(0)
        return environ

    def _in_thread(self, function: Callable[..., None], *args: Any) -> Deferred[None]:
        from twisted.internet import reactor, threads
        from twisted.internet.defer import Deferred

        if self.executor is None:
            return threads.deferToThread(function, *args)
        done: Deferred[None] = Deferred()
        call_soon: Any = reactor.callFromThread  # type: ignore[attr-defined]

        def run() -> None:
            try:
                function(*args)
            except BaseException as error:
                call_soon(done.errback, error)
            else:
                call_soon(done.callback, None)

        self.executor.submit(run)
        return done


class WSGIAnswer:
    """What an application says in answer to one request.

    All but :meth:`fail` runs in its thread.
    """

    def __init__(self, request: HTTPRequest, environ: dict[str, Any]) -> None:
        self._request = request
        self._environ = environ
        self._headers: HTTPHeaders | None = None
        self._reason = ""
        self._held: list[bytes] = []
        self._length: int | None = None
        self._begun = False
        #: The status that was, or will be, sent.
        self.status = 500

    def run(self, application: WSGIApplication) -> None:
        """Call *application* and send its blocks."""
        result = application(self._environ, self.start_response)
        try:
            single = isinstance(result, (list, tuple)) and len(result) == 1
            for block in result:
                if single and not self._begun:
                    self._held.append(block)
                else:
                    self.write(block)
            self._end()
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()

    def start_response(
        self, status: str, headers: list[tuple[str, str]], exc_info: Any = None
    ) -> Callable[[bytes], None]:
        """Note status and headers; the application calls this.

        RuntimeError when called again without *exc_info*, ValueError for what must not be sent.
        """
        if exc_info is not None:
            if self._begun:
                raise exc_info[1].with_traceback(exc_info[2])
        elif self._headers is not None:
            raise RuntimeError("start_response() was called already")
        code, _, self._reason = status.partition(" ")
        self.status = int(code)
        self._headers = HTTPHeaders()
        for name, value in headers:
            self._headers.add(name, value)
        if "Content-Type" not in self._headers and self.status not in (204, 304):
            self._headers["Content-Type"] = "text/html; charset=UTF-8"
        length = self._headers.get("Content-Length")
        self._length = int(length) if length is not None else None
        return self.write

    def write(self, block: bytes) -> None:
        """Send *block* now, unless it is all there is; waits while the client is slow."""
        if not block:
            return
        if not self._begun and self._length == len(block):
            self._held.append(block)  # complete: _end sends it with its head
            return
        from twisted.internet import reactor, threads

        threads.blockingCallFromThread(reactor, self._send, block)  # type: ignore[arg-type]

    def _send(self, block: bytes) -> Deferred[None]:
        headers = self._checked_headers()
        connection = self._request.connection
        if connection.request is not self._request:
            raise StreamClosedError
        if self._begun:
            return connection.write(block)
        self._begun = True
        start_line = ResponseStartLine("HTTP/1.1", self.status, self._reason)
        held, self._held = b"".join(self._held), []
        return connection.write_headers(start_line, headers, held + block)

    def _end(self) -> None:
        from twisted.internet import reactor, threads

        threads.blockingCallFromThread(reactor, self._finish)  # type: ignore[arg-type]

    def _finish(self) -> None:
        headers = self._checked_headers()
        request = self._request
        connection = request.connection
        if connection.request is not request:
            return
        if self._begun:
            connection.finish().addErrback(lambda _: None)
        else:
            body = b"".join(self._held)
            if self._length is not None and request.method != "HEAD" and self._length != len(body):
                raise ValueError(
                    f"Content-Length is {self._length}, the body has {len(body)} bytes"
                )
            connection.write_response(request, self.status, self._reason, headers, body)

    def _checked_headers(self) -> HTTPHeaders:
        if self._headers is None:
            raise RuntimeError("The WSGI application did not call start_response()")
        return self._headers

    def fail(self) -> None:
        """Answer 500, or cut the connection if something was sent; runs in the reactor's thread."""
        self.status = 500
        request = self._request
        if request.connection.request is not request:
            return
        if self._begun:
            request.connection.abort()
        else:
            headers = HTTPHeaders({"Content-Type": "text/plain; charset=UTF-8"})
            body = b"500: Internal Server Error\n"
            request.connection.write_response(request, 500, None, headers, body)


def _log_failure(failure: Any, request: HTTPRequest) -> None:
    if isinstance(failure.value, asyncio.CancelledError):
        return  # the event loop is being closed; the answer may have left before that was noted
    application_log.error(_UNCAUGHT, request=repr(request), exc_info=failure.value)
