"""HTML, URL, JSON and UTF-8 escaping helpers, and a safe linkify."""

from ._html import squeeze, xhtml_escape, xhtml_unescape
from ._json import json_decode, json_encode
from ._linkify import linkify
from ._text import _unicode, native_str, recursive_unicode, to_basestring, to_unicode, utf8
from ._url import parse_qs_bytes, url_escape, url_unescape

__all__ = [
    "__version__",
    "_unicode",
    "json_decode",
    "json_encode",
    "linkify",
    "native_str",
    "parse_qs_bytes",
    "recursive_unicode",
    "squeeze",
    "to_basestring",
    "to_unicode",
    "url_escape",
    "url_unescape",
    "utf8",
    "xhtml_escape",
    "xhtml_unescape",
]

__version__: str

TYPE_CHECKING = False

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> str:
        """The version comes from the installed metadata, read only when asked for."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-escape")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
