"""A small repository of two packages, written to a temporary folder."""

from collections.abc import Callable
from pathlib import Path

import pytest
from workspace import Distribution

MakeDistribution = Callable[..., Distribution]


@pytest.fixture
def make_distribution(tmp_path: Path) -> MakeDistribution:
    """Returns a function that writes a package and gives its Distribution."""

    def make(
        name: str,
        source: str = "",
        dependencies: tuple[str, ...] = (),
        version: str = "2.0.0",
        changelog: str = "## 2.0.0 - 2026-11-22\n",
    ) -> Distribution:
        folder = tmp_path / name
        module = folder / "src" / "cyclone" / name.removeprefix("cyclone-")
        module.mkdir(parents=True)
        (module / "__init__.py").write_text(source)
        (folder / "CHANGELOG.md").write_text(changelog)
        lines = ", ".join(f'"{line}"' for line in dependencies)
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = [{lines}]\n'
        )
        return Distribution(folder)

    return make
