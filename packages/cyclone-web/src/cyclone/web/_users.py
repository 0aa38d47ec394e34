"""Who is asking: the current user of a handler, and ``@authenticated``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from inspect import iscoroutine
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import urlencode, urlsplit

from ._base import HandlerBase
from ._errors import HTTPError

_P = ParamSpec("_P")
_H = TypeVar("_H", bound="UsersMixin")
_unset = object()


class UsersMixin(HandlerBase):
    """The user of a request."""

    _current_user: Any = _unset

    @property
    def current_user(self) -> Any:
        """The user of this request, or ``None``. Any object the application likes.

        Either override :meth:`get_current_user`, which is called when the user is first asked for,
        or set this attribute in :meth:`prepare`, which may wait for a database.
        """
        if self._current_user is _unset:
            user = self.get_current_user()
            if hasattr(user, "__await__"):
                # An awaitable is true: every visitor would count as logged in.
                if iscoroutine(user):
                    user.close()
                raise TypeError(
                    "get_current_user() must not be asynchronous: set current_user in prepare()"
                )
            self._current_user = user
        return self._current_user

    @current_user.setter
    def current_user(self, value: Any) -> None:
        self._current_user = value

    def get_current_user(self) -> Any:
        """Override to find the user of this request, for instance by a signed cookie."""
        return None

    def get_login_url(self) -> str:
        """Override to say where users log in; by default the setting ``login_url``."""
        self.require_setting("login_url", "@cyclone.web.authenticated")
        url: str = self.application.settings["login_url"]
        return url


def authenticated(
    method: Callable[Concatenate[_H, _P], Any],
) -> Callable[Concatenate[_H, _P], Any]:
    """Decorate a method of a handler (plain, ``async`` or Deferred-returning) to require a user.

    Without one, GET and HEAD are redirected to the login URL with the argument ``next``, which says
    where to go on; other methods get 403. A login URL that has a query of its own is taken as it
    is. With an absolute login URL ``next`` is absolute too. The login page must check that ``next``
    stays on its site.
    """

    @functools.wraps(method)
    def wrapper(self: _H, /, *args: _P.args, **kwargs: _P.kwargs) -> Any:
        if self.current_user:
            return method(self, *args, **kwargs)
        if self.request.method not in ("GET", "HEAD"):
            raise HTTPError(403)
        url = self.get_login_url()
        if "?" not in url:
            here = self.request.full_url() if urlsplit(url).scheme else self.request.uri
            url += "?" + urlencode({"next": here})
        self.redirect(url)
        return None

    return wrapper
