"""RequestHandler, put together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ._arguments import ArgumentsMixin
from ._base import overridable
from ._cookies import CookiesMixin
from ._error_pages import ErrorsMixin
from ._localization import LocalizationMixin
from ._log import hook_returned
from ._output import OutputMixin
from ._rendering import RenderingMixin
from ._response import ResponseMixin
from ._static_urls import StaticUrlMixin
from ._streaming import StreamingMixin
from ._tracing import TracingMixin
from ._users import UsersMixin
from ._xsrf import XSRFMixin

if TYPE_CHECKING:
    from cyclone.httpserver import HTTPRequest

    from ._application import Application
    from ._routing_rules import Rule


class RequestHandler(
    OutputMixin,
    ResponseMixin,
    ArgumentsMixin,
    StreamingMixin,
    ErrorsMixin,
    CookiesMixin,
    XSRFMixin,
    UsersMixin,
    LocalizationMixin,
    RenderingMixin,
    StaticUrlMixin,
    TracingMixin,
):
    """Answers requests: subclass it and define ``get``, ``post``, ...

    One is made for each request. A method may be a plain function, ``async def``, return a Deferred
    (also through ``inlineCallbacks``), or be decorated with :func:`asynchronous` and call
    :meth:`finish` later. Subclasses do not override ``__init__`` but :meth:`initialize`.
    """

    #: Close the connection after the answer.
    no_keep_alive: bool = False

    #: The most bytes a request's body may have, in place of the server's limit.
    max_body_size: int | None = None

    # The route that led here, for the access log.
    _matched_rule: Rule | None = None

    def __init__(self, application: Application, request: HTTPRequest, **kwargs: Any) -> None:
        self.application = application
        self.request = request
        self._write_buffer = []
        # Read several times: an instance's attribute is found faster than a class's
        self._finished = False
        self._status_code = 200
        self._made_headers = None
        result: object = self.set_default_headers()  # type: ignore[func-returns-value]
        if result is not None:
            hook_returned(self, "set_default_headers", result)
        if kwargs or type(self).initialize is not _initialize:
            result = self.initialize(**kwargs)
            if result is not None:
                hook_returned(self, "initialize", result)

    def _initialize(self, **kwargs: Any) -> None:
        """Runs first in each request, with the keywords of the route. Override it to keep them."""
        if kwargs:
            raise TypeError(
                f"{type(self).__qualname__} has no initialize() for the route's {', '.join(kwargs)}"
            )

    initialize: Callable[..., object] = _initialize

    def on_finish(self) -> None:
        """Runs after the answer was sent. Override it to clean up or log; it cannot write."""

    def reverse_url(self, name: str, *args: Any, **kwargs: Any) -> str:
        """The URL of a named route; see ``Application.reverse_url``."""
        return self.application.reverse_url(name, *args, **kwargs)


_initialize = RequestHandler.initialize


class ErrorHandler(RequestHandler):
    """Answers every request with the error *status_code*."""

    @overridable
    def initialize(self, status_code: int = 404) -> None:
        """Note the status of the answer."""
        self.set_status(status_code)

    def prepare(self) -> None:
        """Raise the error."""
        from ._errors import HTTPError

        raise HTTPError(self._status_code)

    def check_xsrf_cookie(self) -> None:
        """A POST here does nothing, so it gets the error it deserves and not a 403."""

    def check_trusted_origin(self, origin: str) -> bool:
        """As above: any origin will do."""
        return True

    def _check_forgery(self) -> None:
        # Nor is a browser that names no origin asked for one
        pass
