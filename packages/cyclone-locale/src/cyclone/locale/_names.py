"""LOCALE_NAMES: what languages are called, in English and in themselves."""

from __future__ import annotations

import re
from collections.abc import ItemsView, Iterator, KeysView, ValuesView

# Names that CLDR words differently, or codes it does not have, but that applications in the
# tradition of Tornado and Cyclone print or look up.
_TRADITIONAL = {
    "ar_AR": {"name_en": "Arabic", "name": "العربية"},
    "en_GB": {"name_en": "English (UK)", "name": "English (UK)"},
    "en_US": {"name_en": "English (US)", "name": "English (US)"},
    "es_LA": {"name_en": "Spanish", "name": "Español"},
    "tl_PH": {"name_en": "Filipino", "name": "Filipino"},
    "zh_CN": {"name_en": "Chinese (Simplified)", "name": "中文(简体)"},
    "zh_TW": {"name_en": "Chinese (Traditional)", "name": "中文(繁體)"},
}

_CODE = re.compile(r"[a-z]{2,3}(_([A-Z]{2}|[0-9]{3}))?")

# Languages whose name always says which country is meant, because no country's use is the usual.
_QUALIFIED = frozenset({"en", "es", "pt"})


def _describe(code: str) -> dict[str, str] | None:
    """The two names of a locale that CLDR knows by exactly this code."""
    if code in _TRADITIONAL:
        return dict(_TRADITIONAL[code])
    from babel.core import Locale, get_global
    from babel.localedata import exists

    language, _, region = code.partition("_")
    usual = get_global("likely_subtags").get(language, "").rpartition("_")
    if not exists(code) and not (region and exists(f"{usual[0]}_{region}")):
        return None
    show = region and (region != usual[2] or language in _QUALIFIED)
    names = {}
    for field, data in (("name_en", Locale("en")), ("name", Locale(language))):
        name = str(data.languages.get(language, language))
        name = name[:1].upper() + name[1:]
        if show:
            name = f"{name} ({data.territories.get(region, region)})"
        names[field] = name
    return names


def _well_formed(code: object) -> bool:
    """Whether ``code`` may be handed to Babel, which looks for a file of that name."""
    return isinstance(code, str) and _CODE.fullmatch(code) is not None


def _codes() -> list[str]:
    """Every ``language`` and ``language_REGION`` that CLDR has, and the traditional ones."""
    from babel.localedata import locale_identifiers

    codes = set(_TRADITIONAL)
    for identifier in locale_identifiers():
        language = identifier.partition("_")[0]
        codes.add(language)
        codes.add(f"{language}_{identifier.rpartition('_')[2]}")
    return sorted(filter(_well_formed, codes))


class LocaleNames(dict[str, dict[str, str]]):
    """A dict of locale code -> ``{"name_en": ..., "name": ...}`` that is filled as it is used.

    Looking one code up reads one language's CLDR data; walking over all of them (about a
    thousand) reads them all, once. Entries may be added and replaced as in any dict.
    """

    _full = False

    def __missing__(self, code: str) -> dict[str, str]:
        names = _describe(code) if _well_formed(code) and not self._full else None
        if names is None:
            raise KeyError(code)
        return self.setdefault(code, names)

    def _fill(self) -> None:
        if self._full:
            return
        for code in _codes():
            if not super().__contains__(code):
                names = _describe(code)
                if names is not None:
                    super().setdefault(code, names)
        self._full = True

    def __contains__(self, code: object) -> bool:
        try:
            self[code]  # type: ignore[index]
        except (KeyError, TypeError):
            return False
        return True

    def get(self, code, default=None):  # type: ignore[no-untyped-def]
        """The names of ``code``, or ``default``."""
        try:
            return self[code]
        except KeyError:
            return default

    def __len__(self) -> int:
        self._fill()
        return super().__len__()

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return super().__iter__()

    def __reversed__(self) -> Iterator[str]:
        self._fill()
        return super().__reversed__()

    def keys(self) -> KeysView[str]:  # type: ignore[override]
        """All codes."""
        self._fill()
        return super().keys()

    def values(self) -> ValuesView[dict[str, str]]:  # type: ignore[override]
        """The names of all codes."""
        self._fill()
        return super().values()

    def items(self) -> ItemsView[str, dict[str, str]]:  # type: ignore[override]
        """All codes with their names."""
        self._fill()
        return super().items()

    def copy(self) -> dict[str, dict[str, str]]:
        """An ordinary dict of all codes with their names."""
        return dict(self)

    def __eq__(self, other: object) -> bool:
        self._fill()
        return super().__eq__(other)

    def __repr__(self) -> str:
        self._fill()
        return super().__repr__()


LOCALE_NAMES: dict[str, dict[str, str]] = LocaleNames()
"""The names of languages from CLDR: ``LOCALE_NAMES["pt_BR"]["name"]`` is "Português (Brasil)"."""
