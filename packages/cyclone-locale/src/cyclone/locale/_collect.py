"""Collects the messages of a source tree."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from tokenize import TokenError
from typing import IO, TYPE_CHECKING, Any

from cyclone.locale._errors import TranslationError
from cyclone.locale._extract import extract_template

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

TEMPLATE_SUFFIXES = (".html", ".htm", ".xml", ".txt", ".tmpl", ".tpl")
"""The files of a folder that are read as templates, unless told otherwise."""

COMMENT_TAGS = ("Translators:", "NOTE:")
"""How a comment for translators begins, unless told otherwise."""

# How many arguments a call has decides which of them are messages. A trailing comma counts
# as one more.
_TRANSLATE: Mapping[int, tuple[int, ...]] = {1: (1,), 2: (1,), 3: (1, 2), 4: (1, 2)}
_PGETTEXT = {2: ((1, "c"), 2), 3: ((1, "c"), 2), 4: ((1, "c"), 2, 3), 5: ((1, "c"), 2, 3)}

_SKIPPED_FOLDERS = ("__pycache__", "node_modules")


@dataclass(frozen=True)
class Key:
    """What tells messages apart."""

    message: str
    plural: str | None = None
    context: str | None = None


@dataclass
class Uses:
    """Where a message is used, and what the source says to translators about it."""

    locations: list[tuple[str, int]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


Messages = dict[Key, Uses]


def default_keywords() -> dict[str, Any]:
    """gettext's function names, and ``_``, ``translate`` and ``pgettext`` as locales have them."""
    from babel.messages.extract import DEFAULT_KEYWORDS

    return {
        **DEFAULT_KEYWORDS,
        "_": _TRANSLATE,
        "translate": _TRANSLATE,
        "pgettext": _PGETTEXT,
    }


def find_sources(
    paths: Iterable[Path],
    suffixes: Collection[str] = TEMPLATE_SUFFIXES,
    exclude: Collection[str] = (),
) -> Iterator[Path]:
    """Python files and templates: the files named, and those of the folders named, sorted.

    Hidden folders, virtual environments, ``__pycache__`` and ``node_modules`` are passed over,
    and so is what matches a pattern of ``exclude`` (by name or by whole path). Raises
    `FileNotFoundError` for a path that is not there.
    """
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise FileNotFoundError(f"no such file or folder: {path}")
            yield path
            continue
        for folder, folders, names in os.walk(path):
            here = Path(folder)
            folders[:] = sorted(d for d in folders if _enter(here / d, exclude))
            for name in sorted(names):
                file = here / name
                if file.suffix in (".py", *suffixes) and not _excluded(file, exclude):
                    yield file


def _enter(folder: Path, exclude: Collection[str]) -> bool:
    return not (
        folder.name.startswith(".")
        or folder.name in _SKIPPED_FOLDERS
        or (folder / "pyvenv.cfg").exists()
        or _excluded(folder, exclude)
    )


def _excluded(path: Path, exclude: Collection[str]) -> bool:
    return any(fnmatch(path.name, p) or fnmatch(path.as_posix(), p) for p in exclude)


def collect(
    sources: Iterable[Path],
    keywords: Mapping[str, Any] | None = None,
    comment_tags: Collection[str] = COMMENT_TAGS,
) -> Messages:
    """The messages of all files; a file that is not ``.py`` is read as a template.

    Raises `TranslationError`, naming file and line, on a file that cannot be read.
    """
    found: Messages = {}
    chosen = default_keywords() if keywords is None else keywords
    for path in sources:
        with path.open("rb") as file, warnings.catch_warnings():
            # What the compiler thinks of the string literals is not for whoever extracts them.
            warnings.simplefilter("ignore")
            for lineno, message, comments, context in _extract(path, file, chosen, comment_tags):
                singular, plural = (message, None) if isinstance(message, str) else message[:2]
                uses = found.setdefault(Key(singular, plural, context), Uses())
                uses.locations.append((path.as_posix(), lineno))
                uses.comments.extend(c for c in comments if c not in uses.comments)
    return found


def _extract(
    path: Path, file: IO[bytes], keywords: Mapping[str, Any], comment_tags: Collection[str]
) -> Iterator[tuple[int, Any, list[str], str | None]]:
    from babel.messages.extract import extract

    method: Any = "python" if path.suffix == ".py" else extract_template
    try:
        yield from extract(method, file, keywords, comment_tags)
    except (TokenError, SyntaxError) as error:
        lineno = error.lineno if isinstance(error, SyntaxError) else error.args[1][0]
        raise TranslationError(f"not Python ({error.args[0]})", str(path), lineno or 0) from None
    except UnicodeDecodeError as error:
        raise TranslationError(f"not {error.encoding} text", str(path)) from None


def catalog(messages: Messages, project: str, version: str) -> Catalog:
    """The messages as a catalogue of Babel, ready to be written as a ``.pot``."""
    from babel.messages.catalog import Catalog

    result = Catalog(project=project, version=version, charset="utf-8", fuzzy=False)
    for key, uses in messages.items():
        message = key.message if key.plural is None else (key.message, key.plural)
        result.add(message, None, uses.locations, auto_comments=uses.comments, context=key.context)
    return result
