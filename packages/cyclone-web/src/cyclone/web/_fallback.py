"""FallbackHandler: a route that leads out of the framework."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ._base import overridable
from ._handler import RequestHandler
from ._resources import is_resource, serve_resource

if TYPE_CHECKING:
    from cyclone.httpserver import HTTPRequest


class FallbackHandler(RequestHandler):
    """Hands requests to something else that can answer them.

    *fallback* is a callable that takes the request (a :class:`WSGIContainer`, an ``Application``),
    a ``twisted.web`` resource, or an ASGI application::

        (r".*", FallbackHandler, {"fallback": WSGIContainer(django_application)})
    """

    @overridable
    def initialize(self, fallback: Any) -> None:
        """Note who answers."""
        self.fallback: Callable[[HTTPRequest], object] = as_callback(fallback)
        self.parses_forms = False  # what a form may be, who answers knows

    @classmethod
    def _keeps_whole_body(cls, kwargs: Mapping[str, Any]) -> bool:
        fallback = kwargs.get("fallback")
        return (
            is_resource(fallback)
            or not getattr(fallback, "parses_forms", True)
            or _is_asgi(fallback)
        )

    def prepare(self) -> None:
        """Hand the request over; from here on it is not ours."""
        self.fallback(self.request)
        self._finished = True
        self.on_finish()

    def check_xsrf_cookie(self) -> None:
        """What answers has its own defences; our cookie is unknown to its forms."""


def as_callback(fallback: Any) -> Callable[[HTTPRequest], object]:
    """Return *fallback* as a callable that takes a request."""
    if is_resource(fallback):
        return lambda request: serve_resource(fallback, request)
    if _is_asgi(fallback):
        from ._asgi import serve_asgi

        return lambda request: serve_asgi(fallback, request)
    if not callable(fallback):
        raise TypeError(f"A fallback is a callable or a resource, not {type(fallback).__name__}")
    callback: Callable[[HTTPRequest], object] = fallback
    return callback


def _is_asgi(value: object) -> bool:
    """Tell whether *value* is called with scope, receive and send."""
    function = value if inspect.isroutine(value) else getattr(value, "__call__", None)  # noqa: B004
    if not inspect.iscoroutinefunction(function):
        return False
    return list(inspect.signature(function).parameters)[:3] == ["scope", "receive", "send"]
