"""The public names of cyclone.testing."""

from importlib.metadata import version

import cyclone.testing


def test_version_is_the_distributions() -> None:
    assert cyclone.testing.__version__ == version("cyclone-testing")


def test_every_public_name_exists() -> None:
    for name in cyclone.testing.__all__:
        assert getattr(cyclone.testing, name) is not None
