"""Tornado's web API on Twisted: handlers, routing, templates, static files, signed cookies."""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """The version comes from the installed metadata, read only when asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cyclone-web")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
