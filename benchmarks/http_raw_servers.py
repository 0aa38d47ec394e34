"""The servers `http_raw.py` compares: python http_raw_servers.py NAME PORT."""

# mypy: allow-untyped-calls

from __future__ import annotations

import sys
from typing import Any

BODY = b"hello world!"


def bare() -> Any:
    """The least Twisted can do: httptools fed, a constant sent straight to the socket."""
    import httptools
    from twisted.internet.protocol import Factory, Protocol

    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 12\r\n\r\n" + BODY
    )

    class Bare(Protocol):
        def connectionMade(self) -> None:
            transport: Any = self.transport
            self.send = transport.getHandle().send
            self.parser = httptools.HttpRequestParser(self)

        def dataReceived(self, data: bytes) -> None:
            self.count = 0
            self.parser.feed_data(data)
            self.send(answer * self.count)

        def on_url(self, url: bytes) -> None:
            self.url = url

        def on_message_complete(self) -> None:
            self.count += 1

    return Factory.forProtocol(Bare)


def ours() -> Any:
    """HTTPServer with headers in wire form."""
    from cyclone.httpserver import HTTPServer
    from cyclone.httputil import HTTPHeaders

    headers = HTTPHeaders({"Content-Type": "text/plain"}).wire()

    def callback(request: Any) -> None:
        request.connection.write_response(request, 200, None, headers, BODY)

    return HTTPServer(callback)


def ours_headers() -> Any:
    """HTTPServer with a copy of HTTPHeaders for each answer, as a framework would."""
    from cyclone.httpserver import HTTPServer
    from cyclone.httputil import HTTPHeaders

    headers = HTTPHeaders({"Content-Type": "text/plain"})

    def callback(request: Any) -> None:
        request.connection.write_response(request, 200, None, headers.copy(), BODY)

    return HTTPServer(callback)


def upload() -> Any:
    """HTTPServer that takes any body and says how long it was."""
    from cyclone.httpserver import HTTPServer

    def callback(request: Any) -> None:
        size = str(request._body.size if request._body else 0).encode()
        request.connection.write_response(request, 200, None, b"", size)

    return HTTPServer(callback, max_body_size=None)


def site() -> Any:
    """twisted.web."""
    from twisted.web.resource import Resource
    from twisted.web.server import Site

    class Hello(Resource):
        isLeaf = True

        def render_GET(self, request: Any) -> bytes:
            request.setHeader(b"Content-Type", b"text/plain")
            return BODY

    return Site(Hello())


def tornado(port: int) -> None:
    """Tornado's HTTPServer with a callback."""
    import asyncio

    from tornado.httpserver import HTTPServer
    from tornado.httputil import HTTPHeaders, ResponseStartLine

    def callback(request: Any) -> None:
        headers = HTTPHeaders({"Content-Type": "text/plain", "Content-Length": "12"})
        start = ResponseStartLine("HTTP/1.1", 200, "OK")
        request.connection.write_headers(start, headers, BODY)
        request.connection.finish()

    async def main() -> None:
        HTTPServer(callback).listen(port, "127.0.0.1", backlog=2048)
        await asyncio.Event().wait()

    asyncio.run(main())


def main() -> None:
    name, port = sys.argv[1], int(sys.argv[2])
    if name == "tornado":
        tornado(port)
        return
    from twisted.internet import epollreactor

    epollreactor.install()
    from twisted.internet import reactor as reactor_module

    reactor: Any = reactor_module
    factory = globals()[name]()
    reactor.listenTCP(port, factory, interface="127.0.0.1", backlog=2048)
    reactor.run()


if __name__ == "__main__":
    main()
