"""From a matched route to a finished answer: prepare, the method, the end.

The path of a handler that is plain functions only is straight: no coroutine, no Deferred, nothing
allocated but the handler and its answer. What returns something awaitable takes the other path, and
only then are the client's departure and a forgotten answer watched for.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ._base import SAFE_METHODS, HandlerBase
from ._coroutines import Driver, Running, as_coroutine, run, running_loop, start
from ._errors import HTTPError
from ._execute import execute, run_override
from ._log import application_log, general_log
from ._output import OutputMixin

if TYPE_CHECKING:
    from ._transforms import OutputTransform

_F = TypeVar("_F", bound=Callable[..., Any])
_ATTRIBUTES = {
    method: method.lower()
    for method in ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
}


def asynchronous(method: _F) -> _F:
    """Keep the request open after *method* returns, until something calls ``finish()``.

    An awaitable it returns is run, and its failure answered; its success does not finish the
    request.
    """

    @functools.wraps(method)
    def wrapper(self: Any, *args: Any, **kwargs: Any) -> Any:
        self._auto_finish = False
        return method(self, *args, **kwargs)

    return wrapper  # type: ignore[return-value]


class ExecutionMixin(HandlerBase):
    """Runs one request."""

    #: The methods a handler may be asked for; all others are answered with 405.
    SUPPORTED_METHODS: tuple[str, ...] = tuple(_ATTRIBUTES)
    #: Whether a handler that still runs is cancelled when its client goes away; None: as the
    #: setting of that name says.
    cancel_on_disconnect: bool | None = None
    #: Seconds after which a request without an answer gets a 503 and its handler is cancelled;
    #: None: the setting of that name. 0: the answer is a stream that stays open.
    handler_timeout: float | None = None
    #: Whether a form is read before `prepare`, and a large multipart one while it comes. False:
    #: when its arguments or files are asked for; ``request.body`` has all that came, however large.
    parses_forms: bool = True

    path_args: list[str]
    path_kwargs: dict[str, str]
    _stream_request_body: bool = False
    _running_method: Running | None = None

    def prepare(self) -> Awaitable[None] | None:
        """Runs before the method of each request; may be async. It may finish the request."""

    def _execute(
        self, transforms: Iterable[OutputTransform] = (), *args: Any, **kwargs: Any
    ) -> Deferred[None]:
        """Run the request: Tornado's name, for programs that override it and call this one."""
        return execute(self, transforms, args, kwargs)

    def _start_request(
        self,
        path_args: Sequence[bytes | None],
        path_kwargs: Mapping[str, bytes | None],
    ) -> None:
        if type(self)._execute is _plain_execute:
            self._proceed_request(path_args, path_kwargs)
        else:
            run_override(self, path_args, path_kwargs)

    def _proceed_request(
        self,
        path_args: Sequence[bytes | None],
        path_kwargs: Mapping[str, bytes | None],
    ) -> None:
        try:
            if self.request.method != "GET" or path_args or path_kwargs:
                self._check_verb_and_arguments(path_args, path_kwargs)
            elif "GET" in self.SUPPORTED_METHODS:
                self.path_args = []
                self.path_kwargs = {}
            else:
                raise HTTPError(405)
            pending: Any = self.prepare()
            if pending is not None:
                self._run_awaitable(self._finish_prepare(pending))
                return
            if self._finished:
                return
            self._run_verb()
        except BaseException as error:
            self._handle_request_exception(error)

    def _run_verb(self) -> None:
        """Call the method; finish, unless that is for later."""
        pending = self._call_verb()
        if pending is not None:
            if isinstance(pending, Deferred):
                self._wait_for_deferred(pending)
            elif self._observed_by is None and running_loop() is None:
                self._drive_method(as_coroutine(pending))
            else:
                self._run_awaitable(self._finish_method(pending))
        elif not self._finished:
            if self._auto_finish and self._render_pending is None:
                if type(self).finish is OutputMixin.finish and not self._headers_written:
                    self._send_whole()
                else:
                    self.finish()
            else:
                self._suspend_request(self._render_pending)

    def _check_verb_and_arguments(
        self, path_args: Sequence[bytes | None], path_kwargs: Mapping[str, bytes | None]
    ) -> None:
        """What comes before prepare: is the method allowed, is the request what it should be."""
        method = self.request.method
        if method not in self.SUPPORTED_METHODS:
            raise HTTPError(405)
        decode = self.decode_argument
        self.path_args = args = []
        for arg in path_args or ():
            args.append(arg if arg is None else decode(arg))
        self.path_kwargs = kwargs = {}
        for name, arg in (path_kwargs or {}).items():
            kwargs[name] = arg if arg is None else decode(arg, name=name)
        if method not in SAFE_METHODS:
            if self.parses_forms and not self._stream_request_body:
                self._parse_form_early()
            self._check_forgery()

    @classmethod
    def _keeps_whole_body(cls, kwargs: Mapping[str, Any]) -> bool:
        """Whether a handler with these keywords wants the bytes of a form."""
        return not cls.parses_forms

    def _parse_form_early(self) -> None:
        """Read a form before the handler runs: one that cannot be read is the client's fault."""
        if (self.request.get_header("Content-Type") or "").startswith(
            ("application/x-www-form-urlencoded", "multipart/form-data")
        ):
            _ = self.request.body_arguments

    def _call_verb(self) -> Any:
        """Call ``get``, ``post`` ...; what is not defined goes to ``default``."""
        method = self.request.method
        if method == "GET":
            function: Any = self.get
        else:
            function = getattr(self, _ATTRIBUTES.get(method) or method.lower(), None)
        if function is None:
            function = self.default
        elif method == "HEAD" and self.application.settings.get("head_from_get"):
            function = self.get if getattr(function, "not_defined", False) else function
        if self.path_kwargs:
            return function(*self.path_args, **self.path_kwargs)
        return function(*self.path_args) if self.path_args else function()

    def default(self, *args: Any, **kwargs: Any) -> Any:
        """Called for a method that has no function of its own; answers 405 unless overridden."""
        raise HTTPError(405)

    def _not_defined(self, *args: Any, **kwargs: Any) -> Any:
        return self.default(*args, **kwargs)

    _not_defined.not_defined = True  # type: ignore[attr-defined]
    head: Callable[..., Any] = _not_defined
    get: Callable[..., Any] = _not_defined
    post: Callable[..., Any] = _not_defined
    delete: Callable[..., Any] = _not_defined
    patch: Callable[..., Any] = _not_defined
    put: Callable[..., Any] = _not_defined
    options: Callable[..., Any] = _not_defined

    # --- when something has to be waited for --------------------------------------------------

    def _drive_method(self, coroutine: Coroutine[Any, Any, Any]) -> None:
        """Drive the method's own coroutine: what `_finish_method` does, without another."""
        driver = _MethodDriver(coroutine, self)
        driver.step(coroutine.send, None)
        if not self._finished:
            self._suspend_request(driver if driver.waiting else None)

    def _run_awaitable(self, coroutine: Any) -> None:
        """Drive *coroutine*, which answers for its own failures."""
        if self._observed_by is not None:
            coroutine = self._observed_by.timed(self, coroutine)
        running = run(coroutine)
        if not self._finished:
            self._suspend_request(running)

    async def _finish_prepare(self, pending: Any) -> None:
        try:
            await (pending if isinstance(pending, Deferred) else as_coroutine(pending))
            if not self._finished:
                pending = self._call_verb()
                if pending is not None:
                    pending = await as_coroutine(pending)
                self._method_done(pending)
        except BaseException as error:
            self._coroutine_failed(error)

    async def _finish_method(self, pending: Any) -> None:
        try:
            self._method_done(await as_coroutine(pending))
        except BaseException as error:
            self._coroutine_failed(error)

    def _coroutine_failed(self, error: BaseException) -> None:
        if isinstance(error, GeneratorExit) and _is_being_closed(error):
            # Nothing will ever resume the coroutine: it is being collected. OpenRequests answers.
            raise error
        # It has ended; and it refers to this handler
        self._running_method = None
        if not isinstance(error, asyncio.CancelledError):
            self._handle_request_exception(error)
            return
        if _is_being_cancelled() and not self._client_left_early:
            # Somebody cancelled the handler's own task: that is no error to log
            if not self._finished:
                self.send_error(500, exc_info=(type(error), error, error.__traceback__))
        else:
            self._handle_request_exception(error)
        raise error

    def _wait_for_deferred(self, pending: Deferred[Any]) -> None:
        pending.addCallbacks(self._method_done, self._handle_deferred_failure)
        # A failure of finish() itself, such as an exception in on_finish
        pending.addErrback(self._handle_deferred_failure)
        if not self._finished:
            self._suspend_request(pending)

    def _method_done(self, value: object = None) -> None:
        self._running_method = None
        if self._auto_finish and not self._finished and not self._render_pending:
            if value is not None and not self._write_buffer:
                self._note_unused(value)
            if type(self).finish is OutputMixin.finish and not self._headers_written:
                self._send_whole()
            else:
                self.finish()

    def _note_unused(self, value: object) -> None:
        """In debug mode: a value that was returned, and an answer without a body."""
        if (
            self._status_code == 200
            and not self._headers_written
            and self.application.settings.get("debug")
        ):
            general_log.warning(
                "{handler}.{method}() returned {kind}, which goes nowhere, and the answer is empty:"
                " what the client is to get goes to self.write()",
                handler=f"{type(self).__module__}.{type(self).__qualname__}",
                method=self.request.method.lower(),
                kind=f"an object of type {type(value).__name__}",
            )

    def _handle_deferred_failure(self, failure: Failure) -> None:
        """Answer for a Deferred of this request that failed."""
        self._running_method = None
        error = failure.value
        if error is not None:
            if error.__traceback__ is None and failure.tb is not None:
                error.__traceback__ = failure.tb
            self._handle_request_exception(error)

    def _spawn_beside(self, awaitable: Awaitable[Any]) -> Deferred[Any]:
        """Start something awaitable beside what runs; its failure is the caller's to see."""
        return start(awaitable)

    def async_callback(
        self, callback: Callable[..., Any] | None, *args: Any, **kwargs: Any
    ) -> Callable[..., Any] | None:
        """Wrap a callback: its exceptions are answered like those of the handler's method."""
        if callback is None:
            return None

        @functools.wraps(callback)
        def wrapper(*more: Any, **keywords: Any) -> Any:
            try:
                result = callback(*args, *more, **{**kwargs, **keywords})
            except BaseException as error:
                self._handle_request_exception(error)
                return None
            if isinstance(result, Deferred):
                result.addErrback(self._handle_deferred_failure)
            elif isinstance(result, Awaitable):
                # Not the coroutine itself: it is under way now, and nobody could await it.
                result = start(result).addErrback(self._handle_deferred_failure)
            return result

        return wrapper

    # --- while the answer is open -------------------------------------------------------------

    def _suspend_request(self, running: Running | None) -> None:
        """The answer comes later: notice when the client leaves, or nobody is left to give it."""
        self._request_suspended = True
        self._running_method = running
        entry = self.application._open_requests.add(self)  # type: ignore[arg-type]
        if self._headers_written:
            return
        if entry is None or self._wants_close():
            self._watch_connection()
        else:
            self.request.connection.set_close_callback(entry.tell_client_left)

    def _watch_connection(self) -> None:
        """Be told when the client goes away.

        The connection holds the handler only weakly until something was sent: when whatever was to
        answer is gone, so is the handler, and that is how a request nobody will finish is found.
        An override of ``on_connection_close`` has its reasons to be called: then it is held.
        """
        callback: Callable[..., None]
        if self._headers_written or self._wants_close():
            callback = self._client_connection_lost
        else:
            callback = functools.partial(_tell_if_alive, weakref.ref(self))
        self.request.connection.set_close_callback(callback)

    def _wants_close(self) -> bool:
        overridden = type(self).on_connection_close is not ExecutionMixin.on_connection_close
        return overridden or self._cancels_on_disconnect()

    def _cancels_on_disconnect(self) -> bool:
        cancels = self.cancel_on_disconnect
        if cancels is None:
            return bool(self.application.settings.get("cancel_on_disconnect"))
        return cancels

    def on_connection_close(self) -> None:
        """Runs when the client left before the answer was complete. Override it to clean up."""

    def _client_connection_lost(self, *_: object) -> None:
        if self._finished:
            return
        self._client_left_early = True
        self.application._open_requests.client_left(self)  # type: ignore[arg-type]
        try:
            self.on_connection_close()
        except Exception:
            application_log.error(
                "Uncaught exception in on_connection_close {summary}",
                summary=self._request_summary(),
                exc_info=True,
            )
        if self._cancels_on_disconnect():
            self._cancel_handler()

    def _cancel_handler(self) -> None:
        running, self._running_method = self._running_method, None
        if running is not None:
            running.cancel()

    def _time_out_request(self) -> None:
        """The time for an answer is over: 503, and whatever still runs is cancelled."""
        try:
            self.send_error(503)
        finally:
            self._cancel_handler()

    def _answer_resolved(self) -> None:
        """The answer is about to be complete: nothing is watched for any more."""
        self._request_suspended = False
        self.request.connection.set_close_callback(None)
        self.application._open_requests.discard(self)  # type: ignore[arg-type]

    def notifyFinish(self) -> Deferred[str | None]:
        """A Deferred that fires at the end of the request, for each caller its own.

        With None when the answer is complete, with the reason (text) when the client went away; it
        never fails.
        """
        return self.request.notifyFinish()

    def _log(self) -> None:
        if self._observed_by is None:
            self.application.log_request(self)  # type: ignore[arg-type]
        else:
            self._observed_by.log(self)  # type: ignore[arg-type]


_plain_execute = ExecutionMixin._execute


def _is_being_closed(error: GeneratorExit) -> bool:
    """Whether Python threw it in, rather than the program from below (F-22)."""
    return error.__traceback__ is None or error.__traceback__.tb_next is None


class _MethodDriver(Driver):
    """Drives the coroutine of a handler's method, and ends the request with it."""

    __slots__ = ("_handler",)

    def __init__(self, coroutine: Coroutine[Any, Any, Any], handler: ExecutionMixin) -> None:
        super().__init__(coroutine, None)
        self._handler = handler

    def succeeded(self, value: object) -> None:
        try:
            self._handler._method_done(value)
        except BaseException as error:
            self.failed(error)

    def failed(self, error: BaseException) -> None:
        # What is raised here has been answered for
        with contextlib.suppress(BaseException):
            self._handler._coroutine_failed(error)


def _is_being_cancelled() -> bool:
    """Whether the running task was asked to end, rather than met something cancelled."""
    task = asyncio.current_task() if asyncio._get_running_loop() is not None else None
    return task is not None and task.cancelling() > 0


def _tell_if_alive(reference: weakref.ref[ExecutionMixin]) -> None:
    handler = reference()
    if handler is not None:
        handler._client_connection_lost()
