"""Known settings and near misses."""

from __future__ import annotations

import pytest

from cyclone.web import Application
from cyclone.web._settings import KNOWN_SETTINGS, near_misses


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("cookie_secert", "cookie_secret"),
        ("templates_path", "template_path"),
        ("xsrf_cookie", "xsrf_cookies"),
        ("max_body_sizes", "max_body_size"),
        ("database", None),
        ("twitter_consumer_key", None),
        ("debug", None),
    ],
)
def test_near_misses(name: str, known: str | None) -> None:
    assert near_misses([name]) == ([(name, known)] if known else [])


def test_a_near_miss_is_kept_and_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        application = Application([], statik_path="/tmp")
        assert application.settings["statik_path"] == "/tmp"
    assert caplog.text.count("Unknown setting 'statik_path': did you mean 'static_path'?") == 1


def test_every_row_of_the_settings_table_is_known() -> None:
    rows = """debug autoreload compiled_template_cache static_hash_cache serve_traceback
    default_handler_class default_handler_args gzip compress_response log_function ui_modules
    ui_methods xheaders trusted_downstream cookie_secret key_version login_url xsrf_cookies
    xsrf_cookie_version xsrf_cookie_kwargs xsrf_cookie_name cross_origin_protection
    trusted_origins autoescape template_path template_loader template_whitespace static_path
    static_url_prefix static_handler_class static_handler_args websocket_ping_interval
    websocket_ping_timeout websocket_max_message_size no_keep_alive max_body_size
    max_header_size idle_connection_timeout body_timeout decompress_request"""
    assert set(rows.split()) <= KNOWN_SETTINGS


def test_settings_are_read_as_attributes_too() -> None:
    settings = Application(site="mine").settings
    assert settings.site == settings["site"] == settings.get("site") == "mine"
    settings.other = 1
    assert settings["other"] == 1
    with pytest.raises(AttributeError, match="no setting 'missing'"):
        _ = settings.missing
