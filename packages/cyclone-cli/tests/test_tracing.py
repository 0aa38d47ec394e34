"""Request ids and trace contexts."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.cli import _tracing
from cyclone.cli.observability import (
    TraceFilter,
    current_trace,
    parse_traceparent,
    trace,
    trace_headers,
)
from cyclone.web import Application, RequestHandler

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (f"00-{TRACE}-{SPAN}-01", (TRACE, SPAN, True)),
        (f"00-{TRACE}-{SPAN}-00", (TRACE, SPAN, False)),
        (f"cc-{TRACE}-{SPAN}-01-more", (TRACE, SPAN, True)),
        (f"00-{TRACE}-{SPAN}-01-more", None),
        (f"ff-{TRACE}-{SPAN}-01", None),
        (f"00-{TRACE.upper()}-{SPAN}-01", None),
        (f"00-{'0' * 32}-{SPAN}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE}-{SPAN}-01\n", None),
        (f"cc-{TRACE}-{SPAN}-01-{'x' * 1000}", None),
        ("", None),
    ],
)
def test_traceparent(value: str, expected: tuple[str, str, bool] | None) -> None:
    assert parse_traceparent(value) == expected


@given(st.text(alphabet="0123456789abcdef-"))
def test_any_text(value: str) -> None:
    found = parse_traceparent(value)
    assert found is None or (len(found[0]), len(found[1])) == (32, 16)


class Main(RequestHandler):
    def get(self) -> None:
        logging.getLogger("mine").warning("at work")
        found = current_trace()
        assert found is not None
        assert found.request_id == self.request.request_id
        self.write({**trace_headers(), "parent": found.parent_id})


def application(**options: bool) -> Application:
    made = Application([(r"/", Main)], log_function=lambda handler: None)
    trace(made, **options)
    return made


def test_in_and_out(fetch: Callable[..., Any]) -> None:
    answer = eval(
        fetch(
            application(),
            X_Request_ID="abc-1",
            traceparent=f"00-{TRACE}-{SPAN}-01",
            tracestate="vendor=1",
        )[1]
    )
    assert answer["X-Request-ID"] == "abc-1"
    assert answer["tracestate"] == "vendor=1"
    assert answer["parent"] == SPAN
    trace_id, span, sampled = parse_traceparent(answer["traceparent"]) or ("", "", False)
    assert (trace_id, sampled) == (TRACE, True)
    assert span != SPAN
    assert current_trace() is None
    assert trace_headers() == {}


@pytest.mark.parametrize(
    ("options", "headers"),
    [
        ({}, {}),
        ({}, {"X_Request_ID": "a b", "traceparent": "nonsense"}),
        ({}, {"X_Request_ID": "x" * 101}),
        ({"trusted": False}, {"X_Request_ID": "abc", "traceparent": f"00-{TRACE}-{SPAN}-01"}),
    ],
)
def test_new_ones(
    fetch: Callable[..., Any], options: dict[str, bool], headers: dict[str, str]
) -> None:
    answer = eval(fetch(application(**options), **headers)[1])
    assert len(answer["X-Request-ID"]) == 32
    assert answer["parent"] == ""
    assert TRACE not in answer["traceparent"]


def test_each_log_line_has_the_id(fetch: Callable[..., Any]) -> None:
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[assignment, method-assign]
    for _ in range(2):
        _tracing.add_filter(handler)
    assert [type(one) for one in handler.filters] == [TraceFilter]
    logging.getLogger("mine").addHandler(handler)
    try:
        fetch(application(), X_Request_ID="abc-2")
        logging.getLogger("mine").warning("%s", "outside")
    finally:
        logging.getLogger("mine").removeHandler(handler)
    first, second = records
    assert (first.getMessage(), vars(first)["request_id"]) == ("[abc-2] at work", "abc-2")
    assert (second.getMessage(), vars(second)["request_id"]) == ("outside", "")
