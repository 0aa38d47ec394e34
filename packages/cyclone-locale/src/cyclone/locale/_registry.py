"""Which translations are in use: one immutable snapshot, replaced as a whole.

Readers take the current snapshot without a lock; whoever changes it builds the next one first and
then swaps it in, so that no reader ever sees half of a load.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gettext import NullTranslations

    from cyclone.locale._locale import Locale

Messages = dict[str, dict[str, str]]
"""What a CSV file holds: plural form (``unknown``, ``singular``, ``few``...) -> message -> text."""


@dataclass(frozen=True)
class Snapshot:
    """The translations in use, and the locales made of them so far."""

    default: str = "en_US"
    csv: Mapping[str, Messages] = field(default_factory=dict)
    gettext: Mapping[str, NullTranslations] = field(default_factory=dict)
    uses_gettext: bool = False
    supported: frozenset[str] = field(init=False)
    locales: dict[str, Locale] = field(default_factory=dict, init=False, compare=False)

    def __post_init__(self) -> None:
        supported = frozenset((self.default, *self.csv, *self.gettext))
        object.__setattr__(self, "supported", supported)

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
