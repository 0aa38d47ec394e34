"""The settings an application knows, and a word about those that look like a slip of the pen."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Any

from cyclone.httpserver import ServerOptions

from ._log import general_log

_OWN = frozenset(
    [
        "access_log_format",
        "autoescape",
        "autoreload",
        "blocked_reactor_after",
        "cancel_on_disconnect",
        "compiled_template_cache",
        "compress_response",
        "cookie_secret",
        "cross_origin_protection",
        "debug",
        "default_handler_args",
        "default_handler_class",
        "gzip",
        "handler_timeout",
        "head_from_get",
        "hub",
        "key_version",
        "log_function",
        "login_url",
        "metrics",
        "min_version",
        "opentelemetry",
        "reload_page",
        "request_id_header",
        "serve_traceback",
        "server_header",
        "static_handler_args",
        "static_handler_class",
        "static_hash_cache",
        "static_path",
        "static_url_prefix",
        "template_loader",
        "template_path",
        "template_whitespace",
        "trace_context",
        "trusted_origins",
        "ui_methods",
        "ui_modules",
        "warn_unfinished_after",
        "websocket_max_message_size",
        "websocket_ping_interval",
        "websocket_ping_timeout",
        "xsrf_cookie_kwargs",
        "xsrf_cookie_name",
        "xsrf_cookie_version",
        "xsrf_cookies",
        "xsrf_query_argument",
    ]
)
#: Settings that are options of the server: those of ServerOptions, and its clock.
SERVER_OPTIONS = frozenset(
    field.name for field in dataclasses.fields(ServerOptions) if field.init
) | {"monotonic", "reactor"}
KNOWN_SETTINGS = _OWN | SERVER_OPTIONS
# Families that others name: the auth mixins' keys.
_FAMILIES = ("twitter_", "facebook_", "google_", "github_", "oidc_", "websocket_", "sse_")
_warned: set[str] = set()


class Settings(dict[str, Any]):
    """The settings of an application: a dict whose items can be read as attributes too."""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(f"there is no setting {name!r}") from None

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value


def near_misses(names: Iterable[str]) -> list[tuple[str, str]]:
    """The unknown names that are nearly a known one, each with that one."""
    unknown = [
        name for name in names if name not in KNOWN_SETTINGS and not name.startswith(_FAMILIES)
    ]
    if not unknown:
        return []
    import difflib

    known = sorted(KNOWN_SETTINGS)
    found = ((name, difflib.get_close_matches(name, known, 1, 0.86)) for name in unknown)
    return [(name, matches[0]) for name, matches in found if matches]


def check_settings(settings: Mapping[str, Any]) -> None:
    """Look at what would be noticed with the first request, far from where it was written.

    :raises TypeError: when a setting cannot be what it is.
    """
    secret = settings.get("cookie_secret")
    if secret is not None and not isinstance(secret, str | bytes | Mapping):
        raise TypeError(
            f"cookie_secret is a str, bytes or a dict of these, not {type(secret).__name__}"
        )
    for name in ("log_function", "default_handler_class", "static_handler_class"):
        value = settings.get(name)
        if value is not None and not callable(value):
            raise TypeError(f"{name} cannot be called: {value!r}")
    if isinstance(settings.get("settings"), Mapping):
        general_log.warning(
            "The setting 'settings' means nothing to the framework: settings are keywords, as in "
            "Application(handlers, **settings)"
        )


def warn_near_misses(settings: Mapping[str, Any]) -> None:
    """Warn, once for each name, of a setting that is nearly a known one."""
    for name, known in near_misses(settings):
        if name not in _warned:
            _warned.add(name)
            general_log.warning(
                "Unknown setting {name}: did you mean {known}?", name=repr(name), known=repr(known)
            )
