"""The request of the current context."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import copy_context

from cyclone.httputil import RequestContext, current_request


class Fixed:
    def log_fields(self) -> Mapping[str, str]:
        return {"request_id": "1"}

    def outgoing_headers(self) -> Mapping[str, str]:
        return {"X-Request-ID": "1"}


def test_there_is_none_by_default() -> None:
    assert current_request.get() is None


def test_it_belongs_to_one_context() -> None:
    def serve() -> RequestContext | None:
        current_request.set(Fixed())
        return current_request.get()

    found = copy_context().run(serve)
    assert found is not None
    assert found.log_fields() == {"request_id": "1"}
    assert found.outgoing_headers() == {"X-Request-ID": "1"}
    assert current_request.get() is None
