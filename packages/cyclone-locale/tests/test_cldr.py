"""What Babel is asked."""

from datetime import UTC, datetime, timedelta

import pytest
from babel.core import Locale
from babel.localedata import locale_identifiers

from cyclone.locale import _cldr

DAY = datetime(2013, 4, 28, 18, 35, tzinfo=UTC)


def data(code: str) -> Locale:
    found = _cldr.babel_locale(code)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("fr_FR", "fr_FR"),
        ("es_LA", "es"),
        ("zh_TW", "zh_Hant_TW"),
        ("xx_XX", None),
        ("", None),
        ("../../x", None),
        ("en\x00", None),
    ],
)
def test_babel_locale(code: str, expected: str | None) -> None:
    found = _cldr.babel_locale(code)
    assert (str(found) if found else None) == expected


@pytest.mark.parametrize(
    ("code", "rtl"),
    [("fa", True), ("ar", True), ("he_IL", True), ("ur", True), ("arn", False), ("fr", False)],
)
def test_is_rtl(code: str, rtl: bool) -> None:
    assert _cldr.is_rtl(code) is rtl


@pytest.mark.parametrize(
    ("code", "categories"),
    [
        ("en", ["one", "other"]),
        ("ja", ["other"]),
        ("cs", ["one", "few", "many", "other"]),
        ("ar", ["zero", "one", "two", "few", "many", "other"]),
        ("xx", ["one", "other"]),
    ],
)
def test_plural_categories(code: str, categories: list[str]) -> None:
    assert _cldr.plural_categories(code) == categories


@pytest.mark.parametrize(
    ("code", "count", "category"),
    [
        ("fr", 0, "one"),
        ("fr", 2, "other"),
        ("ru", 1, "one"),
        ("ru", 3, "few"),
        ("ru", 11, "many"),
        ("ru", 21, "one"),
        ("cs", 1.5, "many"),
        ("ar", 2, "two"),
        ("en", -1, "one"),
        ("en", float("nan"), "other"),
        ("en", float("inf"), "other"),
        ("en", 10**30, "other"),
        ("xx", 1, "one"),
        ("xx", 7, "other"),
    ],
)
def test_plural_rule(code: str, count: float, category: str) -> None:
    assert _cldr.plural_rule(code)(count) == category


def test_names_of_months_and_days() -> None:
    assert _cldr.month_names(data("fr"))[0] == "janvier"
    assert _cldr.month_names(data("ru"))[3] == "апреля"
    assert _cldr.weekday_names(data("fr"))[0] == "lundi"
    assert len(_cldr.month_names(data("fr"))) == 12
    assert len(_cldr.weekday_names(data("fr"))) == 7


@pytest.mark.parametrize(
    ("code", "month_day", "weekday", "date"),
    [
        ("fr", "28 avril", "dimanche 28 avril", "28 avril 2013"),
        ("de", "28. April", "Sonntag, 28. April", "28. April 2013"),
        ("es", "28 de abril", "domingo, 28 de abril", "28 de abril de 2013"),
        ("ja", "4月28日", "4月28日(日曜日)", "2013年4月28日"),
    ],
)
def test_dates(code: str, month_day: str, weekday: str, date: str) -> None:
    assert _cldr.month_day(data(code), DAY) == month_day
    assert _cldr.weekday_month_day(data(code), DAY) == weekday
    assert _cldr.long_date(data(code), DAY) == date


@pytest.mark.parametrize(
    ("elapsed", "expected"),
    [
        (timedelta(0), "vor 1 Sekunde"),
        (timedelta(seconds=49), "vor 49 Sekunden"),
        (timedelta(minutes=1), "vor 1 Minute"),
        (timedelta(minutes=49), "vor 49 Minuten"),
        (timedelta(hours=23), "vor 23 Stunden"),
        (timedelta(days=1), "vor 1 Tag"),
    ],
)
def test_ago(elapsed: timedelta, expected: str) -> None:
    assert _cldr.ago(data("de"), elapsed) == expected


def test_with_time() -> None:
    assert _cldr.with_time(data("de"), "Tag", "8:00") == "Tag, 8:00"
    assert _cldr.with_time(data("ja"), "Tag", "8:00") == "Tag 8:00"
    assert _cldr.with_time(data("vi"), "Tag", "8:00") == "8:00 Tag"


@pytest.mark.parametrize(
    ("code", "parts", "expected"),
    [
        ("fr", "AB", "A et B"),
        ("fr", "ABC", "A, B et C"),
        ("ja", "ABC", "A、B、C"),
        ("he", "ABC", "A, B \u05d5C"),
    ],
)
def test_join(code: str, parts: str, expected: str) -> None:
    assert _cldr.join(data(code), list(parts)) == expected


def test_braces_in_a_list_are_text() -> None:
    assert _cldr.join(data("fr"), ["{1}", "{0}", "{x}"]) == "{1}, {0} et {x}"


def test_every_language_of_babel_works() -> None:
    languages = sorted({code.partition("_")[0] for code in locale_identifiers()})
    for language in languages[::7]:
        found = data(language)
        assert _cldr.plural_rule(language)(2) in _cldr.plural_categories(language)
        assert _cldr.month_day(found, DAY)
        assert _cldr.weekday_month_day(found, DAY)
        assert "Zeit" in _cldr.with_time(found, "Tag", "Zeit")
        assert "Tag" in _cldr.with_time(found, "Tag", "Zeit")
        assert all(part in _cldr.join(found, ["A", "B", "C"]) for part in "ABC")
