"""The public names of cyclone.cli."""

from importlib.metadata import version

import cyclone.cli


def test_version_is_the_distributions() -> None:
    assert cyclone.cli.__version__ == version("cyclone-cli")


def test_every_public_name_exists() -> None:
    for name in cyclone.cli.__all__:
        assert getattr(cyclone.cli, name) is not None
