"""W3C Trace Context."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.web import TraceContext
from cyclone.web._tracecontext import (
    RemoteParent,
    continue_trace,
    new_trace,
    parse_traceparent,
    parse_tracestate,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
VALID = f"00-{TRACE}-{SPAN}-01"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(VALID, RemoteParent(TRACE, SPAN, True), id="sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-00", RemoteParent(TRACE, SPAN, False), id="not-sampled"),
        pytest.param(f"00-{TRACE}-{SPAN}-fe", RemoteParent(TRACE, SPAN, False), id="other-flags"),
        pytest.param(f"00-{TRACE}-{SPAN}-03", RemoteParent(TRACE, SPAN, True), id="random-flag"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01", RemoteParent(TRACE, SPAN, True), id="later-version"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-x", RemoteParent(TRACE, SPAN, True), id="later-longer"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01x", None, id="later-no-dash"),
        pytest.param(f"cc-{TRACE}-{SPAN}-01-x,{VALID}", None, id="later-list"),
        pytest.param(f"{VALID}-x", None, id="longer"),
        pytest.param(f"ff-{TRACE}-{SPAN}-01", None, id="version-ff"),
        pytest.param(VALID.upper(), None, id="upper-case"),
        pytest.param(f"00-{'0' * 32}-{SPAN}-01", None, id="no-trace"),
        pytest.param(f"00-{TRACE}-{'0' * 16}-01", None, id="no-span"),
        pytest.param(f"00-{TRACE[:-1]}-{SPAN}-01", None, id="short-trace"),
        pytest.param(f"00-{TRACE}-{SPAN}-1", None, id="short-flags"),
        pytest.param(f"0-{TRACE}-{SPAN}-01", None, id="short-version"),
        pytest.param(f"00-{TRACE}-{SPAN}", None, id="no-flags"),
        pytest.param(VALID + "\n", None, id="line-feed"),
        pytest.param(f"00-{TRACE}-{SPAN}-0१", None, id="other-digits"),
        pytest.param("", None, id="empty"),
    ],
)
def test_traceparent(value: str, expected: RemoteParent | None) -> None:
    assert parse_traceparent(value) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(["a=1"], "a=1", id="one"),
        pytest.param(["a=1 , b@v=2", "c= 3"], "a=1,b@v=2,c= 3", id="several"),
        pytest.param(["a=1,,"], "a=1", id="empty-members"),
        pytest.param([""], "", id="empty"),
        pytest.param(["a=1,a=2"], "", id="twice"),
        pytest.param(["A=1"], "", id="upper-case"),
        pytest.param(["a"], "", id="no-value"),
        pytest.param(["a=1\r\nX: y"], "", id="line-end"),
        pytest.param(["a=é"], "", id="not-ascii"),
        pytest.param([",".join(f"k{n}=1" for n in range(32))], None, id="32"),
        pytest.param([",".join(f"k{n}=1" for n in range(33))], "", id="33"),
        pytest.param(["a=" + "x" * 250 + ",b=" + "x" * 250], None, id="long"),
        pytest.param(["a=" + "x" * 256 + ",b=" + "x" * 256], "", id="too-long"),
    ],
)
def test_tracestate(values: list[str], expected: str | None) -> None:
    assert parse_tracestate(values) == (values[0] if expected is None else expected)


def test_a_trace_goes_on_with_a_span_of_its_own() -> None:
    context = continue_trace([VALID], ["a=1"])
    assert (context.trace_id, context.parent_id, context.state) == (TRACE, SPAN, "a=1")
    assert context.span_id != SPAN
    assert context.traceparent == f"00-{TRACE}-{context.span_id}-01"
    assert continue_trace([VALID]).span_id != context.span_id


def test_the_callers_decision_is_kept() -> None:
    assert continue_trace([f"00-{TRACE}-{SPAN}-00"]).traceparent.endswith("-00")


@pytest.mark.parametrize("parents", [[], ["x"], [VALID, VALID]])
def test_a_trace_begins(parents: list[str]) -> None:
    context = continue_trace(parents, ["a=1"])
    assert context.parent_id is None
    assert context.state == ""
    assert context.trace_id != TRACE


def test_new_traces_differ() -> None:
    assert len({new_trace().trace_id for _ in range(50)}) == 50


@given(st.text(max_size=80) | st.from_regex(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}.*"))
def test_any_text_gives_a_valid_context(text: str) -> None:
    context = continue_trace([text], [text])
    assert isinstance(context, TraceContext)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", context.traceparent)
    assert context.state.isascii()
    assert context.state == "" or context.state.isprintable()
    assert parse_traceparent(context.traceparent) is not None


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=8, max_size=8), st.booleans())
def test_what_is_written_can_be_read(trace: bytes, span: bytes, sampled: bool) -> None:
    context = TraceContext(trace.hex(), span.hex(), sampled=sampled)
    parsed = parse_traceparent(context.traceparent)
    if any(trace) and any(span):
        assert parsed == RemoteParent(trace.hex(), span.hex(), sampled)
    else:
        assert parsed is None
