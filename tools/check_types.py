"""Run mypy --strict over the sources and, package by package, over the tests; then over the rest.

Usage: python tools/check_types.py [PACKAGE ...]      e.g. cyclone-escape, cyclone

Test modules of different packages share names (tests/test_exports.py), so each package's tests
are a run of their own; the cache makes the later runs cheap.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workspace import ROOT, select

# The frameworks compared, and the types they would have, are only in the benchmarks' environment.
LENIENT = [
    "--ignore-missing-imports",
    "--follow-imports=silent",
    "--allow-subclassing-any",
    "--allow-untyped-calls",
    "--allow-untyped-decorators",
    "--no-warn-unused-ignores",
]


def mypy(*paths: Path, base: Path | None = None, options: Sequence[str] = ()) -> int:
    env = dict(os.environ)
    if base is not None:
        env["MYPYPATH"] = str(base)
    command = [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "mypy.ini"), *options]
    print("mypy", *(path.relative_to(ROOT) for path in paths), flush=True)
    return subprocess.run([*command, *map(str, paths)], cwd=ROOT, env=env, check=False).returncode


def main(names: list[str]) -> int:
    chosen = [dist.folder for dist in select(names)]
    status = mypy(*(folder / "src" for folder in chosen))
    for folder in chosen:
        status |= mypy(folder / "tests", base=folder / "tests")
    if not names:
        status |= mypy(ROOT / "tools", base=ROOT / "tools")
        status |= mypy(ROOT / "benchmarks", base=ROOT / "benchmarks", options=LENIENT)
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
