"""The names a template sees, each made when the template asks for it."""

from __future__ import annotations

import functools
from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from ._handler import RequestHandler

_MAKERS: dict[str, Callable[[RequestHandler], Any]] = {
    "handler": lambda handler: handler,
    "request": lambda handler: handler.request,
    "current_user": lambda handler: handler.current_user,
    "locale": lambda handler: handler.locale,
    "_": lambda handler: handler.locale.translate,
    "pgettext": lambda handler: handler.locale.pgettext,
    "static_url": lambda handler: handler.static_url,
    "xsrf_form_html": lambda handler: handler.xsrf_form_html,
    "reverse_url": lambda handler: handler.reverse_url,
    "modules": lambda handler: handler.ui["modules"],
    "_modules": lambda handler: handler.ui["modules"],
    "_tt_modules": lambda handler: handler.ui["modules"],
}


def add_standard_names(
    namespace: dict[str, Any], names: frozenset[str], handler: RequestHandler
) -> None:
    """Add those of *names* that every template can use, unless they are there."""
    for name in _standard_among(names):
        if name not in namespace:
            namespace[name] = _make(handler, name)
    methods = handler.application.ui_methods
    if methods:
        for name in names.intersection(methods):
            if name not in namespace:
                namespace[name] = handler.ui[name]


@functools.lru_cache(maxsize=1024)
def _standard_among(names: frozenset[str]) -> tuple[str, ...]:
    return tuple(name for name in _MAKERS if name in names)


def _make(handler: RequestHandler, name: str) -> Any:
    if name in handler.application.ui_methods:
        return handler.ui[name]
    return _MAKERS[name](handler)


class TemplateNamespace(dict[str, Any]):
    """A dictionary whose standard names are filled in when they are looked up.

    Asking who the user is may cost a database query, and finding the locale reads a header: a
    template that uses neither must not pay. Only ``namespace[name]`` is lazy. Everything that looks
    at the whole (iteration, ``in``, ``copy``, ``dict(namespace)``, ...) fills in all names first,
    so that nobody can tell the difference from an ordinary dictionary.
    """

    __slots__ = ("_handler",)

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler

    def __missing__(self, name: str) -> Any:
        if name not in _MAKERS and name not in self._handler.application.ui_methods:
            raise KeyError(name)
        value = self[name] = _make(self._handler, name)
        return value

    def _fill(self) -> Self:
        for name in (*_MAKERS, *self._handler.application.ui_methods):
            # Not "in": that would fill in again.
            if not dict.__contains__(self, name):
                self[name]
        return self

    # dict() and ** copy a subclass name by name, through keys(), only if it defines __iter__.
    def __iter__(self) -> Iterator[str]:
        return dict.__iter__(self._fill())

    def __len__(self) -> int:
        return dict.__len__(self._fill())

    def __contains__(self, name: object) -> bool:
        return dict.__contains__(self, name) or (
            name in _MAKERS or name in self._handler.application.ui_methods
        )

    def get(self, name: str, default: Any = None) -> Any:
        """Return ``self[name]``, or *default* when there is no such name."""
        if name not in self:
            return default
        return self[name]

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """All names."""
        return dict.keys(self._fill())

    def values(self) -> ValuesView[Any]:  # type: ignore[override]
        """What all names stand for."""
        return dict.values(self._fill())

    def items(self) -> ItemsView[str, Any]:  # type: ignore[override]
        """All names and what they stand for."""
        return dict.items(self._fill())

    def copy(self) -> dict[str, Any]:
        """An ordinary dictionary of the same names."""
        return dict(dict.items(self._fill()))

    def pop(self, name: str, *default: Any) -> Any:
        """Take *name* out; it will not be filled in again."""
        return dict.pop(self._fill(), name, *default)

    def setdefault(self, name: str, default: Any = None) -> Any:
        """Return ``self[name]``, which becomes *default* if there is no such name."""
        return self[name] if name in self else dict.setdefault(self, name, default)

    def __eq__(self, other: object) -> bool:
        return dict.__eq__(self._fill(), other)

    def __or__(self, other: dict[Any, Any]) -> dict[Any, Any]:
        return self.copy() | other

    def __ror__(self, other: dict[Any, Any]) -> dict[Any, Any]:
        return other | self.copy()

    __hash__ = None
