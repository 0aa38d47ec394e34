"""W3C Trace Context: the ``traceparent`` and ``tracestate`` fields (no I/O).

https://www.w3.org/TR/trace-context/ gives the grammar. What does not follow it is as good as
missing: a new trace begins.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Sequence
from typing import NamedTuple

#: Of ``tracestate``; a longer one is not passed on (section 3.3.1.5 asks for 512 at least).
MAX_STATE_SIZE = 512
MAX_STATE_MEMBERS = 32

_PARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-[!-+.-~-]*)?"
).fullmatch
_MEMBER = re.compile(
    r"[a-z0-9][a-z0-9_*/@-]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
).fullmatch
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16
_SAMPLED = 1


class RemoteParent(NamedTuple):
    """What a valid ``traceparent`` says of the caller."""

    trace_id: str
    span_id: str
    sampled: bool


@dataclasses.dataclass(frozen=True, slots=True)
class TraceContext:
    """The place of one request in a trace.

    ``trace_id`` (32 hexadecimal digits) is shared by all parts of the trace, ``span_id`` (16) is
    this request's own, ``parent_id`` the caller's, or None if the trace begins here. ``sampled``
    tells whether the trace is recorded: as the caller says, and yes for one that begins here.
    ``state`` is the caller's ``tracestate``.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    sampled: bool = True
    state: str = ""

    @property
    def traceparent(self) -> str:
        """The value that names this request as the parent of another one."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


def parse_traceparent(value: str) -> RemoteParent | None:
    """Read the value of ``traceparent``; None unless it is valid.

    Later versions than 00 are read as far as they agree with it, as section 3.2.3 says.
    """
    match = _PARENT(value)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more is not None):
        return None
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return RemoteParent(trace_id, span_id, bool(int(flags, 16) & _SAMPLED))


def parse_tracestate(values: Sequence[str]) -> str:
    """The values of ``tracestate`` as one, empty if any part of it is invalid or it is too long."""
    text = ",".join(values)
    if len(text) > MAX_STATE_SIZE:
        return ""
    members = [member.strip(" \t") for member in text.split(",")]
    members = [member for member in members if member]
    keys = {member.partition("=")[0] for member in members}
    if len(members) > MAX_STATE_MEMBERS or len(keys) < len(members):
        return ""
    return ",".join(members) if all(_MEMBER(member) for member in members) else ""


def continue_trace(parents: Sequence[str], states: Sequence[str] = ()) -> TraceContext:
    """The context of a request that came with these values of ``traceparent`` and ``tracestate``.

    More than one ``traceparent`` is as bad as an invalid one.
    """
    parent = parse_traceparent(parents[0]) if len(parents) == 1 else None
    if parent is None:
        return new_trace()
    state = parse_tracestate(states) if states else ""
    return TraceContext(parent.trace_id, _new_span_id(), parent.span_id, parent.sampled, state)


def new_trace() -> TraceContext:
    """A trace that begins here."""
    digits = os.urandom(24).hex()
    trace_id, span_id = digits[:32], digits[32:]
    if trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return new_trace()
    return TraceContext(trace_id, span_id)


def _new_span_id() -> str:
    span_id = os.urandom(8).hex()
    return span_id if span_id != _NO_SPAN else _new_span_id()
