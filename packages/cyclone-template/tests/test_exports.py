"""The public names of cyclone.template."""

from importlib.metadata import version

import cyclone.template


def test_version_is_the_distributions() -> None:
    assert cyclone.template.__version__ == version("cyclone-template")


def test_every_public_name_exists() -> None:
    for name in cyclone.template.__all__:
        assert getattr(cyclone.template, name) is not None
