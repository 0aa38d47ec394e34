"""Which translations are in use: one immutable snapshot, replaced as a whole.

Readers take the current snapshot without a lock; whoever changes it builds the next one first and
then swaps it in, so that no reader ever sees half of a load.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations

    from cyclone.locale._locale import Locale

Messages = dict[str, dict[str, str]]
"""What a CSV file holds: plural form (``unknown``, ``singular``, ``few``...) -> message -> text."""


class Snapshot:
    """The translations in use, and the locales made of them so far. It is not changed, but for
    ``locales``, which fills as locales are asked for.
    """

    def __init__(
        self,
        default: str = "en_US",
        csv: Mapping[str, Messages] | None = None,
        gettext: Mapping[str, NullTranslations] | None = None,
        files: tuple[str, ...] = (),
    ) -> None:
        self.default = default
        self.uses_gettext = gettext is not None
        self.csv: Mapping[str, Messages] = csv or {}
        self.gettext: Mapping[str, NullTranslations] = gettext or {}
        self.files = files
        self.supported = frozenset((default, *self.csv, *self.gettext))
        self.locales: dict[str, Locale] = {}

    def with_default(self, code: str) -> Snapshot:
        """The same translations with another default locale."""
        gettext = self.gettext if self.uses_gettext else None
        return Snapshot(code, self.csv, gettext, self.files)

    def legacy(self, name: str) -> object:
        """The value of one of Tornado's module variables (``_translations``...)."""
        return {
            "_default_locale": self.default,
            "_supported_locales": self.supported,
            "_translations": self.gettext if self.uses_gettext else self.csv,
            "_use_gettext": self.uses_gettext,
        }[name]


_lock = threading.Lock()
_current = Snapshot()


def current() -> Snapshot:
    """The snapshot in use."""
    return _current


def replace(change: Callable[[Snapshot], Snapshot]) -> Snapshot:
    """Put ``change(snapshot in use)`` into use and return it."""
    global _current
    with _lock:
        _current = change(_current)
        return _current
