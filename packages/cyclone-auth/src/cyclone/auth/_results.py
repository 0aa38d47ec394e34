"""Results in both forms: a Deferred that fails with AuthError, and Cyclone's ``callback(user)``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias, TypeVar, cast

from twisted.internet.defer import Deferred, succeed
from twisted.python.failure import Failure

from cyclone.httpserver import EventLogger
from cyclone.web import spawn

from ._errors import AuthError, quoted

if TYPE_CHECKING:
    from cyclone.web import RequestHandler

_T = TypeVar("_T")
Callback: TypeAlias = Callable[[_T | None], object]

general_log = EventLogger("cyclone.general")


def run(coroutine: Coroutine[Deferred[object], object, _T]) -> Deferred[_T]:
    """Start *coroutine*; it awaits Deferreds only."""
    return Deferred.fromCoroutine(coroutine)


def waiting(value: object) -> Deferred[object]:
    """What an application's own function returned, to be waited for.

    It is started at once, and may await asyncio's things as a handler may.
    """
    if isinstance(value, Deferred):
        return value
    if isinstance(value, Awaitable | Generator):
        return spawn(cast("Awaitable[object]", value))
    return succeed(value)


def deliver(
    handler: RequestHandler, result: Deferred[_T], callback: Callback[_T] | None
) -> Deferred[_T | None]:
    """Call *callback* with the result, or with None after an AuthError, which is logged.

    The Deferred fires as well, when what the callback returned is done; an exception of the
    callback is answered like one of the handler's method. Without a callback the Deferred fails.
    """
    if callback is None:
        return cast("Deferred[_T | None]", result)
    called = _guarded(handler, callback)

    def failed(failure: Failure) -> None:
        if not isinstance(failure.value, AuthError):
            failure.raiseException()
        general_log.warning("Login failed: {reason}", reason=str(failure.value))

    def call(value: _T | None) -> Deferred[_T | None]:
        return waiting(called(value)).addCallback(lambda _: value)

    return result.addErrback(failed).addCallback(call).addErrback(_answer, handler)


def _answer(failure: Failure, handler: RequestHandler) -> None:
    """An exception that is no AuthError goes to the handler's error page."""
    _guarded(handler, failure.raiseException)()


def _guarded(handler: RequestHandler, function: Callable[..., object]) -> Callable[..., object]:
    return cast("Callable[..., object]", handler.async_callback(function))


def sort_arguments(
    positional: Sequence[object], names: Sequence[str], keywords: Mapping[str, object]
) -> tuple[Callback[object] | None, list[object]]:
    """Tell Cyclone's positional callback from Tornado's arguments.

    The first callable of *positional* is the callback, wherever it stands; the others fill *names*
    in order, then come *keywords* (None counts as not given). Returns the callback and one value
    for each name.

    :raises TypeError: for an argument too many or given twice.
    """
    callback = keywords.get("callback")
    values = {name: keywords.get(name) for name in names}
    rest: list[object] = []
    for value in positional:
        if callable(value) and callback is None:
            callback = value
        else:
            rest.append(value)
    if len(rest) > len(names):
        raise TypeError(f"expected at most {len(names)} more arguments, got {len(rest)}")
    for name, value in zip(names, rest, strict=False):
        if values[name] is not None:
            raise TypeError(f"got two values for argument {name!r}")
        values[name] = value
    if callback is not None and not callable(callback):
        raise TypeError(f"the callback is not callable: {quoted(callback)}")
    return callback, list(values.values())
