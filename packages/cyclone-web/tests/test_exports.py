"""The public names of cyclone.web."""

from importlib.metadata import version

import cyclone.web


def test_version_is_the_distributions() -> None:
    assert cyclone.web.__version__ == version("cyclone-web")


def test_every_public_name_exists() -> None:
    for name in cyclone.web.__all__:
        assert getattr(cyclone.web, name) is not None
