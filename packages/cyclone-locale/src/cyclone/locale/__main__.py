"""The command ``python -m cyclone.locale``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from cyclone.locale import _collect, _update
from cyclone.locale._csv import find_csv
from cyclone.locale._errors import TranslationError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cyclone.locale", description="Tools for translators."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    extract = commands.add_parser(
        "extract",
        help="write the messages of templates and Python sources to CSV and .pot files",
        description="Collect the messages of templates and Python sources, and write or update "
        "translation files. Existing translations are never touched.",
        epilog="Exit status: 0 done; 1 a file is broken, or --check found files out of date; "
        "2 wrong usage.",
    )
    add = extract.add_argument
    add("path", nargs="+", type=Path, help="source file or folder")
    add("--csv", action="append", default=[], type=Path, metavar="CODE.csv",
        help="CSV file to write or update, or a folder of them; may be repeated")  # fmt: skip
    add("--pot", type=Path, metavar="FILE", help="gettext template to write")
    add("--template-suffix", action="append", default=[], metavar=".EXT",
        help=f"files of a folder that are templates (default: "
        f"{' '.join(_collect.TEMPLATE_SUFFIXES)})")  # fmt: skip
    add("--exclude", action="append", default=[], metavar="GLOB",
        help="files and folders to pass over")  # fmt: skip
    add("--keyword", action="append", default=[], metavar="SPEC",
        help="one more translating function, in xgettext's form: tr:1,2")  # fmt: skip
    add("--comment-tag", action="append", default=[], metavar="TAG",
        help=f"start of comments for translators (default: "
        f"{' '.join(_collect.COMMENT_TAGS)})")  # fmt: skip
    add("--encoding", help="encoding of the CSV files (default: UTF-8, or by their mark)")
    add("--project", default="PROJECT", help="project name in the .pot")
    add("--project-version", default="VERSION", help="project version in the .pot")
    add("--check", action="store_true", help="write nothing; fail if a file is out of date")
    return parser


def _keywords(specs: list[str]) -> dict[str, Any]:
    keywords = _collect.default_keywords()
    if specs:
        from babel.messages import frontend

        keywords.update(frontend.parse_keywords(specs))
    return keywords


def _updates(options: argparse.Namespace) -> list[_update.Update]:
    suffixes = options.template_suffix or _collect.TEMPLATE_SUFFIXES
    sources = _collect.find_sources(options.path, suffixes, options.exclude)
    tags = options.comment_tag or _collect.COMMENT_TAGS
    messages = _collect.collect(sources, _keywords(options.keyword), tags)
    updates = []
    for path in options.csv:
        files = [file for _, file in find_csv(path)] if path.is_dir() else [path]
        updates += [_update.update_csv(file, messages, options.encoding) for file in files]
    if options.pot:
        project = (options.project, options.project_version)
        updates.append(_update.update_pot(options.pot, messages, *project))
    return updates


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns its exit status."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.csv and not options.pot:
        parser.error("nothing to write: give --csv or --pot")
    try:
        updates = _updates(options)  # all of them, before the first is written
        for update in updates:
            if update.changed and not options.check:
                _update.write(update)
            state = (
                "" if not update.changed else " (out of date)" if options.check else " (written)"
            )
            print(update.summary + state)
    except (TranslationError, OSError, ValueError, LookupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 1 if options.check and any(update.changed for update in updates) else 0


if __name__ == "__main__":
    sys.exit(main())
