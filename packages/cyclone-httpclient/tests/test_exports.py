"""The public names of cyclone.httpclient."""

from importlib.metadata import version

import cyclone.httpclient


def test_version_is_the_distributions() -> None:
    assert cyclone.httpclient.__version__ == version("cyclone-httpclient")


def test_every_public_name_exists() -> None:
    for name in cyclone.httpclient.__all__:
        assert getattr(cyclone.httpclient, name) is not None
