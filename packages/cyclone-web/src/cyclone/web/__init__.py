"""Tornado's web API on Twisted: handlers, routing, templates, static files, signed cookies."""

from typing import TYPE_CHECKING

from ._application import Application
from ._arguments import _ARG_DEFAULT as _ARG_DEFAULT
from ._coroutines import AsyncioReactorRequired
from ._coroutines import start as spawn
from ._errors import (
    Finish,
    HTTPAuthenticationRequired,
    HTTPError,
    InvalidArgumentError,
    MissingArgumentError,
)
from ._execution import asynchronous
from ._fallback import FallbackHandler
from ._handler import ErrorHandler, RequestHandler
from ._hub import Hub, HubFullError
from ._hub_channel import HubMessage, Subscriber
from ._hub_mixin import HubMixin
from ._outcome import Outcome
from ._redirects import RedirectHandler, addslash, is_safe_redirect, removeslash
from ._routing import ReversibleRouter, ReversibleRuleRouter, Router, RuleRouter
from ._routing_matchers import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    URLReverseError,
)
from ._routing_rules import Rule, URLSpec
from ._routing_values import path_int
from ._signing import (
    DEFAULT_SIGNED_VALUE_MIN_VERSION,
    DEFAULT_SIGNED_VALUE_VERSION,
    MAX_SUPPORTED_SIGNED_VALUE_VERSION,
    MIN_SUPPORTED_SIGNED_VALUE_VERSION,
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
)
from ._static import StaticFileHandler
from ._streaming import stream_request_body
from ._tracecontext import TraceContext
from ._tracing import RequestContextFilter
from ._transforms import ChunkedTransferEncoding, GZipContentEncoding, OutputTransform
from ._uimodules import TemplateModule, UIModule
from ._users import authenticated
from ._wsgi import WSGIContainer

url = URLSpec

__all__ = [
    "DEFAULT_SIGNED_VALUE_MIN_VERSION",
    "DEFAULT_SIGNED_VALUE_VERSION",
    "MAX_SUPPORTED_SIGNED_VALUE_VERSION",
    "MIN_SUPPORTED_SIGNED_VALUE_VERSION",
    "AnyMatches",
    "Application",
    "AsyncioReactorRequired",
    "ChunkedTransferEncoding",
    "DefaultHostMatches",
    "ErrorHandler",
    "FallbackHandler",
    "Finish",
    "GZipContentEncoding",
    "HTTPAuthenticationRequired",
    "HTTPError",
    "HostMatches",
    "Hub",
    "HubFullError",
    "HubMessage",
    "HubMixin",
    "HubUnavailableError",
    "InvalidArgumentError",
    "Matcher",
    "MetricsHandler",
    "MissingArgumentError",
    "Outcome",
    "OutputTransform",
    "PathMatches",
    "RedirectHandler",
    "RedisHub",
    "RequestContextFilter",
    "RequestHandler",
    "ReversibleRouter",
    "ReversibleRuleRouter",
    "Router",
    "Rule",
    "RuleRouter",
    "StaticFileHandler",
    "Subscriber",
    "TemplateModule",
    "TraceContext",
    "UIModule",
    "URLReverseError",
    "URLSpec",
    "WSGIContainer",
    "__version__",
    "addslash",
    "asynchronous",
    "authenticated",
    "create_signed_value",
    "decode_signed_value",
    "get_signature_key_version",
    "is_safe_redirect",
    "path_int",
    "removeslash",
    "spawn",
    "stream_request_body",
    "url",
]

__version__: str

if TYPE_CHECKING:
    from ._hub_redis import HubUnavailableError as HubUnavailableError
    from ._hub_redis import RedisHub as RedisHub
    from ._metrics import MetricsHandler as MetricsHandler

if not TYPE_CHECKING:  # or each misspelled name would pass for an attribute

    def __getattr__(name: str) -> object:
        """The version comes from the metadata; what few need loads when it is first used."""
        if name == "__version__":
            from importlib.metadata import version

            return version("cyclone-web")
        if name in ("HubUnavailableError", "RedisHub"):
            from . import _hub_redis

            return getattr(_hub_redis, name)
        if name == "MetricsHandler":
            from ._metrics import MetricsHandler

            return MetricsHandler
        if name in ("escape", "httpserver", "httputil", "locale", "template"):
            # Programs of Cyclone 1.3 reach for them here: it had imported them under these names.
            from importlib import import_module

            return import_module(f"cyclone.{name}")
        if name == "utf8":
            from cyclone.escape import utf8

            return utf8
        if name == "_unicode":
            from cyclone.escape import to_unicode

            return to_unicode
        if name in ("access_log", "app_log", "gen_log"):
            # Tornado's programs log through these, and replace them in tests
            import logging

            kind = {"access_log": "access", "app_log": "application", "gen_log": "general"}[name]
            return logging.getLogger(f"cyclone.{kind}")
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
