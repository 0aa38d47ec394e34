"""The cyclone command: run, watch, scale and stop Cyclone applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import process as process
    from ._commands import main as main
    from ._drain import is_draining as is_draining
    from ._health import HealthHandler as HealthHandler

__all__ = ["HealthHandler", "__version__", "is_draining", "main", "process"]

__version__: str

_HOMES = {"HealthHandler": "_health", "is_draining": "_drain", "main": "_commands"}

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> Any:
        """Load what is asked for; the version comes from the installed metadata."""
        import importlib

        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-cli")
        if name in _HOMES:
            return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        if name == "process":
            return importlib.import_module(f"{__name__}.process")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
