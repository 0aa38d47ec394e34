"""Check that a package may be released: tag, version, changelog and the siblings' ranges agree.

Usage: python tools/check_release.py [TAG]      e.g. cyclone-template-v2.1.0

With a tag, that tag's package must have that version and a dated changelog entry for it. In any
case every package's version must be admitted by the range each sibling asks for it.
"""

import re
import sys

from packaging.requirements import Requirement
from workspace import Distribution, canonical, distributions

TAG = re.compile(r"(?P<name>cyclone(?:-[a-z0-9]+)?)-v(?P<version>[0-9][0-9A-Za-z.]*)")


def changelog_versions(text: str) -> list[str]:
    """The versions that have a dated entry (`## 2.1.0 - 2026-12-01`), newest first."""
    return re.findall(r"^## ([0-9][0-9A-Za-z.]*) - \d{4}-\d{2}-\d{2}$", text, re.MULTILINE)


def check_tag(tag: str, dists: list[Distribution]) -> list[str]:
    """What speaks against releasing the tag."""
    match = TAG.fullmatch(tag)
    if match is None:
        return [f"{tag}: a tag is called <package>-v<version>, as cyclone-template-v2.1.0"]
    dist = next((dist for dist in dists if dist.name == match["name"]), None)
    if dist is None:
        return [f"{tag}: there is no package {match['name']}"]
    if dist.version != match["version"]:
        return [f"{tag}: the version in {dist.name}/pyproject.toml is {dist.version}"]
    return []


def check_changelog(dist: Distribution) -> list[str]:
    """A package's changelog must have a dated entry for the version it carries."""
    path = dist.folder / "CHANGELOG.md"
    if dist.version in changelog_versions(path.read_text("utf-8")):
        return []
    return [f"{dist.name}: CHANGELOG.md has no dated entry for {dist.version}"]


def check_ranges(dists: list[Distribution]) -> list[str]:
    """Every sibling's range must admit the version the sibling has, and may not pin it."""
    versions = {dist.name: dist.version for dist in dists}
    problems = []
    for dist in dists:
        for line in dist.all_requirements:
            requirement = Requirement(line)
            name = canonical(requirement.name)
            if name not in versions or name == dist.name:
                continue
            if versions[name] not in requirement.specifier:
                problems.append(f"{dist.name}: {line} does not admit {name} {versions[name]}")
            if any(clause.operator in ("==", "===") for clause in requirement.specifier):
                problems.append(f"{dist.name}: {line} pins a sibling; use a range")
    return problems


def main(arguments: list[str]) -> int:
    dists = distributions()
    problems = check_ranges(dists)
    for dist in dists:
        problems += check_changelog(dist)
    for tag in arguments:
        problems += check_tag(tag, dists)
    print("\n".join(problems) or "ready: tags, versions, changelogs and ranges agree")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
