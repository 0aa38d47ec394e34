"""Check what the built wheels hold: each its own portion of the namespace and nothing else."""

import sys
import zipfile

from workspace import META, Distribution, select


def expected_root(dist: Distribution) -> str:
    """The folder inside the wheel that belongs to the distribution."""
    return dist.module.replace(".", "/") + "/"


def check_wheel(dist: Distribution) -> list[str]:
    """The problems of one wheel's content, in words; empty when it is right."""
    if not dist.wheel.is_file() or not dist.sdist.is_file():
        return [f"{dist.name}: no wheel or sdist of {dist.version} was built"]
    with zipfile.ZipFile(dist.wheel) as archive:
        names = archive.namelist()
    info = dist.wheel.name.removesuffix("-py3-none-any.whl") + ".dist-info/"
    return check_names(dist, [name for name in names if not name.startswith(info)])


def check_names(dist: Distribution, names: list[str]) -> list[str]:
    """The problems among the wheel's files (those outside its .dist-info)."""
    root = expected_root(dist)
    problems = []
    if f"{root}py.typed" not in names:
        problems.append(f"{dist.name}: no {root}py.typed in the wheel")
    if f"{root}__init__.py" not in names:
        problems.append(f"{dist.name}: no {root}__init__.py in the wheel")
    # Only the meta wheel ships cyclone/__init__.py: the packages are portions of a namespace.
    extra = {"twisted/plugins/"} if dist.name == "cyclone-cli" else set()
    for name in names:
        owned = name.startswith(root) or any(name.startswith(prefix) for prefix in extra)
        if not owned:
            problems.append(f"{dist.name}: {name} does not belong in the wheel")
        elif "/tests/" in name or name.endswith((".pyc", ".orig")):
            problems.append(f"{dist.name}: {name} should not be shipped")
        elif dist.name == META and name not in (f"{root}__init__.py", f"{root}py.typed"):
            problems.append(f"{dist.name}: the meta wheel ships only its __init__.py, not {name}")
    return problems


if __name__ == "__main__":
    found = [problem for dist in select(sys.argv[1:]) for problem in check_wheel(dist)]
    print("\n".join(found) or "the wheels hold what they should")
    sys.exit(1 if found else 0)
