"""Server-Sent Events for Cyclone: a handler whose answer is a stream of events."""

from typing import TYPE_CHECKING

from ._handler import SSEHandler

__all__ = ["SSEHandler", "__version__"]

__version__: str

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> str:
        """The version comes from the installed metadata, read only when asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-sse")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
