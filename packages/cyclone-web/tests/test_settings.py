"""Known settings and near misses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import cyclone.web
from cyclone.web import Application
from cyclone.web._settings import _OWN, KNOWN_SETTINGS, near_misses

README = Path(__file__).resolve().parent.parent / "README.md"
SOURCES = sorted(Path(str(cyclone.web.__file__)).parent.glob("*.py"))
_READ = re.compile(r"""settings(?:\.get\(\s*|\.setdefault\(\s*|\[)"([a-z_0-9]+)\"""")


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
        ("xsrf_query_arguments", "xsrf_query_argument"),
        ("uncheked_size", None),  # of ServerOptions, but not to be set
    ],
)
def test_near_misses(name: str, known: str | None) -> None:
    assert near_misses([name]) == ([(name, known)] if known else [])


def test_a_near_miss_is_kept_and_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(2):
        application = Application([], statik_path="/tmp")
        assert application.settings["statik_path"] == "/tmp"
    assert caplog.text.count("Unknown setting 'statik_path': did you mean 'static_path'?") == 1


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"cookie_secret": 12345}, "cookie_secret is a str, bytes or a dict of these, not int"),
        ({"log_function": "x"}, "log_function cannot be called: 'x'"),
        ({"default_handler_class": "x"}, "default_handler_class cannot be called: 'x'"),
        ({"max_body_size": "10MB"}, "max_body_size is a number, not '10MB'"),
    ],
)
def test_what_a_setting_cannot_be(settings: dict[str, object], message: str) -> None:
    with pytest.raises(TypeError, match=re.escape(message)):
        Application([], **settings)


def test_settings_as_one_setting_are_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    Application([], settings={"debug": True})
    assert "settings are keywords" in caplog.text


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


def test_what_the_sources_read_is_known() -> None:
    read = {name for path in SOURCES for name in _READ.findall(path.read_text("utf-8"))}
    assert len(read) > 30
    assert read - KNOWN_SETTINGS == {"settings"}  # a mistake that check_settings() looks for


def test_the_readme_has_them_all() -> None:
    table = README.read_text("utf-8").partition("\n## Settings\n")[2].partition("\n## ")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    first = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row[1])}
    assert first <= KNOWN_SETTINGS
    named = set(re.findall(r"`([a-z_]+)[`=]", table))
    # The one is Cyclone 1.3's name of compress_response, the others are cyclone.websocket's
    elsewhere = {"gzip"} | {name for name in _OWN if name.startswith("websocket_")}
    assert _OWN - named == elsewhere


def test_settings_are_read_as_attributes_too() -> None:
    settings = Application(site="mine").settings
    assert settings.site == settings["site"] == settings.get("site") == "mine"
    settings.other = 1
    assert settings["other"] == 1
    with pytest.raises(AttributeError, match="no setting 'missing'"):
        _ = settings.missing
