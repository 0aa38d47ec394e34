"""Test each package alone: a fresh environment with its wheel, its declared dependencies, no more.

Usage: python tools/isolation.py [PACKAGE ...] [--jobs N]

Siblings come from the freshly built wheels in dist/ (`hatch run build`), the tests from the
package's own sdist. The oldest supported Python takes the lowest declared versions of the
dependencies, any other the newest, so that both ends of every range are tried.
"""

import argparse
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import check_dag
from workspace import DIST, META, PURE, ROOT, Distribution, canonical, distributions, select

OLDEST = (3, 11)


class Failed(Exception):
    """A step failed; the text is what it printed."""


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """Run a command; Failed carries its output when it does not end well."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = " ".join(str(word) for word in command)
        raise Failed(f"$ {words}\n{done.stdout}{done.stderr}")
    return done.stdout


def make_environment(dist: Distribution, home: Path) -> Path:
    """A fresh environment with the wheel and its dependencies, then with what its tests need."""
    python = home / "env" / "bin" / "python"
    run("uv", "venv", "--quiet", "--python", sys.executable, home / "env")
    install = [
        "uv",
        "pip",
        "install",
        "--quiet",
        "--python",
        str(python),
        "--find-links",
        str(DIST),
    ]
    # The wheels of siblings keep their version from build to build: do not take yesterday's.
    install += [word for sibling in distributions() for word in ("--refresh-package", sibling.name)]
    lowest = sys.version_info[:2] == OLDEST
    # Named beside the wheel its dependencies count as direct ones.
    ends = ["--resolution", "lowest-direct", *dist.requirements] if lowest else []
    run(*install, *ends, dist.wheel)
    before = run("uv", "pip", "freeze", "--quiet", "--python", python).lower()
    if dist.name in PURE:
        check_pure(dist, before)
    # The installed versions stay as they are; the tests' own tools are the newest ones.
    (home / "constraints.txt").write_text(pins(before))
    run(*install, "--constraints", home / "constraints.txt", dist.wheel, *dist.test_requirements)
    return python


def check_pure(dist: Distribution, frozen: str) -> None:
    """A pure package brings what it declares (with what that needs) and never Twisted."""
    found = {canonical(line) for line in frozen.splitlines()} - {dist.name}
    if "twisted" in found:
        raise Failed(f"{dist.name} brought Twisted:\n{frozen}")
    # None of the pure packages' dependencies has a dependency outside the family.
    allowed = {canonical(line) for line in dist.requirements} | {"cyclone-escape"}
    if found - allowed:
        raise Failed(f"{dist.name} brought more than it declares: {sorted(found - allowed)}")


def pins(frozen: str) -> str:
    """The name==version lines of a freeze, without the wheels given as files."""
    return "\n".join(line for line in frozen.splitlines() if "==" in line and "@" not in line)


def unpack_tests(dist: Distribution, home: Path) -> Path:
    """The sdist's folder, unpacked, without its sources so that only the wheel can be imported."""
    with tarfile.open(dist.sdist) as archive:
        archive.extractall(home, filter="data")
    folder = home / dist.sdist.name.removesuffix(".tar.gz")
    (folder / "src").rename(folder / "src-not-imported")
    (folder / "pytest.ini").write_text((ROOT / "pytest.ini").read_text("utf-8"), "utf-8")
    return folder


def isolate(dist: Distribution) -> tuple[str, str, float]:
    """(name, '' or what failed, seconds) of one package tested alone."""
    started = time.monotonic()
    problem = ""
    with tempfile.TemporaryDirectory(prefix=f"{dist.name}-") as folder:
        try:
            python = make_environment(dist, Path(folder))
            tests = unpack_tests(dist, Path(folder))
            env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            # The meta-package's other tests are full-stack ones, of the whole repository.
            what = "tests/installed" if dist.name == META else "tests"
            output = run(python, "-m", "pytest", "-q", what, cwd=tests, env=env)
            print(f"{dist.name}: {output.strip().splitlines()[-1]}", flush=True)
        except Failed as error:
            problem = str(error)
    return dist.name, problem, time.monotonic() - started


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("packages", nargs="*")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    status = check_dag.main()
    # The longest ones first, so that the last worker does not wait alone.
    chosen = sorted(select(options.packages), key=lambda dist: len(dist.requirements), reverse=True)
    with ThreadPoolExecutor(max_workers=options.jobs) as pool:
        for name, problem, seconds in pool.map(isolate, chosen):
            print(f"{name}: {'FAILED' if problem else 'ok'} in {seconds:.0f} s", flush=True)
            if problem:
                status = 1
                print(problem, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
