"""A tiny site generator: notes in TOML files become pages in two languages.

Usage: python build.py OUTPUT_FOLDER

It needs cyclone-template and cyclone-locale, and nothing of the web server.
"""

import re
import shutil
import sys
import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import cyclone.locale
from cyclone.locale import Locale, TranslationError
from cyclone.template import Loader, TemplateError

HERE = Path(__file__).resolve().parent
LANGUAGES = ("en", "fr")
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class ContentError(Exception):
    """A note that cannot be published; the message names its file."""


@dataclass
class Note:
    """One note in one language."""

    slug: str
    date: date
    title: str
    paragraphs: list[str]
    tags: list[str] = field(default_factory=list)


def read_notes(folder: Path, language: str) -> list[Note]:
    """The notes of one language, newest first."""
    notes = [read_note(path, language) for path in sorted(folder.glob("*.toml"))]
    return sorted(notes, key=lambda note: note.date, reverse=True)


def read_note(path: Path, language: str) -> Note:
    if not SLUG.fullmatch(path.stem) or path.stem == "index":
        raise ContentError(f"{path}: the file's name becomes the page's: a-z, 0-9 and - only")
    try:
        data = tomllib.loads(path.read_text("utf-8"))
        text = data[language]
        paragraphs = [part.strip() for part in text["text"].strip().split("\n\n")]
        return Note(path.stem, data["date"], text["title"], paragraphs, text.get("tags", []))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ContentError(f"{path}: {error}") from error
    except KeyError as error:
        raise ContentError(f"{path}: {error} is missing for language {language}") from error


class Site:
    """Renders pages into a folder and remembers which."""

    def __init__(self, source: Path, output: Path) -> None:
        self.output = output
        self.templates = Loader(str(source / "templates"))
        self.written: list[Path] = []

    def write(self, path: str, template: str, **values: object) -> None:
        target = self.output / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(self.templates.load(template).generate(**values))
        self.written.append(target)

    def page(self, locale: Locale, locales: list[Locale], name: str, **values: object) -> None:
        """One page, with links to the same page in the other languages."""
        others = [(other, f"../{other.code}/{name}") for other in locales if other is not locale]
        template = "index.html" if name == "index.html" else "note.html"
        values |= {"locale": locale, "_": locale.translate, "alternates": others}
        self.write(f"{locale.code}/{name}", template, **values)


def build(output: Path, source: Path = HERE) -> list[Path]:
    """Write the whole site; returns the pages written."""
    cyclone.locale.set_default_locale(LANGUAGES[0])
    cyclone.locale.load_translations(source / "translations")
    locales = [Locale.get(code) for code in LANGUAGES]
    content = {locale.code: read_notes(source / "content", locale.code) for locale in locales}
    site = Site(source, output)
    site.write("index.html", "choose.html", locales=locales)
    for locale in locales:
        notes = content[locale.code]
        site.page(locale, locales, "index.html", notes=notes)
        for note in notes:
            site.page(locale, locales, f"{note.slug}.html", note=note)
    shutil.copytree(source / "static", output, dirs_exist_ok=True)
    return site.written


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        written = build(Path(arguments[0]))
    except (ContentError, TemplateError, TranslationError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"{len(written)} pages in {arguments[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
