"""What the mixins of :class:`RequestHandler` may take for granted of each other.

The handler is put together from mixins, each in a module of its own. Every mixin subclasses
:class:`HandlerBase`, which holds the attributes they share, with defaults on the class: a request
that never touches a feature pays nothing for it. The methods are only *declared* here (for type
checkers); the mixin that owns a method defines it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime
    from collections.abc import Awaitable, Callable
    from types import TracebackType

    from twisted.internet.defer import Deferred
    from twisted.python.failure import Failure

    from cyclone.httpserver import HTTPRequest
    from cyclone.httputil import HTTPHeaders
    from cyclone.locale import Locale

    from ._application import Application
    from ._observation import Observer
    from ._settings import Settings
    from ._transforms import OutputTransform

    HeaderValue = str | bytes | int | datetime.datetime

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def overridable(method: Callable[..., object]) -> Callable[..., Any]:
    """Let overrides take other arguments: only the framework calls this method.

    For type checkers, which hold an override to the parameters of what it overrides.
    """
    return method


class HandlerBase:
    """The state of one request, shared by the mixins of a handler."""

    # --- set for each request -------------------------------------------------------------
    application: Application
    request: HTTPRequest
    # None, as in Tornado, only in a handler that was made by hand.
    path_args: list[str] = None  # type: ignore[assignment]
    path_kwargs: dict[str, str] = None  # type: ignore[assignment]

    # --- the response so far --------------------------------------------------------------
    _headers: HTTPHeaders
    # The same, or None while nobody has touched them: then the answer has the default fields.
    _made_headers: HTTPHeaders | None = None
    _write_buffer: list[bytes]
    _status_code: int = 200
    _reason: str = "OK"
    # Values of Set-Cookie by cookie name; they survive clear(), as in Tornado.
    _new_cookies: dict[str, str] | None = None
    # Request headers the answer depends on, merged into Vary when the headers leave; survive
    # clear().
    _vary_headers: list[str] | None = None
    _transforms: list[OutputTransform] | None = None

    # --- where the request is -------------------------------------------------------------
    _headers_written: bool = False
    _finished: bool = False
    _auto_finish: bool = True
    # The handler's method has returned (or waits) and the answer is still to come.
    _request_suspended: bool = False
    # From render() of something that has to wait until it has finished the request.
    _render_pending: Deferred[None] | None = None
    # An error page is being made: what fails now must not lead to another.
    _in_error_page: bool = False
    # The client left before the answer was complete; its handler was told.
    _client_left_early: bool = False
    # Bytes of the body that were handed to the connection.
    _body_bytes_written: int = 0
    # What was written is JSON, and no header field was touched since.
    _wrote_json: bool = False

    # The Etag that set_etag_header() made; one the program set itself stays.
    _computed_etag: str | None = None
    # What a setting asks to be noted of the request is noted by this.
    _observed_by: Observer | None = None

    @property
    def settings(self) -> Settings:
        """The application's settings, ``self.application.settings``."""
        return self.application.settings

    def require_setting(self, name: str, feature: str = "this feature") -> None:
        """Raise an Exception that names *feature* unless the setting *name* has a value."""
        if not self.application.settings.get(name):
            raise Exception(
                f"You must define the {name!r} setting in your application to use {feature}"
            )

    def _vary_on(self, header: str) -> None:
        """Note that the answer depends on a header of the request."""
        if self._vary_headers is None:
            self._vary_headers = [header]
        elif header not in self._vary_headers:
            self._vary_headers.append(header)

    if TYPE_CHECKING:
        # _response.py
        def clear(self) -> None: ...
        def set_status(self, status_code: int, reason: str | None = None) -> None: ...
        def get_status(self) -> int: ...
        def set_header(self, name: str, value: HeaderValue) -> None: ...
        def add_header(self, name: str, value: HeaderValue) -> None: ...
        def clear_header(self, name: str) -> None: ...
        def write(self, chunk: str | bytes | dict[str, Any] | list[Any]) -> None: ...
        def flush(self, include_footers: bool = False) -> Deferred[None]: ...
        def finish(
            self, chunk: str | bytes | dict[str, Any] | list[Any] | None = None
        ) -> Deferred[None]: ...
        def redirect(
            self, url: str, permanent: bool = False, status: int | None = None
        ) -> None: ...
        def compute_etag(self) -> str | None: ...
        def set_etag_header(self) -> None: ...
        def check_etag_header(self) -> bool: ...
        def set_default_headers(self) -> None: ...
        def _complete_headers(self) -> None: ...
        def _clear_representation_headers(self) -> None: ...
        def _send_whole(self) -> None: ...
        def _abort_answer(self) -> None: ...

        # _errors.py
        def send_error(self, status_code: int = 500, **kwargs: Any) -> None: ...
        def write_error(self, status_code: int, **kwargs: Any) -> Any: ...
        def log_exception(
            self,
            typ: type[BaseException] | None,
            value: BaseException | None,
            tb: TracebackType | None,
        ) -> None: ...

        def _handle_request_exception(self, error: BaseException) -> None: ...
        def _write_error_failed(
            self, status_code: int, error: BaseException | None = None
        ) -> None: ...
        def _request_summary(self) -> str: ...

        # _execution.py
        def _log(self) -> None: ...
        def _watch_connection(self) -> None: ...
        def _answer_resolved(self) -> None: ...
        # Starts a coroutine, Deferred or asyncio awaitable at once, beside whatever runs.
        def _spawn_beside(self, awaitable: Awaitable[Any]) -> Deferred[Any]: ...
        def _handle_deferred_failure(self, failure: Failure) -> None: ...

        # _arguments.py
        get_argument: Callable[..., Any]
        get_arguments: Callable[..., list[str]]
        get_query_argument: Callable[..., Any]
        get_body_argument: Callable[..., Any]

        def decode_argument(self, value: bytes, name: str | None = None) -> str: ...

        # _cookies.py, _xsrf.py, _users.py
        def get_cookie(self, name: str, default: str | None = None) -> str | None: ...
        def set_cookie(self, name: str, value: str | bytes, *args: Any, **kwargs: Any) -> None: ...
        def clear_cookie(self, name: str, *args: Any, **kwargs: Any) -> None: ...
        # Called before prepare() for each method outside SAFE_METHODS; raises HTTPError(403).
        def _check_forgery(self) -> None: ...
        @property
        def current_user(self) -> Any: ...
        @current_user.setter
        def current_user(self, value: Any) -> None: ...

        # _localization.py, _static_urls.py
        @property
        def locale(self) -> Locale: ...
        @locale.setter
        def locale(self, value: Locale) -> None: ...
        def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str: ...

        # _handler.py
        def on_finish(self) -> object: ...
        def on_connection_close(self) -> None: ...
        def reverse_url(self, name: str, *args: Any, **kwargs: Any) -> str: ...
