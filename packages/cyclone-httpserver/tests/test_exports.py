"""The public names of cyclone.httpserver."""

from importlib.metadata import version

import cyclone.httpserver


def test_version_is_the_distributions() -> None:
    assert cyclone.httpserver.__version__ == version("cyclone-httpserver")


def test_every_public_name_exists() -> None:
    for name in cyclone.httpserver.__all__:
        assert getattr(cyclone.httpserver, name) is not None
