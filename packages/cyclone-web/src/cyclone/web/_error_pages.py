"""From an exception to an answer and a line in the log."""

from __future__ import annotations

import asyncio
import functools
import sys
import warnings
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any

from twisted.internet.defer import CancelledError

from cyclone.escape import xhtml_escape
from cyclone.httpserver import StreamClosedError
from cyclone.httputil import HTTPInputError

from ._base import HandlerBase
from ._coroutines import ASYNCIO_HINT
from ._debug import traceback_page
from ._errors import Finish, HTTPError, InvalidArgumentError
from ._log import application_log, general_log
from ._response import has_no_body

_CANCELLED = (CancelledError, asyncio.CancelledError)


class ErrorsMixin(HandlerBase):
    """Answers for what went wrong."""

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with an error page, in place of what was written so far.

        Once the head of the answer is out there is no way to say so but to cut the connection,
        without the last chunk. Keywords go on to :meth:`write_error`; ``reason`` sets the reason
        phrase.
        """
        if self._headers_written:
            general_log.error(
                "Cannot send error response after headers written: {summary}",
                summary=self._request_summary(),
            )
            if not self._finished:
                self._abort_answer()
            return
        self.clear()
        error = _exception_of(kwargs)
        reason = kwargs.get("reason")
        if isinstance(error, HTTPError):
            reason = error.reason or reason
        if not isinstance(reason, str):
            reason = None  # anything may go by that name: Cyclone 1.3 passed it to write_error only
        self.set_status(status_code, reason=reason)
        self._set_error_page_headers(status_code, error)
        if status_code == 304:
            self._finish_error_page()
            return
        self._in_error_page = True
        try:
            write_error: Any = self.write_error
            result: object = write_error(status_code, **_taken_by(write_error, kwargs))
        except Exception:
            self._write_error_failed(status_code)
        else:
            if isinstance(result, Awaitable) and not self._finished:
                self._spawn_beside(result).addCallbacks(
                    lambda _: self._finish_error_page(),
                    lambda failure: self._write_error_failed(status_code, failure.value),
                )
                return
        self._finish_error_page()

    def _finish_error_page(self) -> None:
        if not self._finished and not self._render_pending:
            self.finish()

    def _write_error_failed(self, status_code: int, error: BaseException | None = None) -> None:
        """The application's own error page does not work: log that, answer without a page."""
        application_log.error("Uncaught exception in write_error", exc_info=error or True)
        if self._finished or self._headers_written:
            return
        self._write_buffer = []
        self._headers.pop("Content-Length", None)
        self._headers.pop("Content-Encoding", None)
        self._send_whole()

    def _set_error_page_headers(self, status_code: int, error: BaseException | None) -> None:
        if isinstance(error, HTTPError) and error.headers:
            for name, value in error.headers.items():
                self.set_header(name, value)
        if status_code == 405 and "Allow" not in self._headers:
            self._headers["Allow"] = ", ".join(allowed_methods(type(self)))

    def write_error(self, status_code: int, **kwargs: Any) -> Any:
        """Write the page of an error. Override it for pages of your own.

        It may ``write``, ``render``, ``set_header``, and be ``async``. For an exception,
        ``exc_info`` holds its triple and ``exception`` the exception itself. With the setting
        ``serve_traceback`` (on in debug mode) the page is the traceback, else one line.
        """
        get_error_html = getattr(self, "get_error_html", None)
        if get_error_html is not None:
            warnings.warn(
                "get_error_html() is deprecated: override write_error()",
                DeprecationWarning,
                stacklevel=2,
            )
            html = get_error_html(status_code, **kwargs)
            return html if isinstance(html, Awaitable) else self.finish(html)
        if has_no_body(status_code):
            self.finish()
        elif "exc_info" in kwargs and self.application.settings.get("serve_traceback"):
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.set_header("X-Content-Type-Options", "nosniff")
            self.finish(traceback_page(kwargs["exc_info"]))
        else:
            self.finish(self._plain_error_page(status_code, _exception_of(kwargs)))
        return None

    def _plain_error_page(self, status_code: int, error: BaseException | None) -> str:
        line = f"{status_code}: {xhtml_escape(self._reason)}"
        detail = ""
        if isinstance(error, InvalidArgumentError):
            detail = f" (argument {xhtml_escape(error.arg_name)})"
        return f"<html><title>{line}</title><body>{line}{detail}</body></html>"

    # --- from an exception ------------------------------------------------------------------

    def _handle_request_exception(self, error: BaseException) -> None:
        """Answer for *error*, whatever it is and wherever in the request it was raised."""
        if isinstance(error, Finish):
            if not self._finished:
                self.finish(*error.args)
            return
        gone = self._client_left_early or getattr(self.request.connection, "closed", False)
        if gone and isinstance(error, (StreamClosedError, *_CANCELLED)):
            # Nobody is left to answer, and the handler did nothing wrong.
            if not self._finished:
                self._abort_answer()
            return
        error = _translated(error)
        if isinstance(error, TypeError):
            _note_route(self, error)
        exc_info = (type(error), error, error.__traceback__)
        try:
            if self._observed_by is None:
                self.log_exception(*exc_info)
            else:
                self._observed_by.failed(self, exc_info)
        except Exception:
            application_log.error("Error in exception logger", exc_info=True)
        if self._finished:
            return
        status_code = error.status_code if isinstance(error, HTTPError) else 500
        try:
            keywords = {"exc_info": exc_info, "exception": error}
            self.send_error(status_code, **_taken_by(self.send_error, keywords))
        except Exception:
            application_log.error("Exception in exception handler", exc_info=True)
            self._last_resort()

    def _last_resort(self) -> None:
        """Even the error page failed: no client is left hanging."""
        if self._finished:
            return
        if self._headers_written:
            self._abort_answer()
            return
        self._new_cookies = self._vary_headers = self._transforms = None
        self._made_headers = None
        self._wrote_json = False
        self.set_status(500)
        self._headers["Content-Type"] = "text/html; charset=UTF-8"
        self._write_buffer = [self._plain_error_page(500, None).encode()]
        self._send_whole()

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        """Log an exception that reached the framework.

        An ``HTTPError`` is a warning without a traceback on ``cyclone.general``, and only if it has
        a message; all else is an error with its traceback on ``cyclone.application``.
        """
        if isinstance(value, HTTPError):
            message = value.get_message()
            if message:
                general_log.warning(
                    "{status} {summary}: {message}",
                    status=value.status_code,
                    summary=self._request_summary(),
                    message=message,
                )
            return
        application_log.error(
            "Uncaught exception {summary} in {handler}",
            summary=self._request_summary(),
            handler=f"{type(self).__module__}.{type(self).__qualname__}",
            exc_info=(typ, value, tb) if value is not None else sys.exc_info(),
        )

    def _request_summary(self) -> str:
        request = self.request
        return f"{request.method} {request.uri} ({request.remote_ip})"


