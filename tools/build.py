"""Build and check the wheel and the sdist of every distribution, or of the named ones, in dist/.

Usage: python tools/build.py [PACKAGE ...]
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from check_wheels import check_wheel
from workspace import DIST, Distribution, select


def build(dist: Distribution) -> str:
    """Build one distribution with uv; returns what the build printed when it failed, else ''."""
    for old in (dist.wheel, dist.sdist):
        old.unlink(missing_ok=True)
    command = ["uv", "build", "--quiet", "--python", sys.executable, "--out-dir", str(DIST)]
    done = subprocess.run(
        [*command, str(dist.folder)], capture_output=True, text=True, check=False, env=os.environ
    )
    return "" if done.returncode == 0 else f"{dist.name}: {done.stdout}{done.stderr}"


def main(names: list[str]) -> int:
    chosen = select(names)
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        failures = [text for text in pool.map(build, chosen) if text]
    failures += [problem for dist in chosen if not failures for problem in check_wheel(dist)]
    for text in failures:
        print(text, file=sys.stderr)
    if not failures:
        print(f"built {len(chosen)} wheels and {len(chosen)} sdists in {DIST.name}/")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
