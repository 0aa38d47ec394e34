"""The public names of cyclone.escape."""

from importlib.metadata import version

import cyclone.escape


def test_version_is_the_distributions() -> None:
    assert cyclone.escape.__version__ == version("cyclone-escape")


def test_every_public_name_exists() -> None:
    for name in cyclone.escape.__all__:
        assert getattr(cyclone.escape, name) is not None
