"""The locale of a request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

import cyclone.locale
from cyclone.httputil import HTTPHeaders
from cyclone.locale import Locale
from cyclone.web._localization import LocalizationMixin


class Handler(LocalizationMixin):
    """A handler without a server."""

    choice: Locale | str | bytes | None = None

    def __init__(self, accept: str | None = None) -> None:
        headers = HTTPHeaders({} if accept is None else {"Accept-Language": accept})
        self.request = SimpleNamespace(headers=headers)  # type: ignore[assignment]
        self.asked = 0

    def get_user_locale(self) -> Locale | str | bytes | None:
        self.asked += 1
        return self.choice


@pytest.fixture(autouse=True)
def translations(tmp_path: Path) -> Iterator[None]:
    for code in ("es", "pt_BR", "fr_FR", "en_US"):
        (tmp_path / f"{code}.csv").write_text(f'"hello","hello in {code}"\n', "utf-8")
    cyclone.locale.load_translations(str(tmp_path))
    yield
    empty = tmp_path / "empty"
    empty.mkdir()
    cyclone.locale.load_translations(str(empty))


@pytest.mark.parametrize(
    ("accept", "code"),
    [
        pytest.param(None, "en_US", id="no-header"),
        pytest.param("", "en_US", id="empty"),
        pytest.param("es", "es", id="one"),
        pytest.param("es-GT,en;q=0.5", "es", id="region-dropped"),
        pytest.param("de, pt-BR;q=0.8, fr-FR;q=0.9", "fr_FR", id="weights"),
        pytest.param("es;q=0, fr-FR;q=0.1", "fr_FR", id="refused"),
        pytest.param("xx, yy", "en_US", id="none-fits"),
        pytest.param("*", "en_US", id="any"),
        pytest.param(";;;,,q=1,@", "en_US", id="garbage"),
        pytest.param("es;q=abc, fr-FR", "fr_FR", id="bad-weight"),
        pytest.param(",".join(["xx"] * 30) + ",es;q=0.1", "es", id="long"),
    ],
)
def test_the_browsers_choice(accept: str | None, code: str) -> None:
    handler = Handler(accept)
    assert handler.locale.code == code
    assert handler.get_browser_locale().code == code
    assert handler._vary_headers == ["Accept-Language"]


def test_a_default_for_browsers_that_do_not_say() -> None:
    assert Handler().get_browser_locale("es").code == "es"
    assert Handler("fr-FR").get_browser_locale("es").code == "fr_FR"


def test_a_huge_header_is_not_kept() -> None:
    from cyclone.web import _localization

    before = _localization._cached.cache_info().currsize
    Handler("x" * 60_000).get_browser_locale()
    assert _localization._cached.cache_info().currsize == before
    for number in range(400):
        Handler(f"es;q=0.{number}").get_browser_locale()
    assert _localization._cached.cache_info().currsize <= 256


@pytest.mark.parametrize(
    "choice",
    ["es_GT", "es", b"es_GT", cyclone.locale.get("es")],
    ids=["full", "language", "bytes", "locale"],
)
def test_the_users_choice_is_stronger(choice: Locale | str | bytes) -> None:
    handler = Handler("fr-FR")
    handler.choice = cyclone.locale.get("es") if isinstance(choice, Locale) else choice
    assert handler.locale.code == "es"
    assert handler.locale.translate("hello") == "hello in es"
    assert handler.asked == 1
    assert handler._vary_headers is None


def test_it_can_be_set() -> None:
    handler = Handler("fr-FR")
    handler.locale = cyclone.locale.get("pt_BR")
    assert handler.locale.code == "pt_BR"
    assert handler.asked == 0


def test_one_language_does_not_vary(tmp_path: Path) -> None:
    empty = tmp_path / "none"
    empty.mkdir()
    cyclone.locale.load_translations(str(empty))
    handler = Handler("fr-FR")
    assert handler.locale.code == "en_US"
    assert handler._vary_headers is None
