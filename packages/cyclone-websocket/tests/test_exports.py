"""The public names of cyclone.websocket."""

from importlib.metadata import version

import cyclone.websocket


def test_version_is_the_distributions() -> None:
    assert cyclone.websocket.__version__ == version("cyclone-websocket")


def test_every_public_name_exists() -> None:
    for name in cyclone.websocket.__all__:
        assert getattr(cyclone.websocket, name) is not None
