"""Test cases, an in-memory client and a pytest plugin for Cyclone applications."""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """The version comes from the installed metadata, read only when asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cyclone-testing")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
