import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from twisted.internet import reactor as _reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ClientFactory, Protocol
from twisted.trial.unittest import TestCase

from cyclone.httpserver import HTTPRequest, HTTPServer
from cyclone.httputil import HTTPHeaders
from cyclone.web import Application, FallbackHandler, WSGIContainer
from cyclone.web._wsgi import to_wsgi_str

reactor: Any = _reactor


def request(**arguments: Any) -> HTTPRequest:
    headers = HTTPHeaders()
    for name, value in arguments.pop("headers", []):
        headers.add(name, value)
    return HTTPRequest(headers=headers, **arguments)


def environ(**arguments: Any) -> dict[str, Any]:
    return WSGIContainer(lambda environ, start: []).environ(request(**arguments))


def test_to_wsgi_str() -> None:
    assert to_wsgi_str(b"\xe9") == "\xe9"


def test_environ() -> None:
    found = environ(
        method="POST",
        uri="/caf%C3%A9/a%2Bb+c?x=%20",
        body=b"body",
        host="example.com:8080",
        headers=[
            ("Content-Type", "text/plain"),
            ("Content-Length", "4"),
            ("X-A", "1"),
            ("X-A", "2"),
            ("Cookie", "a=b"),
        ],
    )
    assert found["REQUEST_METHOD"] == "POST"
    assert found["PATH_INFO"] == "/caf\xc3\xa9/a+b+c"
    assert found["QUERY_STRING"] == "x=%20"
    assert (found["SERVER_NAME"], found["SERVER_PORT"]) == ("example.com", "8080")
    assert (found["CONTENT_TYPE"], found["CONTENT_LENGTH"]) == ("text/plain", "4")
    assert (found["HTTP_X_A"], found["HTTP_COOKIE"]) == ("1,2", "a=b")
    assert "HTTP_CONTENT_TYPE" not in found
    assert found["wsgi.input"].read() == b"body"
    assert found["wsgi.url_scheme"] == "http"


def test_environ_defaults() -> None:
    assert environ(host="h", protocol="https")["SERVER_PORT"] == "443"
    assert environ(host="h")["SERVER_PORT"] == "80"
    assert "CONTENT_LENGTH" not in environ()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("X_Forwarded_For", id="LG-06"),
        pytest.param("Transfer_Encoding", id="T24"),
        pytest.param("Proxy", id="LG-07"),
    ],
)
def test_names_that_are_dropped(name: str) -> None:
    assert not [key for key in environ(headers=[(name, "evil")]) if key.startswith("HTTP_")]


class Client(Protocol):
    def __init__(self, data: bytes) -> None:
        self.data = data
        self.received = b""
        self.waiting: list[tuple[bytes, Deferred[None]]] = []
        self.done: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        self.transport.write(self.data)  # type: ignore[union-attr]

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        for text, deferred in self.waiting[:]:
            if text in self.received:
                self.waiting.remove((text, deferred))
                deferred.callback(None)

    def has(self, text: bytes) -> Deferred[None]:
        deferred: Deferred[None] = Deferred()
        self.waiting.append((text, deferred))
        self.dataReceived(b"")
        return deferred

    def connectionLost(self, reason: Any = None) -> None:
        self.done.callback(self.received)


