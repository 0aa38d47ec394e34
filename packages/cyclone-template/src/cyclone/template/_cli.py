"""``python -m cyclone.template``: render a template file, check a tree, show the generated code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from ._errors import ParseError, TemplateError
from ._loader import Loader
from ._template import Template

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import BinaryIO

_SUFFIXES = frozenset({".html", ".htm", ".js", ".css", ".txt", ".xml", ".md", ".tmpl", ".tpl"})


class _UsageError(Exception):
    """Something about the command itself is wrong: exit status 2."""


def main(
    arguments: Sequence[str] | None = None,
    stdin: BinaryIO | None = None,
    stdout: BinaryIO | None = None,
) -> int:
    """Run the command. Returns 0, 1 if a template fails, 2 if the command is wrong."""
    stdin = stdin or sys.stdin.buffer
    stdout = stdout or sys.stdout.buffer
    options = _parser().parse_args(arguments)
    try:
        if options.check:
            return _check(Path(options.template), options, stdout)
        template = _load(Path(options.template), options)
        if options.show_python:
            stdout.write(f"{template.code}\n".encode())
            return 0
        stdout.write(template.generate(**_data(options, stdin)))
        stdout.flush()
    except _UsageError as error:
        return _complain(error, 2)
    except TemplateError as error:
        return _complain(error, 1)
    except BrokenPipeError:
        return 1
    except Exception as error:
        return _complain(_at_run_time(error), 1)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cyclone.template",
        description="Render a template file to standard output.",
        epilog="Exit status: 0 done, 1 a template is wrong or fails, 2 the command is wrong.",
    )
    add = parser.add_argument
    add("template", help="a template file; with --check a file or a folder")
    add("data", nargs="?", help="a .json or .toml file with the variables, - for JSON on stdin")
    add("--path", help="root folder for extends and include (default: the template's folder)")
    add("--autoescape", default="xhtml_escape", help="escape function, or None (%(default)s)")
    add("--whitespace", choices=("all", "single", "oneline"), help="default: by the file's name")
    add("--define", "-D", action="append", default=[], metavar="NAME=VALUE", help="a variable")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="report the syntax errors of a tree")
    mode.add_argument("--show-python", action="store_true", help="print the generated code")
    return parser


def _complain(error: object, status: int) -> int:
    print(f"error: {error}", file=sys.stderr)
    for note in getattr(error, "__notes__", ()):
        print(note, file=sys.stderr)
    return status


def _at_run_time(error: Exception) -> str:
    """An error raised by a template's own code, with the line it happened at."""
    place = ""
    traceback = error.__traceback__
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_name
        if name.startswith("template  # "):
            place = f" at {name.removeprefix('template  # ')}"
        traceback = traceback.tb_next
    return f"{type(error).__name__}: {error}{place}"


def _loader(root: Path, options: argparse.Namespace) -> Loader:
    autoescape = None if options.autoescape == "None" else options.autoescape
    return Loader(root, autoescape=autoescape, whitespace=options.whitespace)


def _load(path: Path, options: argparse.Namespace) -> Template:
    root = Path(options.path) if options.path else path.parent
    if not path.is_file():
        raise _UsageError(f"no such template: {path}")
    try:
        name = path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        raise _UsageError(f"{path} is not below {root}") from None
    return _loader(root, options).load(name)


def _check(path: Path, options: argparse.Namespace, stdout: BinaryIO) -> int:
    if not path.exists():
        raise _UsageError(f"no such file or folder: {path}")
    root = path if path.is_dir() else path.parent
    loader = _loader(Path(options.path) if options.path else root, options)
    base = Path(loader.root).resolve()
    count = failures = 0
    for file in _files(path):
        count += 1
        try:
            loader.load(file.resolve().relative_to(base).as_posix())
        except ParseError as error:
            failures += 1
            stdout.write(f"{error.filename}:{error.lineno}: {error.message}\n".encode())
        except (OSError, ValueError) as error:
            failures += 1
            stdout.write(f"{file}: {error}\n".encode())
    stdout.write(f"{count} templates, {failures} with errors\n".encode())
    return 1 if failures else 0


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
        return
    for file in sorted(path.rglob("*")):
        if file.suffix in _SUFFIXES and file.is_file():
            yield file


def _data(options: argparse.Namespace, stdin: BinaryIO) -> dict[str, object]:
    data = _read(options.data, stdin) if options.data else {}
    for definition in options.define:
        name, equals, value = definition.partition("=")
        if not equals or not name.isidentifier():
            raise _UsageError(f"--define wants NAME=VALUE, not {definition!r}")
        data[name] = value
    return data


def _read(source: str, stdin: BinaryIO) -> dict[str, object]:
    try:
        content = stdin.read() if source == "-" else Path(source).read_bytes()
    except OSError as error:
        raise _UsageError(f"cannot read {source}: {error.strerror}") from None
    try:
        text = content.decode("utf-8")
        if source.endswith(".toml"):
            import tomllib

            data: object = tomllib.loads(text)
        else:
            import json

            data = json.loads(text)
    except ValueError as error:
        raise _UsageError(f"{source}: {error}") from None
    if not isinstance(data, dict):
        raise _UsageError(f"{source}: the data must be an object of variables")
    return data