def _taken_by(function: Callable[..., Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keywords, without ``exception`` where an override names those it takes, as in Tornado."""
    if "exception" in kwargs and not _takes_exception(getattr(function, "__func__", function)):
        return {name: value for name, value in kwargs.items() if name != "exception"}
    return kwargs


@functools.lru_cache(maxsize=256)
def _takes_exception(function: Callable[..., Any]) -> bool:
    import inspect

    parameters = inspect.signature(function).parameters.values()
    return any(
        each.name == "exception" or each.kind is inspect.Parameter.VAR_KEYWORD
        for each in parameters
    )


def allowed_methods(handler_class: type[Any]) -> list[str]:
    """The methods a handler's class answers, for ``Allow``."""
    return [
        method
        for method in handler_class.SUPPORTED_METHODS
        if not getattr(getattr(handler_class, method.lower(), None), "not_defined", False)
        and hasattr(handler_class, method.lower())
    ]


def _exception_of(kwargs: dict[str, Any]) -> BaseException | None:
    """The exception among the keywords of an error page, whichever way it was given."""
    exc_info = kwargs.get("exc_info")
    if isinstance(exc_info, tuple) and len(exc_info) == 3 and exc_info[1] is not None:
        return exc_info[1]  # type: ignore[no-any-return]
    error = kwargs.get("exception")
    return error if isinstance(error, BaseException) else None


def _translated(error: BaseException) -> BaseException:
    """Errors of the layers below, in terms of this one."""
    if isinstance(error, HTTPInputError):
        status_code = getattr(error, "status_code", None) or 400
        translated: BaseException = HTTPError(status_code, f"Invalid request: {error}")
        translated.__cause__ = error
        return translated.with_traceback(error.__traceback__)
    if _wants_asyncio(error):
        error.add_note(ASYNCIO_HINT)
    return error


def _note_route(handler: ErrorsMixin, error: TypeError) -> None:
    """Say where arguments come from that a handler's method does not take, or that it misses."""
    frames = error.__traceback__
    while frames is not None and frames.tb_next is not None:
        frames = frames.tb_next
    rule = getattr(handler, "_matched_rule", None)
    if frames is None or frames.tb_frame.f_code.co_name != "_call_verb" or rule is None:
        return
    error.add_note(f"The groups of the route's pattern are the arguments: {rule.matcher!r}")


def _is_anyios(error: RuntimeError) -> bool:
    """Whether anyio says so, which httpx and others are built on."""
    kind = type(error)
    return kind.__name__ == "NoEventLoopError" and kind.__module__.startswith("anyio.")


def _wants_asyncio(error: BaseException) -> bool:
    """Whether asyncio failed for want of its event loop."""
    if isinstance(error, RuntimeError):
        return error.args == ("no running event loop",) or _is_anyios(error)
    # What asyncio.Event, Lock, Queue ... come down to when they wait
    return isinstance(error, AttributeError) and error.name == "create_future" and error.obj is None
