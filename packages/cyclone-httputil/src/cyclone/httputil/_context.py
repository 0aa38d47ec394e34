"""The request that is being served, for whoever logs or sends something on its behalf.

A server's framework sets it, in the context that its handlers run in; loggers and HTTP clients,
which know nothing of that framework, read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Protocol


class RequestContext(Protocol):
    """What a request that is being served tells those who work for it."""

    def log_fields(self) -> Mapping[str, str]:
        """Names and values that each log event of this request should hold: its ids."""
        ...

    def outgoing_headers(self) -> Mapping[str, str]:
        """Header fields for the requests sent on its behalf: ``traceparent`` and its like."""
        ...


#: The request that the current context serves, or None.
current_request: ContextVar[RequestContext | None] = ContextVar(
    "cyclone_current_request", default=None
)
