"""Server-Sent Events for Cyclone: a handler whose answer is a stream of events."""

from ._handler import SSEHandler

__all__ = ["SSEHandler", "__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """The version comes from the installed metadata, read only when asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cyclone-sse")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
