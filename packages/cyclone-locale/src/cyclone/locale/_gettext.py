"""Translations in gettext's compiled catalogues (``.mo``)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from cyclone.locale._errors import TranslationError


def find_mo(directory: Path, domain: str) -> list[tuple[str, Path]]:
    """The language and path of each ``LANGUAGE/LC_MESSAGES/DOMAIN.mo``, sorted.

    Raises OSError for a folder that cannot be read.
    """
    paths = [(d.name, d / "LC_MESSAGES" / f"{domain}.mo") for d in sorted(directory.iterdir())]
    return [(language, path) for language, path in paths if path.is_file()]


def read_mo(path: Path) -> GNUTranslations:
    """One compiled catalogue. Raises `TranslationError` naming a file that is not one."""
    data = path.read_bytes()
    try:
        return GNUTranslations(BytesIO(data))
    except (OSError, ValueError, LookupError, ArithmeticError, struct.error, SyntaxError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise TranslationError(f"not a gettext catalogue ({reason})", str(path)) from error


def read_all(files: list[tuple[str, Path]]) -> Mapping[str, GNUTranslations]:
    """The catalogues of all files; ``pt_BR`` falls back to ``pt`` as gettext itself does."""
    paths = dict(files)
    catalogues = {}
    for language, path in files:
        catalogue = read_mo(path)
        general = language.partition("_")[0]
        if general != language and general in paths:
            catalogue.add_fallback(read_mo(paths[general]))
        catalogues[language] = catalogue
    return catalogues
