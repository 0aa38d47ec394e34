"""The wheel check refuses files outside a package's own portion of the namespace."""

from collections.abc import Callable

import pytest
from check_wheels import check_names
from workspace import Distribution

GOOD = ["cyclone/escape/__init__.py", "cyclone/escape/py.typed", "cyclone/escape/_html.py"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (GOOD, None),
        ([*GOOD, "cyclone/__init__.py"], "cyclone/__init__.py does not belong"),
        ([*GOOD, "tests/test_x.py"], "does not belong"),
        ([*GOOD, "cyclone/escape/tests/test_x.py"], "should not be shipped"),
        (GOOD[:1], "no cyclone/escape/py.typed"),
        (GOOD[1:], "no cyclone/escape/__init__.py"),
    ],
)
def test_a_package_ships_its_portion_only(
    make_distribution: Callable[..., Distribution], names: list[str], expected: str | None
) -> None:
    problems = check_names(make_distribution("cyclone-escape"), names)
    if expected is None:
        assert problems == []
    else:
        assert expected in problems[0]


def test_the_meta_wheel_ships_its_init_only(
    make_distribution: Callable[..., Distribution],
) -> None:
    meta = make_distribution("cyclone")
    assert check_names(meta, ["cyclone/__init__.py", "cyclone/py.typed"]) == []
    names = ["cyclone/__init__.py", "cyclone/py.typed", "cyclone/web.py"]
    assert "only its __init__.py" in check_names(meta, names)[0]
