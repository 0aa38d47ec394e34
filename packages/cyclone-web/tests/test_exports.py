"""The public names of cyclone.web."""

from __future__ import annotations

import logging
import subprocess
import sys
from importlib.metadata import version

import pytest

import cyclone.escape
import cyclone.web

NAMES = [
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


def test_the_public_names() -> None:
    assert cyclone.web.__all__ == NAMES


def test_version_is_the_distributions() -> None:
    assert cyclone.web.__version__ == version("cyclone-web")


def test_every_public_name_exists() -> None:
    for name in cyclone.web.__all__:
        assert getattr(cyclone.web, name) is not None


def test_importing_installs_no_reactor_and_stays_light() -> None:
    source = (
        "import sys, cyclone.web; heavy = ['twisted.internet.reactor', 'difflib', "
        "'cyclone.template', 'babel', 'sqlite3', 'watchfiles', 'brotli']; "
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", ["escape", "httpserver", "httputil", "locale", "template"])
def test_modules_that_cyclone_1_3_had_imported(name: str) -> None:
    assert getattr(cyclone.web, name).__name__ == f"cyclone.{name}"
    assert cyclone.web.utf8 is cyclone.escape.utf8  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("name", "logger"),
    [
        ("access_log", "cyclone.access"),
        ("app_log", "cyclone.application"),
        ("gen_log", "cyclone.general"),
    ],
)
def test_loggers_are_where_tornado_has_them(name: str, logger: str) -> None:
    assert getattr(cyclone.web, name) is logging.getLogger(logger)
    assert cyclone.web._unicode is cyclone.escape.to_unicode  # type: ignore[attr-defined]


def test_help_lists_what_loads_when_it_is_first_used() -> None:
    assert set(cyclone.web.__all__) <= set(dir(cyclone.web))
