"""Translations from CSV and gettext, plural rules, dates and numbers for people.

Load the translations once at the start (`load_translations` or `load_gettext_translations`),
then ask for the locale of a reader and translate::

    import cyclone.locale

    cyclone.locale.load_translations("translations")
    locale = cyclone.locale.get("es_GT")
    locale.translate("Sign out")
    locale.translate("%(count)d file", "%(count)d files", 3) % {"count": 3}

Importing this package loads neither Babel nor Twisted. All functions may be called from any thread.
"""

from typing import TYPE_CHECKING

from cyclone.locale._errors import TranslationError
from cyclone.locale._extract import extract_template
from cyclone.locale._loading import (
    get,
    get_loaded_files,
    get_supported_locales,
    load_gettext_translations,
    load_translations,
    set_default_locale,
)
from cyclone.locale._locale import CONTEXT_SEPARATOR, CSVLocale, GettextLocale, Locale
from cyclone.locale._names import LOCALE_NAMES
from cyclone.locale._negotiate import negotiate_language, parse_accept_language

__all__ = [
    "CONTEXT_SEPARATOR",
    "LOCALE_NAMES",
    "CSVLocale",
    "GettextLocale",
    "Locale",
    "TranslationError",
    "__version__",
    "extract_template",
    "get",
    "get_loaded_files",
    "get_supported_locales",
    "load_gettext_translations",
    "load_translations",
    "negotiate_language",
    "parse_accept_language",
    "set_default_locale",
]

if TYPE_CHECKING:
    __version__: str

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> object:
        """The version comes from the installed metadata, read only when asked for.

        Test suites written for Tornado save and restore its module variables; here they are
        views of the one snapshot in use.
        """
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-locale")
        if name in ("_default_locale", "_supported_locales", "_translations", "_use_gettext"):
            from cyclone.locale._registry import current

            return current().legacy(name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
