"""What the guide, the READMEs and the changelogs name is there."""

import importlib
import inspect
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("packages/*/*.md"),
    *ROOT.glob("meta/*/*.md"),
    *ROOT.glob("examples/**/*.md"),
    ROOT / "benchmarks/README.md",
]
_NAME = re.compile(r"`(?:from |import )?(cyclone(?:\.[A-Za-z_]\w*)+)")
pytestmark = pytest.mark.skipif(
    not (ROOT / "PORTING.md").is_file(), reason="the pages are not in the sdist"
)


def names_in(page: Path) -> Iterator[str]:
    """The dotted names in code, but those of loggers, units of systemd and modules of before."""
    for name in sorted(set(_NAME.findall(page.read_text("utf-8")))):
        if find_spec(".".join(name.split(".")[:2])) is not None:
            yield name


def exists(name: str) -> bool:
    """Whether it can be imported, or is an attribute that objects of a class have."""
    parts = name.split(".")
    found: object = None
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        break
    for part in parts[count:]:
        if inspect.isclass(found) and not hasattr(found, part):
            sources = (inspect.getsource(cls) for cls in found.__mro__ if cls is not object)
            return any(f"self.{part}" in source for source in sources)
        if not hasattr(found, part):
            return False
        found = getattr(found, part)
    return True


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_names(page: Path) -> None:
    assert [name for name in names_in(page) if not exists(name)] == []


def test_it_would_tell() -> None:
    assert exists("cyclone.web.RequestHandler.write")
    assert exists("cyclone.web.Application.settings")
    assert not exists("cyclone.web.RequestHandler.wrote")
    assert not exists("cyclone.web.NoHandler")
    assert len({name for page in PAGES for name in names_in(page)}) > 100
