"""The public names of cyclone.locale, and what importing it costs."""

import subprocess
import sys
from importlib.metadata import version

import cyclone.locale


def test_all_is_exactly_this() -> None:
    assert cyclone.locale.__all__ == [
        "CONTEXT_SEPARATOR",
        "LOCALE_NAMES",
        "CSVLocale",
        "GettextLocale",
        "Locale",
        "TranslationError",
        "__version__",
        "extract_template",
        "get",
        "get_loaded_files",
        "get_supported_locales",
        "load_gettext_translations",
        "load_translations",
        "negotiate_language",
        "parse_accept_language",
        "set_default_locale",
    ]


def test_version_is_the_distributions() -> None:
    assert cyclone.locale.__version__ == version("cyclone-locale")


def test_every_public_name_exists() -> None:
    for name in cyclone.locale.__all__:
        assert getattr(cyclone.locale, name) is not None


def test_importing_loads_nothing_heavy() -> None:
    code = (
        "import sys; before = set(sys.modules); import cyclone.locale;"
        "print(*sorted({m.partition('.')[0] for m in set(sys.modules) - before}))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"babel", "twisted", "logging", "csv", "gettext", "asyncio"} & set(loaded)


def test_variables_that_tornado_tests_save_are_readable() -> None:
    assert "en_US" in getattr(cyclone.locale, "_supported_locales")  # noqa: B009
    assert getattr(cyclone.locale, "_use_gettext") is False  # noqa: B009
    assert getattr(cyclone.locale, "_translations") == {}  # noqa: B009
