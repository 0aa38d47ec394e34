"""The public names of cyclone.auth."""

from importlib.metadata import version

import cyclone.auth


def test_version_is_the_distributions() -> None:
    assert cyclone.auth.__version__ == version("cyclone-auth")


def test_every_public_name_exists() -> None:
    for name in cyclone.auth.__all__:
        assert getattr(cyclone.auth, name) is not None
