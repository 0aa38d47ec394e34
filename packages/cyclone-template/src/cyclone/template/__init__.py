"""A fast template language compiled to Python, with inheritance, autoescaping and async values."""

from ._errors import ParseError, TemplateError, TemplateNotFoundError
from ._limits import Limits
from ._loader import BaseLoader, DictLoader, Loader, PackageLoader, TemplateLoader
from ._rendering import Rendering
from ._template import Template
from ._whitespace import filter_whitespace

__all__ = [
    "BaseLoader",
    "DictLoader",
    "Limits",
    "Loader",
    "PackageLoader",
    "ParseError",
    "Rendering",
    "Template",
    "TemplateError",
    "TemplateLoader",
    "TemplateNotFoundError",
    "__version__",
    "filter_whitespace",
]

__version__: str

TYPE_CHECKING = False

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> str:
        """The version comes from the installed metadata, read only when asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-template")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
