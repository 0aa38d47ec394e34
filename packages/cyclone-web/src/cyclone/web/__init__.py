"""Tornado's web API on Twisted: handlers, routing, templates, static files, signed cookies."""

from ._signing import (
    DEFAULT_SIGNED_VALUE_MIN_VERSION,
    DEFAULT_SIGNED_VALUE_VERSION,
    MAX_SUPPORTED_SIGNED_VALUE_VERSION,
    MIN_SUPPORTED_SIGNED_VALUE_VERSION,
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
)
from ._uimodules import TemplateModule, UIModule
from ._users import authenticated

__all__ = [
    "DEFAULT_SIGNED_VALUE_MIN_VERSION",
    "DEFAULT_SIGNED_VALUE_VERSION",
    "MAX_SUPPORTED_SIGNED_VALUE_VERSION",
    "MIN_SUPPORTED_SIGNED_VALUE_VERSION",
    "TemplateModule",
    "UIModule",
    "__version__",
    "authenticated",
    "create_signed_value",
    "decode_signed_value",
    "get_signature_key_version",
]

__version__: str


def __getattr__(name: str) -> str:
    """The version comes from the installed metadata, read only when asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version("cyclone-web")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
