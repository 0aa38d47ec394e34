"""Check that each package imports what its pyproject.toml declares, and that the graph is a DAG.

Both are read: the declared dependencies (with those of the extras) and every import statement of
the sources. They disagree when something is imported and not declared, when a sibling is declared
and never imported, or when a package reaches into another's private module.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.metadata import packages_distributions

from workspace import META, PURE, Distribution, canonical, distributions

# Imported through a declared dependency that documents them as part of its own interface.
PROVIDED_BY = {
    "zope-interface": ("twisted",),
    "constantly": ("twisted",),
    "pyopenssl": ("twisted",),
    "service-identity": ("twisted",),
    "idna": ("twisted",),
    "cryptography": ("twisted", "pyjwt"),
}


def imported_modules(source: str) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every absolute import in a module, nested ones too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            if node.module == "cyclone":
                for alias in node.names:
                    yield node.lineno, f"cyclone.{alias.name}"
            else:
                yield node.lineno, node.module


def sibling_of(module: str) -> str | None:
    """The distribution that owns cyclone.X, or None for other modules."""
    parts = module.split(".")
    if parts[0] != "cyclone":
        return None
    return f"cyclone-{parts[1]}" if len(parts) > 1 else META


def check_imports(dist: Distribution, owners: dict[str, list[str]]) -> list[str]:
    """The disagreements between one distribution's imports and its declared dependencies."""
    declared = {canonical(line) for line in dist.all_requirements}
    problems: list[str] = []
    used: set[str] = set()
    for path in sorted((dist.folder / "src").rglob("*.py")):
        for line, module in imported_modules(path.read_text("utf-8")):
            where = f"{path.relative_to(dist.folder)}:{line}"
            problem = check_import(dist, module, declared, owners, used)
            if problem:
                problems.append(f"{dist.name}: {where} {problem}")
    siblings = {name for name in declared if name.startswith("cyclone-")}
    problems += [
        f"{dist.name}: declares {name} and never imports it" for name in sorted(siblings - used)
    ]
    return problems


def check_import(
    dist: Distribution,
    module: str,
    declared: set[str],
    owners: dict[str, list[str]],
    used: set[str],
) -> str | None:
    """What is wrong with one import, or None; siblings that are imported are added to `used`."""
    sibling = sibling_of(module)
    if sibling == dist.name:
        return None
    if sibling is not None:
        used.add(sibling)
        if sibling not in declared:
            return f"imports {module}, and {sibling} is not declared"
        if any(part.startswith("_") for part in module.split(".")[2:]):
            return f"imports {module}, which is private to {sibling}"
        return None
    top = module.split(".")[0]
    if top in sys.stdlib_module_names:
        return None
    names = {canonical(name) for name in owners.get(top, [top])}
    names |= {provider for name in names for provider in PROVIDED_BY.get(name, ())}
    return None if names & declared else f"imports {module}, which no dependency declares"


def check_graph(dists: list[Distribution]) -> list[str]:
    """Cycles, and pure packages that would bring Twisted."""
    graph = {
        dist.name: {canonical(line) for line in dist.requirements if canonical(line) != dist.name}
        for dist in dists
    }
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        return [f"the packages depend on each other in a circle: {' -> '.join(error.args[1])}"]

    def closure(name: str) -> set[str]:
        return {name}.union(*(closure(other) for other in graph.get(name, ())))

    return [f"{name}: would bring Twisted" for name in sorted(PURE) if "twisted" in closure(name)]


def main() -> int:
    dists = distributions()
    owners = {name: list(found) for name, found in packages_distributions().items()}
    problems = check_graph(dists)
    for dist in dists:
        if dist.name != META:
            problems += check_imports(dist, owners)
    print("\n".join(problems) or "imports and declared dependencies agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
