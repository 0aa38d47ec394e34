"""The public names of cyclone.locale."""

from importlib.metadata import version

import cyclone.locale


def test_version_is_the_distributions() -> None:
    assert cyclone.locale.__version__ == version("cyclone-locale")


def test_every_public_name_exists() -> None:
    for name in cyclone.locale.__all__:
        assert getattr(cyclone.locale, name) is not None
