"""Putting translations into use, and asking for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cyclone.locale import _registry
from cyclone.locale._errors import log
from cyclone.locale._locale import Locale
from cyclone.locale._registry import Snapshot

if TYPE_CHECKING:
    import os
    from pathlib import Path


def load_translations(directory: str | os.PathLike[str], encoding: str | None = None) -> None:
    """Load the files ``CODE.csv`` of a directory (``es_GT.csv``) and put them into use.

    A file has two or three columns: message, translation, plural form. The form is ``singular``
    or ``plural`` (for a count of one and any other), or a plural category of the language
    as CLDR has them (``zero``, ``one``, ``two``, ``few``, ``many``, ``other``), or
    ``unknown``, which an empty or missing column means too. Rows without a translation are
    ignored.

    ``encoding`` defaults to UTF-8, or UTF-16 where the file begins with its byte order mark.

    All or nothing: a file that cannot be read raises `TranslationError` (its path and line) or
    `OSError`, and the translations in use stay in use. Whatever an earlier call of this function
    or `load_gettext_translations` loaded is replaced.
    """
    from pathlib import Path

    from cyclone.locale._csv import find_csv, read_csv

    found = find_csv(Path(directory))
    loaded = {code: read_csv(path, encoding) for code, path in found}
    files = _absolute(found)
    _use(_registry.replace(lambda old: Snapshot(old.default, csv=loaded, files=files)))


def load_gettext_translations(directory: str | os.PathLike[str], domain: str) -> None:
    """Load ``DIRECTORY/CODE/LC_MESSAGES/DOMAIN.mo`` of all languages and put them into use.

    All or nothing, as in `load_translations`; a broken file raises `TranslationError`, a folder
    that is not there OSError. Where no language has such a file, a warning says so.
    """
    from pathlib import Path

    from cyclone.locale._gettext import find_mo, read_all

    found = find_mo(Path(directory), domain)
    if not found:
        log().warning("No LANGUAGE/LC_MESSAGES/%s.mo in %s", domain, directory)
    loaded, files = read_all(found), _absolute(found)
    _use(_registry.replace(lambda old: Snapshot(old.default, gettext=loaded, files=files)))


def _absolute(found: list[tuple[str, Path]]) -> tuple[str, ...]:
    """The paths, which still hold when the program goes to another folder."""
    return tuple(str(path.absolute()) for _, path in found)


def _use(snapshot: Snapshot) -> None:
    log().debug("Supported locales: %s", sorted(snapshot.supported))


def set_default_locale(code: str) -> None:
    """Set the locale whose language the messages in the source are written in.

    It is supported without a translation file, and it is what `get` gives when nothing
    else fits. It is ``en_US`` until set.
    """
    _registry.replace(lambda old: old.with_default(code))


def get_supported_locales() -> frozenset[str]:
    """The codes of all loaded locales and of the default one."""
    return _registry.current().supported


def get_loaded_files() -> tuple[str, ...]:
    """The absolute paths of the files the translations in use were read from.

    For whoever wants to know when they change, as ``cyclone.web.autoreload`` does.
    """
    return _registry.current().files


def get(*locale_codes: str | bytes) -> Locale:
    """The locale closest to the first code that anything is close to, else the default one.

    ``get("es_GT", "fr")`` tries ``es_GT``, ``es``, ``fr``, then the default. See
    `Locale.get_closest`.
    """
    return Locale.get_closest(*locale_codes)
