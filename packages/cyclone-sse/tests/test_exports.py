"""The public names of cyclone.sse."""

from importlib.metadata import version

import cyclone.sse


def test_version_is_the_distributions() -> None:
    assert cyclone.sse.__version__ == version("cyclone-sse")


def test_exports() -> None:
    assert cyclone.sse.__all__ == ["SSEHandler", "__version__"]
    for name in cyclone.sse.__all__:
        assert getattr(cyclone.sse, name) is not None
