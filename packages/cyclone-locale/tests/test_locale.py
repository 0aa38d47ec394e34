"""Locale objects."""

from collections.abc import Callable
from pathlib import Path

import pytest

import cyclone.locale
from cyclone.locale import CSVLocale, GettextLocale, Locale

Make = Callable[..., Path]


def english() -> Locale:
    return cyclone.locale.get("en_US")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([], ""),
        (["A"], "A"),
        (["A", "B"], "A and B"),
        (["A", "B", "C"], "A, B and C"),
        (("A", "B", "C"), "A, B and C"),
        (["%(x)s", "%"], "%(x)s and %"),
    ],
)
def test_list(parts: list[str], expected: str) -> None:
    assert english().list(parts) == expected


@pytest.mark.parametrize(
    ("code", "expected"), [("fr", "A, B et C"), ("xx", "A, B and C"), ("es_GT", "A, B y C")]
)
def test_list_in_other_languages(code: str, expected: str) -> None:
    assert CSVLocale(code, {}).list(["A", "B", "C"]) == expected


def test_list_as_the_file_has_it() -> None:
    translations = {"unknown": {"%(commas)s and %(last)s": "%(commas)s & %(last)s"}}
    assert CSVLocale("fr", translations).list(["A", "B", "C"]) == "A, B & C"
    assert CSVLocale("fa_IR", translations).list(["A", "B", "C"]) == "A \u0648 B & C"


def test_a_long_list_takes_linear_time() -> None:
    assert len(CSVLocale("fr", {}).list(["x"] * 100_000)) == 100_000 + 2 * 99_998 + 4


@pytest.mark.parametrize(
    ("code", "value", "expected"),
    [
        ("en_US", 1000000, "1,000,000"),
        ("en", 999, "999"),
        ("en_US", 0, "0"),
        ("en_US", -123456, "-123,456"),
        ("en_US", 1234.5, "1,234.5"),
        ("fr_FR", 1000000, "1000000"),
    ],
)
def test_friendly_number(code: str, value: float, expected: str) -> None:
    assert CSVLocale(code, {}).friendly_number(value) == expected


@pytest.mark.parametrize(
    ("code", "name"), [("en_US", "English (US)"), ("es_LA", "Español"), ("xx", "Unknown")]
)
def test_code_and_name(code: str, name: str) -> None:
    locale = CSVLocale(code, {})
    assert (locale.code, locale.name) == (code, name)


def test_right_to_left() -> None:
    assert [c for c in ("fa", "ar", "he", "fr", "en_US", "xx") if CSVLocale(c, {}).rtl] == [
        "fa",
        "ar",
        "he",
    ]


def test_an_untranslated_message_comes_back() -> None:
    locale = english()
    assert locale.translate("school") == "school"
    assert locale.translate("file", "files", 1) == "file"
    assert locale.translate("file", "files", 0) == "files"
    assert locale.pgettext("law", "right") == "right"
    assert locale.pgettext("law", "right", "rights", 2) == "rights"


def test_csv_singular_and_plural() -> None:
    locale = CSVLocale(
        "fr",
        {"singular": {"file": "fichier"}, "plural": {"files": "fichiers"}, "unknown": {"a": "b"}},
    )
    assert locale.translate("file", "files", 1) == "fichier"
    assert locale.translate("file", "files", 0) == "fichiers"
    assert locale.translate("file", "files", 2) == "fichiers"
    assert locale.translate("file") == "file"
    assert locale.translate("a") == "b"


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (0, "souborů"),
        (1, "soubor"),
        (1.5, "souboru"),
        (2, "soubory"),
        (4, "soubory"),
        (5, "souborů"),
    ],
)
def test_csv_plural_categories(count: float, expected: str) -> None:
    locale = CSVLocale(
        "cs_CZ",
        {
            "one": {"file": "soubor"},
            "few": {"files": "soubory"},
            "many": {"file": "souboru"},
            "other": {"files": "souborů"},
        },
    )
    assert locale.translate("file", "files", count) == expected


def test_csv_other_serves_a_category_without_a_row() -> None:
    locale = CSVLocale("cs", {"one": {"file": "soubor"}, "other": {"files": "souborů"}})
    assert locale.translate("file", "files", 3) == "souborů"
    assert locale.translate("dog", "dogs", 3) == "dogs"
    assert locale.translate("dog", "dogs", 1) == "dog"


