"""The language of a request."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import cyclone.locale as locales

from ._base import HandlerBase

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cyclone.locale import Locale

# Headers of browsers are far shorter; a longer one is worked out each time and not kept.
_MAX_CACHED_HEADER = 200


class LocalizationMixin(HandlerBase):
    """Finds the locale of a request: the user's choice, else the browser's."""

    _locale: Locale | None = None

    @property
    def locale(self) -> Locale:
        """The locale of this request, decided when first asked for; may be set."""
        if self._locale is None:
            chosen = self.get_user_locale()
            if isinstance(chosen, (str, bytes)):
                chosen = locales.get(chosen)
            self._locale = self.get_browser_locale() if chosen is None else chosen
        return self._locale

    @locale.setter
    def locale(self, value: Locale) -> None:
        self._locale = value

    def get_user_locale(self) -> Locale | str | bytes | None:
        """Override to return the user's choice, a Locale or a code such as ``"es_GT"``.

        ``None`` leaves it to :meth:`get_browser_locale`.
        """
        return None

    def get_browser_locale(self, default: str = "en_US") -> Locale:
        """Return the best of the loaded locales for the header ``Accept-Language``.

        Without the header it is *default*, and when nothing in it fits, the default of
        ``cyclone.locale``.
        """
        supported = frozenset(locales.get_supported_locales())
        if len(supported) > 1:
            self._vary_on("Accept-Language")
        header = self.request.headers.get("Accept-Language")
        if not header:
            return locales.get(default)
        negotiate = _cached if len(header) <= _MAX_CACHED_HEADER else _negotiate
        code = negotiate(header, supported)
        return locales.get(default) if code is None else locales.get(code)


def _negotiate(header: str, supported: Iterable[str]) -> str | None:
    """The code to use, ``""`` for the default locale, ``None`` if the header names no language."""
    code = locales.negotiate_language(header, supported, "")
    return code if code or locales.parse_accept_language(header) else None


_cached = functools.lru_cache(maxsize=256)(_negotiate)
