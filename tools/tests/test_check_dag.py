"""The dependency check notices each way in which imports and declarations can disagree."""

from collections.abc import Callable

import check_dag
import pytest
from workspace import Distribution

OWNERS = {"twisted": ["Twisted"], "babel": ["Babel"]}


@pytest.mark.parametrize(
    ("source", "dependencies", "expected"),
    [
        ("import json", (), None),
        ("from cyclone.escape import utf8", ("cyclone-escape>=2.0,<3",), None),
        ("from cyclone import escape", ("cyclone-escape>=2.0,<3",), None),
        ("import babel.numbers", ("Babel>=2.14",), None),
        ("from cyclone.escape import utf8", (), "cyclone-escape is not declared"),
        ("def f():\n    import twisted.web", (), "no dependency declares"),
        ("", ("cyclone-escape>=2.0,<3",), "never imports it"),
        ("from cyclone.escape._html import x", ("cyclone-escape>=2.0",), "private to"),
    ],
)
def test_check_imports(
    make_distribution: Callable[..., Distribution],
    source: str,
    dependencies: tuple[str, ...],
    expected: str | None,
) -> None:
    dist = make_distribution("cyclone-template", source, dependencies)
    problems = check_dag.check_imports(dist, OWNERS)
    if expected is None:
        assert problems == []
    else:
        assert len(problems) == 1
        assert expected in problems[0]


def test_a_circle_is_refused(make_distribution: Callable[..., Distribution]) -> None:
    one = make_distribution("cyclone-one", dependencies=("cyclone-two",))
    two = make_distribution("cyclone-two", dependencies=("cyclone-one",))
    assert "in a circle" in check_dag.check_graph([one, two])[0]


def test_twisted_in_a_pure_package_is_refused(
    make_distribution: Callable[..., Distribution],
) -> None:
    escape = make_distribution("cyclone-escape", dependencies=("twisted>=24.11",))
    template = make_distribution("cyclone-template", dependencies=("cyclone-escape>=2.0",))
    assert check_dag.check_graph([escape, template]) == [
        "cyclone-escape: would bring Twisted",
        "cyclone-template: would bring Twisted",
    ]
