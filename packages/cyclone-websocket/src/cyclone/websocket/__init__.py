"""WebSocket handlers and client for Cyclone, with both Tornado's and Cyclone's names."""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """The version comes from the installed metadata, read only when asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cyclone-websocket")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
