"""How the packages' tests find each other: all their folders are on one path."""

import ast
from collections import Counter

import pytest
from workspace import Distribution, distributions

DISTRIBUTIONS = distributions()


@pytest.mark.parametrize("dist", DISTRIBUTIONS, ids=lambda dist: dist.name)
def test_no_test_module_imports_another(dist: Distribution) -> None:
    """Of several packages there is one of that name; what they share is in a support module."""
    found = []
    for path in (dist.folder / "tests").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom) and not node.level
                else []
            )
            found += [f"{path.name}: {name}" for name in names if name.startswith("test_")]
    assert found == []


def test_support_modules_have_names_of_their_own() -> None:
    names = Counter(
        path.name
        for dist in DISTRIBUTIONS
        for path in (dist.folder / "tests").glob("*.py")
        if not path.name.startswith(("test_", "conftest"))
    )
    assert [name for name, count in names.items() if count > 1] == []
