"""The release check refuses a tag, a changelog or a range that does not fit."""

from collections.abc import Callable

import check_release
import pytest
from workspace import Distribution


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("cyclone-escape-v2.0.0", None),
        ("cyclone-escape-v2.0.1", "the version in cyclone-escape/pyproject.toml is 2.0.0"),
        ("cyclone-nothing-v2.0.0", "there is no package cyclone-nothing"),
        ("v2.0.0", "a tag is called"),
        ("cyclone-escape-2.0.0", "a tag is called"),
    ],
)
def test_check_tag(
    make_distribution: Callable[..., Distribution], tag: str, expected: str | None
) -> None:
    problems = check_release.check_tag(tag, [make_distribution("cyclone-escape")])
    if expected is None:
        assert problems == []
    else:
        assert expected in problems[0]


@pytest.mark.parametrize(
    ("changelog", "fine"),
    [
        ("## 2.0.0 - 2026-11-22\n", True),
        ("## Unreleased\n\n## 1.9.0 - 2026-01-01\n", False),
        ("## 2.0.0\n", False),
    ],
)
def test_check_changelog(
    make_distribution: Callable[..., Distribution], changelog: str, fine: bool
) -> None:
    dist = make_distribution("cyclone-escape", changelog=changelog)
    assert (check_release.check_changelog(dist) == []) is fine


@pytest.mark.parametrize(
    ("requirement", "expected"),
    [
        ("cyclone-escape>=2.0,<3", None),
        ("cyclone-escape>=2.1,<3", "does not admit cyclone-escape 2.0.0"),
        ("cyclone-escape==2.0.0", "pins a sibling"),
        ("Babel>=99", None),
    ],
)
def test_check_ranges(
    make_distribution: Callable[..., Distribution], requirement: str, expected: str | None
) -> None:
    dists = [
        make_distribution("cyclone-escape"),
        make_distribution("cyclone-template", dependencies=(requirement,)),
    ]
    problems = check_release.check_ranges(dists)
    if expected is None:
        assert problems == []
    else:
        assert expected in problems[0]


def test_the_repository_itself_is_ready() -> None:
    assert check_release.main([]) == 0
