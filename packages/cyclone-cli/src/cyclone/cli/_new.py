"""Making a new project."""

from __future__ import annotations

import importlib.resources
import os
import re
import secrets
import subprocess
from pathlib import Path

from ._errors import StartError

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_.][A-Za-z0-9]+)*\Z")

#: The files of a project, and what each is made of.
FILES = {
    "app.py": "app.py.txt",
    "templates/base.html": "base.html.txt",
    "templates/index.html": "index.html.txt",
    "static/style.css": "style.css.txt",
    "locale/es_ES.csv": "es_ES.csv.txt",
    "tests/test_app.py": "test_app.py.txt",
    "pyproject.toml": "pyproject.toml.txt",
    "README.md": "README.md.txt",
    ".gitignore": "gitignore.txt",
}


def _read(name: str) -> str:
    return (importlib.resources.files(__package__) / "_skeleton" / name).read_text("utf-8")


def sample_source() -> str:
    """An application of one file."""
    return _read("sample.py.txt")


def make_project(name: str, where: str | None = None) -> Path:
    """Make the project *name* in the folder *where* (its name, by default); returns the folder.

    It gets a secret of its own. :raises StartError: for a name that is none for a distribution, a
    folder that holds something already, or files that cannot be written.
    """
    if not _NAME.match(name) or len(name) > 100:
        raise StartError(f"{name!r} is no name for a project: letters, digits, - and _", 2)
    folder = Path(name if where is None else where)
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise StartError(f"{folder} is there already")
        for path, source in FILES.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(_read(source).replace("@NAME@", name), "utf-8")
        _write_secret(folder / "secret.key")
    except OSError as error:
        raise StartError(f"cannot make {folder}: {error.strerror}") from error
    return folder


def _write_secret(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48) + "\n")


def make_repository(folder: Path) -> None:
    """Make the project a Git repository. :raises StartError: when there is no Git."""
    try:
        subprocess.run(["git", "init", "-q", str(folder)], check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise StartError(f"cannot make a Git repository: {error}") from error
