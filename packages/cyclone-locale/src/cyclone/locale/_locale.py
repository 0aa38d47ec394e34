"""Locale objects: translation, dates, lists and numbers in one language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date as Date
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar

from cyclone.locale import _dates, _registry
from cyclone.locale._codes import closest, split_code
from cyclone.locale._errors import fill, log
from cyclone.locale._names import LOCALE_NAMES

if TYPE_CHECKING:
    from collections.abc import Callable
    from gettext import NullTranslations

CONTEXT_SEPARATOR = "\x04"
"""What stands between context and message in a gettext catalogue."""


class Locale:
    """One language as one country uses it. `get` gives the instances.

    ``code`` is the identifier (``"pt_BR"``), ``name`` what the language calls itself
    (``"Português (Brasil)"``, or ``"Unknown"``), ``rtl`` whether it is written from right to left.
    A subclass gives `translate` and `pgettext`.
    """

    _cache: ClassVar[dict[str, Locale]] = {}
    """Not used: tests written for Tornado empty it. Each snapshot keeps its own locales."""

    def __init__(self, code: str, translations: object = None) -> None:
        self.code = code
        if translations is not None:
            self.translations = translations

    @classmethod
    def get_closest(cls, *locale_codes: str | bytes) -> Locale:
        """The locale closest to the first code that anything is close to, else the default one.

        Each code may be written ``es_GT``, ``es-gt`` or ``zh-Hant-TW``; it is tried as it is,
        then without its script, then without its region. Empty codes are passed over. Bytes are
        what a signed cookie gives.
        """
        snapshot = _registry.current()
        for code in locale_codes:
            if isinstance(code, bytes):
                code = code.decode("utf-8", "replace")
            found = closest(code, snapshot.supported)
            if found is not None:
                return _instance(snapshot, found)
        return _instance(snapshot, snapshot.default)

    @classmethod
    def get(cls, code: str) -> Locale:
        """The locale of exactly this code. Raises `ValueError` if it is not supported."""
        snapshot = _registry.current()
        if code not in snapshot.supported:
            raise ValueError(f"unsupported locale: {code!a}")
        return _instance(snapshot, code)

    @cached_property
    def name(self) -> str:
        """What the language calls itself; "Unknown" if CLDR does not know the code."""
        names = LOCALE_NAMES.get(self.code)
        return names["name"] if names else "Unknown"

    @cached_property
    def rtl(self) -> bool:
        """Whether the language is written from right to left."""
        from cyclone.locale._cldr import is_rtl

        return is_rtl(self.code)

    @cached_property
    def _english(self) -> bool:
        return split_code(self.code)[0] == "en"

    @cached_property
    def _months(self) -> Sequence[str]:
        return _dates.months(self)

    @cached_property
    def _weekdays(self) -> Sequence[str]:
        return _dates.weekdays(self)

    def translate(
        self, message: str, plural_message: str | None = None, count: float | None = None
    ) -> str:
        """The translation of ``message``, or of the form of it that fits ``count``.

        With ``plural_message``, ``count`` decides between the forms that the language has; it
        raises `ValueError` if missing. A message that is not translated comes back as it is:
        ``message`` for a count of one, else ``plural_message``.
        """
        raise NotImplementedError

    def pgettext(
        self,
        context: str,
        message: str,
        plural_message: str | None = None,
        count: float | None = None,
    ) -> str:
        """`translate` for a message that means different things in different contexts."""
        raise NotImplementedError

    def format_date(
        self,
        date: float | Date,
        gmt_offset: float = 0,
        relative: bool = True,
        shorter: bool = False,
        full_format: bool = False,
    ) -> str:
        """A moment in words: "2 minutes ago", "yesterday at 6:35 pm", "April 28, 2013 at 6:35 pm".

        ``date`` is a datetime (a naive one is UTC) or seconds since the epoch; ``gmt_offset`` is
        the reader's distance from it in minutes, positive to the west (as JavaScript's
        ``getTimezoneOffset()``). ``relative=False`` leaves out "2 minutes ago" and
        "yesterday", ``shorter=True`` the time of day, and ``full_format=True`` always gives the
        day with its year. A moment less than a minute ahead counts as now (clocks differ);
        one further ahead gets the full format.
        """
        return _dates.format_date(self, date, gmt_offset, relative, shorter, full_format)

    def format_day(self, date: float | Date, gmt_offset: float = 0, dow: bool = True) -> str:
        """A day in words: "Sunday, April 28"; without the weekday if ``dow`` is false."""
        return _dates.format_day(self, date, gmt_offset, dow)

    def list(self, parts: Sequence[str]) -> str:
        """The parts as a list in a sentence: "A, B and C"."""
        if len(parts) < 2:
            return parts[0] if parts else ""
        pattern = "%(commas)s and %(last)s"
        translated = self.translate(pattern)
        if translated == pattern and not self._english:
            from cyclone.locale import _cldr

            data = _cldr.babel_locale(self.code)
            if data is not None:
                return _cldr.join(data, parts)
        comma = " \u0648 " if split_code(self.code)[0] == "fa" else ", "
        return fill(translated, pattern, {"commas": comma.join(parts[:-1]), "last": parts[-1]})

    def friendly_number(self, value: float) -> str:
        """The number with commas between thousands in English ("1,000,000"), else as it is."""
        return f"{value:,}" if self.code in ("en", "en_US") else str(value)


def _instance(snapshot: _registry.Snapshot, code: str) -> Locale:
    """The locale of a supported code, made on first use and kept as long as its translations."""
    found = snapshot.locales.get(code)
    if found is not None:
        return found
    made: Locale
    if code in snapshot.gettext:
        made = GettextLocale(code, snapshot.gettext[code])
    else:
        made = CSVLocale(code, snapshot.csv.get(code, {}))
    return snapshot.locales.setdefault(code, made)


class CSVLocale(Locale):
    """A locale whose translations come from a CSV file."""

    def __init__(self, code: str, translations: Mapping[str, Mapping[str, str]]) -> None:
        self.translations: Mapping[str, Mapping[str, str]] = translations
        super().__init__(code)
        self._unknown = translations.get("unknown", {})
        self._singular = translations.get("singular", {})
        self._plural = translations.get("plural", {})
        self._has_categories = not translations.keys() <= {"unknown", "singular", "plural"}
        self._warned = False

    def translate(
        self, message: str, plural_message: str | None = None, count: float | None = None
    ) -> str:
        """See `Locale.translate`.

        The rows of a plural category (``few``) may be listed under the message or under its
        plural. They go before ``singular`` and ``plural`` rows; ``other`` serves any category
        that has no row.
        """
        if plural_message is None:
            return self._unknown.get(message, message)
        if count is None:
            raise ValueError("a plural message needs a count")
        if self._has_categories:
            found = self._categorized(self._category(count), message, plural_message)
            if found is not None:
                return found
        found = self._singular.get(message) if count == 1 else self._plural.get(plural_message)
        if found is None and self._has_categories:
            found = self._categorized("other", message, plural_message)
        if found is not None:
            return found
        return message if count == 1 else plural_message

    @cached_property
    def _category(self) -> Callable[[float], str]:
        from cyclone.locale._cldr import plural_rule

        return plural_rule(self.code)

    def _categorized(self, category: str, message: str, plural_message: str) -> str | None:
        texts = self.translations.get(category)
        if texts is None:
            return None
        found = texts.get(plural_message)
        return texts.get(message) if found is None else found

    def pgettext(
        self,
        context: str,
        message: str,
        plural_message: str | None = None,
        count: float | None = None,
    ) -> str:
        """`translate`: a CSV file has no contexts, which is logged once."""
        if self.translations and not self._warned:
            self._warned = True
            log().warning("pgettext: CSV translations (%s) have no contexts", self.code)
        return self.translate(message, plural_message, count)


class GettextLocale(Locale):
    """A locale whose translations come from a gettext catalogue."""

    def __init__(self, code: str, translations: NullTranslations) -> None:
        self.gettext: Callable[[str], str] = translations.gettext
        self.ngettext: Callable[[str, str, int], str] = translations.ngettext
        super().__init__(code)

    def translate(
        self, message: str, plural_message: str | None = None, count: float | None = None
    ) -> str:
        """See `Locale.translate`."""
        if plural_message is None:
            # The empty message is where gettext keeps the catalogue's own header.
            return self.gettext(message) if message else ""
        return self.ngettext(message, plural_message, _whole(count))

    def pgettext(
        self,
        context: str,
        message: str,
        plural_message: str | None = None,
        count: float | None = None,
    ) -> str:
        """See `Locale.pgettext`. A plural that has no such context is looked up without one."""
        key = f"{context}{CONTEXT_SEPARATOR}{message}"
        if plural_message is None:
            found = self.gettext(key)
            return message if found == key else found
        whole = _whole(count)
        plural_key = f"{context}{CONTEXT_SEPARATOR}{plural_message}"
        found = self.ngettext(key, plural_key, whole)
        if found in (key, plural_key):
            return self.ngettext(message, plural_message, whole)
        return found


def _whole(count: float | None) -> int:
    """``count`` for gettext, whose plural rules know integers only."""
    if count is None:
        raise ValueError("a plural message needs a count")
    return count if isinstance(count, int) else round(count)
