"""Bodies that are handed to the handler piece by piece."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from ._coroutines import start
from ._execute import run_override_streamed
from ._execution import ExecutionMixin
from ._routing_entries import is_handler

if TYPE_CHECKING:
    from twisted.internet.defer import Deferred

    from ._handler import RequestHandler

_C = TypeVar("_C", bound="type[StreamingMixin]")


def stream_request_body(cls: _C) -> _C:
    """Decorate a handler's class whose bodies are streamed.

    ``prepare`` runs as soon as the head of the request is in: it may refuse the body, or set its
    limits (``self.request.connection.set_max_body_size``, ``set_body_timeout``). Then
    ``data_received(chunk)`` is called for each piece, the next one only after what it returned is
    done; then the method. The request's ``body`` stays empty, and the form's arguments with it.
    """
    if not is_handler(cls):
        raise TypeError(f"expected a subclass of RequestHandler, got {cls!r}")
    cls._stream_request_body = True
    return cls


class StreamingMixin(ExecutionMixin):
    """The side of a handler that takes a streamed body."""

    _may_keep_alive: bool = False
    # Who takes the body is known later: `_execute` is overridden.
    _body_receiver: Deferred[StreamedBody] | None = None

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        """Take one piece of the body; see :func:`stream_request_body`."""
        raise NotImplementedError("A class with @stream_request_body defines data_received()")

    def _start_streamed(
        self,
        path_args: Sequence[bytes | None],
        path_kwargs: Mapping[str, bytes | None],
    ) -> Any:
        # Nobody keeps the body, so there is no form to be read, malformed or not
        self.request.body_arguments, self.request.files = {}, {}
        if type(self)._execute is ExecutionMixin._execute:
            return self._prepare_streamed(path_args, path_kwargs)
        return run_override_streamed(self, path_args, path_kwargs)  # type: ignore[arg-type]

    def _prepare_streamed(
        self,
        path_args: Sequence[bytes | None],
        path_kwargs: Mapping[str, bytes | None],
    ) -> Any:
        """Prepare; return the receiver of the body, or a Deferred of it."""
        receiver = StreamedBody(self)  # type: ignore[arg-type]
        # An answer before the body is in ends the connection.
        connection = self.request.connection
        self._may_keep_alive, connection.keep_alive = connection.keep_alive, False
        try:
            self._check_verb_and_arguments(path_args, path_kwargs)
            pending: Any = self.prepare()
        except BaseException as error:
            self._handle_request_exception(error)
            return receiver
        if pending is None:
            return receiver
        waiting = start(pending)
        if not waiting.called:
            self._suspend_request(waiting)
        waiting.addErrback(self._handle_deferred_failure)
        return waiting.addCallback(lambda _: receiver)

    def _body_is_complete(self) -> None:
        """The body is complete: on to the method."""
        if self._finished:
            return
        self.request.connection.keep_alive = self._may_keep_alive
        try:
            self._run_verb()
        except BaseException as error:
            self._handle_request_exception(error)


class StreamedBody:
    """What the server feeds: passes the body on to a handler, keeping its pace."""

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler

    def data_received(self, chunk: bytes) -> Deferred[None] | None:
        """Pass *chunk* on; after the answer is out the rest of the body is thrown away."""
        handler = self._handler
        if handler._finished:
            return None
        try:
            pending = handler.data_received(chunk)
        except BaseException as error:
            handler._handle_request_exception(error)
            return None
        if pending is None:
            return None
        return start(pending).addErrback(handler._handle_deferred_failure)

    def finish(self) -> None:
        """The body is complete."""
        self._handler._body_is_complete()

    def on_connection_close(self) -> None:
        """The client went away before the end of the body."""
        self._handler._client_connection_lost()
