"""The public names of cyclone.httputil."""

from importlib.metadata import version

import cyclone.httputil


def test_version_is_the_distributions() -> None:
    assert cyclone.httputil.__version__ == version("cyclone-httputil")


def test_every_public_name_exists() -> None:
    for name in cyclone.httputil.__all__:
        assert getattr(cyclone.httputil, name) is not None
