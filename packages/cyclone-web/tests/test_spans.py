"""OpenTelemetry's spans."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from twisted.internet.defer import Deferred

from cyclone.web import Application, HTTPError, RequestHandler

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
PARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01", "tracestate": "a=1"}


class Story(RequestHandler):
    def get(self, number: str) -> None:
        if number == "0":
            raise HTTPError(404)
        if number == "1":
            raise ValueError("one")
        trace.get_current_span().set_attribute("story", number)
        self.write(self.trace_context.traceparent)

    async def post(self, number: str) -> None:
        await self.application.settings["waiting"]
        with self.application.settings["opentelemetry"].get_tracer("test").start_span("inner"):
            self.write("posted")


class Exported:
    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    @property
    def only(self) -> Any:
        (span,) = self.spans
        return span


@pytest.fixture
def exported() -> Exported:
    return Exported()


@pytest.fixture
def client(serve: Any, exported: Exported) -> Any:
    return serve([(r"/story/(\d+)", Story)], opentelemetry=exported.provider)


def test_a_span_for_each_request(client: Any, exported: Exported) -> None:
    response = client.fetch(uri="/story/5?secret=x", headers={"User-Agent": "test"})
    span = exported.only
    assert (span.name, span.kind, span.parent) == (r"GET /story/(\d+)", SpanKind.SERVER, None)
    assert dict(span.attributes) == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": r"/story/(\d+)",
        "network.protocol.version": "1.1",
        "client.address": "127.0.0.1",
        "server.address": "example.com",
        "url.path": "/story/5",
        "url.scheme": "http",
        "user_agent.original": "test",
        "story": "5",
    }
    assert span.status.status_code is StatusCode.UNSET
    assert response.text == f"00-{span.context.trace_id:032x}-{span.context.span_id:016x}-01"


def test_the_parent_is_the_callers_span(client: Any, exported: Exported) -> None:
    response = client.fetch(uri="/story/5", headers=PARENT)
    span = exported.only
    assert f"{span.context.trace_id:032x}" == TRACE
    assert f"{span.parent.span_id:016x}" == SPAN
    assert span.parent.is_remote
    assert span.context.trace_state.to_header() == "a=1"
    assert response.text == f"00-{TRACE}-{span.context.span_id:016x}-01"


def test_a_caller_that_records_nothing(client: Any, exported: Exported) -> None:
    parent = {"traceparent": f"00-{TRACE}-{SPAN}-00"}
    assert client.fetch(uri="/story/5", headers=parent).text.endswith("-00")
    assert exported.spans == ()


def test_an_exception_is_recorded(client: Any, exported: Exported) -> None:
    client.fetch(uri="/story/1")
    span = exported.only
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes["http.response.status_code"] == 500
    assert span.attributes["error.type"] == "ValueError"
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes["exception.message"] == "one"


@pytest.mark.parametrize(
    ("path", "name"),
    [("/story/0", r"GET /story/(\d+)"), ("/nowhere", "GET")],
    ids=["route", "none"],
)
def test_the_clients_fault_is_no_error(
    client: Any, exported: Exported, path: str, name: str
) -> None:
    client.fetch(uri=path)
    span = exported.only
    assert (span.name, span.attributes["http.response.status_code"]) == (name, 404)
    assert (span.status.status_code, span.events) == (StatusCode.UNSET, ())


def test_a_method_nobody_knows(client: Any, exported: Exported) -> None:
    client.fetch("BREW", "/story/5")
    assert exported.only.name == r"HTTP /story/(\d+)"
    assert exported.only.attributes["http.request.method"] == "_OTHER"


def test_spans_below_it_after_a_wait(serve: Any, exported: Exported) -> None:
    waiting: Deferred[None] = Deferred()
    routes = [(r"/story/(\d+)", Story)]
    client = serve(routes, opentelemetry=exported.provider, waiting=waiting)
    connection = client.start("POST", "/story/5", body=b"")
    assert len(exported.spans) == 0
    waiting.callback(None)
    assert connection.responses()[0].text == "posted"
    spans: Any = exported.spans
    inner, outer = spans
    assert (inner.name, outer.name) == ("inner", r"POST /story/(\d+)")
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id
    assert trace.get_current_span() is trace.INVALID_SPAN


def test_a_client_that_left(serve: Any, exported: Exported) -> None:
    waiting: Deferred[None] = Deferred()
    routes = [(r"/story/(\d+)", Story)]
    client = serve(routes, opentelemetry=exported.provider, waiting=waiting)
    client.start("POST", "/story/5", body=b"").lose()
    assert "http.response.status_code" not in exported.only.attributes
    waiting.callback(None)
    assert [span.name for span in exported.spans].count(r"POST /story/(\d+)") == 1


def test_without_an_sdk_ids_go_on(serve: Any) -> None:
    client = serve([(r"/story/(\d+)", Story)], opentelemetry=trace.NoOpTracerProvider())
    found = client.fetch(uri="/story/5", headers=PARENT).text
    assert found.startswith(f"00-{TRACE}-")
    assert SPAN not in found
    assert len(client.fetch(uri="/story/5").text) == 55


def test_the_global_provider(serve: Any) -> None:
    assert serve([(r"/story/(\d+)", Story)], opentelemetry=True).fetch(uri="/story/5").status == 200


def test_without_opentelemetry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(ImportError, match=r"pip install 'cyclone-web\[otel\]'"):
        Application(opentelemetry=True)
