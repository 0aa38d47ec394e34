"""Servers and all their keywords."""

from __future__ import annotations

import socket
import ssl
from typing import Any, Unpack, assert_type

from twisted.internet.defer import Deferred

from cyclone.httpserver import HTTPRequest, HTTPServer, ServerKeywords, ServerOptions
from cyclone.httputil import HTTPHeaders, ResponseStartLine
from cyclone.web import Application

application = Application()
server = application.listen(8888)
assert_type(server, HTTPServer)
assert_type(server.stop(), Deferred[int])
application.listen(8888, "127.0.0.1")
application.listen(8888, address="127.0.0.1", backlog=100, reuse_port=True, xheaders=True)
application.listen(8888, "", family=socket.AF_UNSPEC, flags=None)
application.listen(8888, ssl_options={"certfile": "x", "keyfile": "y"}, protocol="https")
application.listen(8888, ssl_options=ssl.create_default_context(), no_keep_alive=True)
application.listen(
    8888, trusted_downstream=["10.0.0.1"], max_body_size=10, idle_connection_timeout=60
)


def serve(**options: Any) -> None:
    application.listen(8888, **options)


def serve_exactly(**options: Unpack[ServerKeywords]) -> None:
    HTTPServer(application, **options).listen(80)


def hello(request: HTTPRequest) -> None:
    headers = HTTPHeaders({"Content-Type": "text/plain"})
    request.connection.write_response(request, 200, None, headers, b"hello")


async def stream(request: HTTPRequest) -> None:
    connection = request.connection
    await connection.write_headers(ResponseStartLine("HTTP/1.1", 200, "OK"), HTTPHeaders())
    await connection.write(b"x")
    await connection.finish()


HTTPServer(hello, options=ServerOptions(max_body_size=None)).listen(80, "::1", socket.AF_INET6)
two_steps = HTTPServer(stream, decompress_request=True, body_timeout=None)
two_steps.bind(8888, "127.0.0.1")
two_steps.start()
two_steps.add_sockets([socket.socket()])
port = HTTPServer(hello).listen(0)
print(port.getHost().port)
port.stopListening()
