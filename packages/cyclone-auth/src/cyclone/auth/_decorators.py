"""What the decorators of handler methods that ask who the user is have in common."""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import Deferred

from ._base import AuthMixin
from ._results import waiting

_P = ParamSpec("_P")
_H = TypeVar("_H", bound=AuthMixin)


def after_login(
    authenticate: Callable[[_H], Deferred[str]], method: Callable[Concatenate[_H, _P], object]
) -> Callable[Concatenate[_H, _P], Coroutine[Any, Any, None]]:
    """*method*, which runs once *authenticate* has told the name of the user.

    ``self.current_user`` is that name; what *authenticate* raises is the answer.
    """

    @functools.wraps(method)
    async def wrapper(self: _H, /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        self._handler.current_user = await authenticate(self)
        await waiting(method(self, *args, **kwargs))

    return wrapper