class WSGITests(TestCase):
    """Over real sockets and threads."""

    def listen(self, callback: Any) -> Any:
        server = callback if isinstance(callback, HTTPServer) else HTTPServer(callback)
        port = reactor.listenTCP(0, server, interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        return port

    def connect(self, callback: Any, method: bytes = b"GET", body: bytes = b"") -> Client:
        port = self.listen(callback)
        head = method + b" /w HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        if body:
            head += b"Content-Length: %d\r\n" % len(body)
        client = Client(head + b"\r\n" + body)
        factory = ClientFactory()
        factory.noisy = False
        factory.protocol = lambda: client
        reactor.connectTCP("127.0.0.1", port.getHost().port, factory)
        return client

    async def fetch(self, application: Any, **arguments: Any) -> bytes:
        container = WSGIContainer(application, arguments.pop("executor", None))
        return await self.connect(container, **arguments).done

    async def test_a_simple_application(self) -> None:
        threads = []

        def application(environ: Any, start_response: Any) -> Any:
            threads.append(threading.current_thread())
            start_response("200 Fine", [("X-A", "1"), ("X-A", "2")])
            return [environ["REQUEST_METHOD"].encode() + environ["wsgi.input"].read()]

        answer = await self.fetch(application, method=b"POST", body=b"body")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert body == b"POSTbody"
        assert b"HTTP/1.1 200 Fine\r\n" in head
        assert b"X-A: 1\r\nX-A: 2\r\n" in head
        assert b"Content-Type: text/html; charset=UTF-8" in head
        assert b"Content-Length: 8" in head
        assert threads[0] is not threading.main_thread()

    async def test_behind_a_fallback_handler(self) -> None:
        def application(environ: Any, start_response: Any) -> Any:
            start_response("204 No Content", [])
            return []

        container = WSGIContainer(application)
        answer = await self.connect(
            Application([(".*", FallbackHandler, {"fallback": container})])
        ).done
        assert b"204 No Content" in answer
        answer = await self.connect(Application([(".*", container)])).done
        assert b"204 No Content" in answer

    async def test_on_an_executor(self) -> None:
        executor = ThreadPoolExecutor(1, thread_name_prefix="mine")
        self.addCleanup(executor.shutdown)

        def application(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            return [threading.current_thread().name.encode()]

        assert b"mine" in await self.fetch(application, executor=executor)

    async def test_blocks_leave_when_they_come(self) -> None:
        more = threading.Event()
        closed = threading.Event()

        class Body:
            def __iter__(self) -> Any:
                yield b"first"
                more.wait(10)
                yield b""
                yield b"second"

            def close(self) -> None:
                closed.set()

        def application(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])(b"written ")
            return Body()

        client = self.connect(WSGIContainer(application))
        await client.has(b"first")
        more.set()
        answer = await client.done
        assert answer.endswith(b"6\r\nsecond\r\n0\r\n\r\n")
        assert closed.wait(10)

    async def test_what_is_returned_follows_what_was_written(self) -> None:
        def application(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("Content-Length", "16")])(b"written ")
            return [b"returned"]

        answer = await self.fetch(application)
        assert answer.endswith(b"\r\n\r\nwritten returned")

    async def test_a_generator_with_a_length(self) -> None:
        def application(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("Content-Length", "3")])
            yield b"abc"

        answer = await self.fetch(application)
        assert answer.endswith(b"\r\n\r\nabc")

    async def test_failures_before_the_head(self) -> None:
        def raising(environ: Any, start_response: Any) -> Any:
            raise ValueError("broken")

        def silent(environ: Any, start_response: Any) -> Any:
            return [b"no head"]

        def injecting(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("X", "a\r\nSet-Cookie: b")])
            return [b""]

        def lying(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [("Content-Length", "10")])
            return [b"short"]

        def twice(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            start_response("200 OK", [])
            return [b""]

        for application in (raising, silent, injecting, lying, twice):
            answer = await self.fetch(application)
            assert b"500 Internal Server Error" in answer
            assert b"Set-Cookie" not in answer
            assert b"broken" not in answer

    async def test_a_failure_behind_the_head_cuts(self) -> None:
        def application(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            yield b"part"
            raise ValueError("broken")

        answer = await self.fetch(application)
        assert b"part" in answer
        assert b"0\r\n\r\n" not in answer

    async def test_an_error_page_of_its_own(self) -> None:
        import sys

        def application(environ: Any, start_response: Any) -> Any:
            start_response("200 OK", [])
            try:
                raise ValueError
            except ValueError:
                start_response("503 Busy", [], sys.exc_info())
            return [b"sorry"]

        assert b"503 Busy" in await self.fetch(application)


def test_the_length_of_a_body_that_came_in_chunks() -> None:
    found = environ(method="POST", body=b"body", headers=[("Transfer-Encoding", "chunked")])
    assert found["CONTENT_LENGTH"] == "4"
    assert found["wsgi.input"].read() == b"body"


def test_a_cancelled_task_is_not_an_error(caplog: pytest.LogCaptureFixture) -> None:
    class Cancelled(WSGIContainer):
        async def handle_request(self, request: HTTPRequest) -> None:
            raise asyncio.CancelledError

    Cancelled(lambda environ, start: [])(request())
    assert caplog.records == []