def test_csv_categories_beside_singular_and_plural() -> None:
    locale = CSVLocale(
        "cs",
        {
            "few": {"file": "soubory"},
            "other": {"file": "?"},
            "singular": {"file": "soubor"},
            "plural": {"files": "souborů"},
        },
    )
    got = [locale.translate("file", "files", count) for count in (1, 3, 1.5)]
    assert got == ["soubor", "soubory", "souborů"]


def test_csv_contexts_are_ignored_with_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    locale = CSVLocale("fr", {"unknown": {"right": "droit"}})
    assert locale.pgettext("law", "right") == "droit"
    assert locale.pgettext("good", "right") == "droit"
    assert len(caplog.records) == 1
    assert "no contexts" in caplog.text


def test_gettext(mo_folder: Make, french_po: str) -> None:
    cyclone.locale.load_gettext_translations(mo_folder(fr_FR=french_po), "app")
    locale = cyclone.locale.get("fr_FR")
    assert isinstance(locale, GettextLocale)
    assert locale.translate("school") == "école"
    assert locale.translate("house") == "house"
    assert locale.translate("") == ""
    assert [locale.translate("file", "files", n) for n in (0, 1, 2)] == [
        "fichier",
        "fichier",
        "fichiers",
    ]
    assert locale.translate("dog", "dogs", 2) == "dogs"
    assert locale.translate("file", "files", 2.4) == "fichiers"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("law", "right"), "le droit"),
        (("good", "right"), "le bien"),
        (("bad", "right"), "right"),
        (("organization", "club", "clubs", 1), "le club"),
        (("organization", "club", "clubs", 2), "les clubs"),
        (("stick", "club", "clubs", 1), "le bâton"),
        (("stick", "club", "clubs", 2), "les bâtons"),
        (("desk", "file", "files", 2), "fichiers"),
        (("desk", "dog", "dogs", 2), "dogs"),
        (("desk", "dog", "dogs", 1), "dog"),
    ],
)
def test_gettext_contexts(
    mo_folder: Make, french_po: str, arguments: tuple[str, str], expected: str
) -> None:
    cyclone.locale.load_gettext_translations(mo_folder(fr_FR=french_po), "app")
    assert cyclone.locale.get("fr_FR").pgettext(*arguments) == expected


def test_gettext_dates_come_from_cldr(mo_folder: Make, french_po: str) -> None:
    cyclone.locale.load_gettext_translations(mo_folder(fr_FR=french_po), "app")
    locale = cyclone.locale.get("fr_FR")
    assert locale._months[3] == "avril"
    assert locale._weekdays[6] == "dimanche"


def test_a_plural_needs_a_count(mo_folder: Make, french_po: str) -> None:
    cyclone.locale.load_gettext_translations(mo_folder(fr_FR=french_po), "app")
    for locale in (english(), cyclone.locale.get("fr_FR")):
        with pytest.raises(ValueError, match="count"):
            locale.translate("file", "files")
        with pytest.raises(ValueError, match="count"):
            locale.pgettext("x", "file", "files")


def test_get_of_an_unsupported_code() -> None:
    with pytest.raises(ValueError, match=r"unsupported locale: 'd\\xe9'"):
        Locale.get("dé")
    assert Locale.get("en_US") is english()


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (("es_GT",), "es"),
        (("es-gt",), "es"),
        (("fr_CA", "es"), "es"),
        (("zh_Hant_TW",), "zh_TW"),
        (("", "es"), "es"),
        ((b"es_GT",), "es"),
        ((b"\xff", b"es"), "es"),
        (("xx", "yy"), "en_US"),
        ((), "en_US"),
    ],
)
def test_get_closest(csv_folder: Make, codes: tuple[str | bytes, ...], expected: str) -> None:
    cyclone.locale.load_translations(csv_folder(es="a,b", zh_TW="a,b"))
    assert Locale.get_closest(*codes).code == expected
    assert cyclone.locale.get(*codes).code == expected


def test_a_locale_of_ones_own() -> None:
    class Shouting(Locale):
        def translate(
            self, message: str, plural_message: str | None = None, count: float | None = None
        ) -> str:
            return (plural_message or message).upper()

    locale = Shouting("en", {"x": "y"})
    assert locale._months[0] == "JANUARY"
    assert vars(locale)["translations"] == {"x": "y"}
    with pytest.raises(NotImplementedError):
        locale.pgettext("a", "b")
    with pytest.raises(NotImplementedError):
        Locale("en").translate("a")
