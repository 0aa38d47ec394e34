"""gen_test: asynchronous test methods of a synchronous test case."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, ParamSpec, overload

from ._reactor import get_async_test_timeout, run_sync

P = ParamSpec("P")


@overload
def gen_test(func: Callable[P, Any]) -> Callable[P, Any]: ...
@overload
def gen_test(*, timeout: float | None = None) -> Callable[[Callable[P, Any]], Callable[P, Any]]: ...


def gen_test(
    func: Callable[P, Any] | None = None, timeout: float | None = None
) -> Callable[P, Any] | Callable[[Callable[P, Any]], Callable[P, Any]]:
    """Run a test method, an ``async def`` or a generator, to its end in the reactor.

    ``@gen_test`` or ``@gen_test(timeout=10)``: in seconds, by default what
    `get_async_test_timeout` says when the method is decorated. What a generator yields may be an
    awaitable, a list or dict of them (waited for together), or None for one turn of the reactor.

    The method raises `TimeoutError` when it takes longer; the traceback shows where it waited.
    """
    seconds = get_async_test_timeout() if timeout is None else timeout

    def decorate(method: Callable[P, Any]) -> Callable[P, Any]:
        @functools.wraps(method)
        def run(*args: P.args, **kwargs: P.kwargs) -> Any:
            return run_sync(functools.partial(method, *args, **kwargs), seconds)

        return run

    return decorate if func is None else decorate(func)


# Test runners that collect by name would take it for a test wherever it is imported.
gen_test.__test__ = False  # type: ignore[attr-defined]
