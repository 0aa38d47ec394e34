"""Handlers that override ``_execute``, as programs do that put something around every request.

Tornado and Cyclone 1.3 call ``handler._execute(transforms, *path_args, **path_kwargs)``. A class
that overrides it, for logins or measurements, is called in this way; all others are not.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from twisted.internet.defer import Deferred, succeed

from ._coroutines import as_coroutine

if TYPE_CHECKING:
    from ._execution import ExecutionMixin
    from ._handler import RequestHandler
    from ._streaming import StreamedBody
    from ._transforms import OutputTransform


def run_override(
    handler: ExecutionMixin,
    path_args: Sequence[bytes | None],
    path_kwargs: Mapping[str, bytes | None],
) -> None:
    """Run a request by the handler's own ``_execute``."""
    override: Any = handler._execute
    try:
        pending = override(handler._transforms or [], *(path_args or ()), **(path_kwargs or {}))
    except BaseException as error:
        handler._handle_request_exception(error)
        return
    if isinstance(pending, Deferred):
        pending.addErrback(handler._handle_deferred_failure)
    elif isinstance(pending, Awaitable):
        handler._run_awaitable(_wait_for(handler, pending))
    if (
        not handler._finished
        and not handler._request_suspended
        and not handler._stream_request_body
    ):
        handler._suspend_request(None)


async def _wait_for(handler: ExecutionMixin, pending: Awaitable[Any]) -> None:
    try:
        await as_coroutine(pending)
    except BaseException as error:
        handler._coroutine_failed(error)


def run_override_streamed(
    handler: RequestHandler,
    path_args: Sequence[bytes | None],
    path_kwargs: Mapping[str, bytes | None],
) -> Deferred[StreamedBody]:
    """The same for a streamed body; the Deferred fires with who takes it."""
    from ._streaming import StreamedBody

    receiver: Deferred[StreamedBody] = Deferred()
    handler._body_receiver = receiver

    def ended(_: object = None) -> None:
        # It did not come to the body: what is sent of it is thrown away
        if not receiver.called:
            receiver.callback(StreamedBody(handler))

    handler.request.notifyFinish().addCallback(ended)
    run_override(handler, path_args, path_kwargs)
    if handler._finished:
        ended()
    return receiver


def execute(
    handler: ExecutionMixin,
    transforms: Iterable[OutputTransform],
    path_args: Sequence[bytes | None],
    path_kwargs: Mapping[str, bytes | None],
) -> Deferred[None]:
    """What an override of ``_execute`` calls; fires when the request is over."""
    handler._transforms = list(transforms) or None
    receiver = cast("RequestHandler", handler)._body_receiver
    if receiver is None:
        handler._proceed_request(path_args, path_kwargs)
    else:
        taker = cast("RequestHandler", handler)._prepare_streamed(path_args, path_kwargs)
        if isinstance(taker, Deferred):
            taker.chainDeferred(receiver)
        elif not receiver.called:
            receiver.callback(taker)
    if handler._finished:
        return succeed(None)
    running = handler._running_method

    def cancel(_: object) -> None:
        if running is not None:
            running.cancel()

    def over(_: object) -> None:
        if not done.called:
            done.callback(None)

    done: Deferred[None] = Deferred(cancel)
    handler.request.notifyFinish().addCallback(over)
    return done
