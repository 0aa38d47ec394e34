"""The interfaces can be checked at run time, and implemented without inheriting."""

from cyclone.httputil import (
    HTTPConnection,
    HTTPHeaders,
    HTTPMessageDelegate,
    HTTPServerConnectionDelegate,
    RequestStartLine,
    ResponseStartLine,
)


class Delegate:
    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> None:
        pass

    def data_received(self, chunk: bytes) -> None:
        pass

    def finish(self) -> None:
        pass

    def on_connection_close(self) -> None:
        pass


class Server:
    def start_request(
        self, server_conn: object, request_conn: HTTPConnection
    ) -> HTTPMessageDelegate:
        return Delegate()

    def on_close(self, server_conn: object) -> None:
        pass


class Inherited(HTTPMessageDelegate):
    """Tornado's users subclass; what they do not need does nothing."""


def test_structure_is_enough() -> None:
    delegate: HTTPMessageDelegate = Delegate()
    server: HTTPServerConnectionDelegate = Server()
    assert isinstance(delegate, HTTPMessageDelegate)
    assert isinstance(server, HTTPServerConnectionDelegate)
    assert not isinstance(server, HTTPMessageDelegate)
    assert not isinstance(delegate, HTTPConnection)


def test_subclasses_get_methods_that_do_nothing() -> None:
    delegate = Inherited()
    start = RequestStartLine("GET", "/", "HTTP/1.1")
    assert delegate.headers_received(start, HTTPHeaders()) is None
    assert delegate.data_received(b"x") is None
    delegate.finish()
    delegate.on_connection_close()
