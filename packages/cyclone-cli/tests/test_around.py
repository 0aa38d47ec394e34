"""Hooks around requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cyclone.cli._around import at_begin, at_end
from cyclone.cli._options import RunOptions
from cyclone.cli._serve import configure
from cyclone.httpserver import HTTPServer
from cyclone.web import Application, RequestHandler, stream_request_body


class Main(RequestHandler):
    def get(self) -> None:
        self.write("x")


@stream_request_body
class Streamed(RequestHandler):
    def data_received(self, chunk: bytes) -> None: ...

    def post(self) -> None:
        self.write("y")


def test_both_ends_and_streamed_bodies(fetch: Callable[..., Any]) -> None:
    seen: list[str] = []
    application = Application([(r"/", Main), (r"/s", Streamed)], log_function=lambda handler: None)
    at_begin(application, lambda request: seen.append(f"begin {request.uri}"))
    at_end(application, lambda handler: seen.append(f"end {handler.get_status()}"))
    configure(application, RunOptions("x", xheaders=True))  # keeps what was put around it
    assert fetch(application) == (200, "x")
    assert fetch(application, "/none")[0] == 404
    assert fetch(application, "/s", "POST", Transfer_Encoding="chunked")[0] == 400
    assert seen[:4] == ["begin /", "end 200", "begin /none", "end 404"]


def test_a_server_without_head_hook() -> None:
    server = HTTPServer(lambda request: None)
    at_begin(server, lambda request: None)
    assert server.headers_received is None
