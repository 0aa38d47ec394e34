"""What the other tools know about the repository: its distributions and their metadata."""

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DIST = ROOT / "dist"
META = "cyclone"
# These serve any Python program; Twisted must never come with them.
PURE = frozenset({"cyclone-escape", "cyclone-template", "cyclone-locale", "cyclone-httputil"})


def canonical(requirement: str) -> str:
    """The distribution's normalised name at the start of a requirement (PEP 503)."""
    name = re.match(r"[A-Za-z0-9._-]+", requirement)
    if name is None:
        raise ValueError(f"not a requirement: {requirement!r}")
    return re.sub(r"[-_.]+", "-", name[0]).lower()


@dataclass(frozen=True)
class Distribution:
    """One distribution of the monorepo, as its folder says."""

    folder: Path

    @property
    def name(self) -> str:
        """The distribution's name, which is its folder's."""
        return self.folder.name

    @property
    def module(self) -> str:
        """The importable name: cyclone-template ships cyclone.template."""
        return self.name.replace("-", ".")

    @cached_property
    def pyproject(self) -> dict[str, Any]:
        """The parsed pyproject.toml."""
        return tomllib.loads((self.folder / "pyproject.toml").read_text("utf-8"))

    @property
    def project(self) -> dict[str, Any]:
        """The [project] table."""
        table: dict[str, Any] = self.pyproject["project"]
        return table

    @property
    def version(self) -> str:
        """The static version."""
        return str(self.project["version"])

    @property
    def requirements(self) -> list[str]:
        """What [project] dependencies lists."""
        return list(self.project.get("dependencies", ()))

    @property
    def all_requirements(self) -> list[str]:
        """The dependencies and those of every extra."""
        extras = self.project.get("optional-dependencies", {})
        return [*self.requirements, *(line for lines in extras.values() for line in lines)]

    @property
    def test_requirements(self) -> list[str]:
        """What the package's own tests need besides the package."""
        return list(self.pyproject.get("dependency-groups", {}).get("test", ()))

    @property
    def wheel(self) -> Path:
        """Where the built wheel is expected."""
        return DIST / f"{self.name.replace('-', '_')}-{self.version}-py3-none-any.whl"

    @property
    def sdist(self) -> Path:
        """Where the built source distribution is expected."""
        return DIST / f"{self.name.replace('-', '_')}-{self.version}.tar.gz"


def distributions() -> list[Distribution]:
    """All distributions, the meta-package last."""
    folders = [*sorted((ROOT / "packages").glob("cyclone-*")), ROOT / "meta" / META]
    return [Distribution(folder) for folder in folders]


def select(names: list[str]) -> list[Distribution]:
    """The named distributions, or all; SystemExit names one that does not exist."""
    known = {dist.name: dist for dist in distributions()}
    for name in names:
        if name not in known:
            raise SystemExit(f"no such package: {name} (there are {', '.join(known)})")
    return [known[name] for name in names] if names else list(known.values())
