"""The request itself, and uploads."""

from __future__ import annotations

from typing import assert_type

from twisted.internet import reactor, task
from twisted.internet.defer import Deferred

from cyclone.httpserver import HTTPRequest, HTTPServerRequest
from cyclone.web import RequestHandler, stream_request_body


def describe(request: HTTPServerRequest) -> str:
    return f"{request.method} {request.full_url()}"


class Echo(RequestHandler):
    def post(self) -> None:
        request = self.request
        assert_type(request, HTTPRequest)
        assert_type(request.method, str)
        assert_type(request.uri, str)
        assert_type(request.path, str)
        assert_type(request.query, str)
        assert_type(request.version, str)
        assert_type(request.body, bytes)
        assert_type(request.remote_ip, str)
        assert_type(request.protocol, str)
        assert_type(request.host, str)
        assert_type(request.arguments, dict[str, list[bytes]])
        assert_type(request.request_time(), float)
        assert_type(request.headers["Host"], str)
        assert_type(request.headers.get("Host"), str | None)
        assert_type(request.headers.get("Host", ""), str)
        assert_type(request.headers.get_list("Accept"), list[str])
        upload = request.files["photo"][0]
        assert_type(upload.filename, str)
        assert_type(upload.content_type, str)
        assert_type(upload.body, bytes)
        assert_type(upload["filename"], str)
        assert_type(upload["body"], bytes)
        upload.save("/dev/null")
        self.write(describe(request))

    def put(self) -> None:
        transport = self.detach()
        transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
        transport.loseConnection()


@stream_request_body
class Upload(RequestHandler):
    max_body_size = 2**32

    def prepare(self) -> None:
        self.size = 0
        self.request.connection.set_max_body_size(2**30)
        self.request.connection.set_body_timeout(60)

    def data_received(self, chunk: bytes) -> None:
        self.size += len(chunk)

    def put(self) -> None:
        self.write(str(self.size))

    def on_connection_close(self) -> None:
        super().on_connection_close()


@stream_request_body
class SlowUpload(RequestHandler):
    async def data_received(self, chunk: bytes) -> None:
        await task.deferLater(reactor, 0.1)


@stream_request_body
class DeferredUpload(RequestHandler):
    def data_received(self, chunk: bytes) -> Deferred[None] | None:
        return self.flush() if chunk else None
