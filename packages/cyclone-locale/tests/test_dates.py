"""Dates in words."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import cyclone.locale
from cyclone.locale import _dates

NOW = datetime(2024, 3, 15, 12, 0, 0, tzinfo=UTC)  # a Friday


@pytest.fixture(autouse=True)
def stopped_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_dates, "_now", NOW.astimezone)


def ago(**elapsed: float) -> datetime:
    return NOW - timedelta(**elapsed)


ENGLISH = [
    pytest.param(ago(), {}, "0 seconds ago", id="now"),
    pytest.param(ago(seconds=1), {}, "1 second ago", id="1 s"),
    pytest.param(ago(seconds=49), {}, "49 seconds ago", id="49 s"),
    pytest.param(ago(seconds=50), {}, "1 minute ago", id="50 s"),
    pytest.param(ago(minutes=2), {}, "2 minutes ago", id="2 min"),
    pytest.param(ago(minutes=49, seconds=59), {}, "50 minutes ago", id="just under 50 min"),
    pytest.param(ago(minutes=50), {}, "1 hour ago", id="50 min"),
    pytest.param(ago(hours=23, minutes=40), {}, "24 hours ago", id="nearly a day"),
    pytest.param(ago(days=1), {}, "yesterday at 12:00 pm", id="1 day"),
    pytest.param(ago(days=1), {"shorter": True}, "yesterday", id="1 day shorter"),
    pytest.param(ago(days=1), {"relative": False}, "Thursday at 12:00 pm", id="1 day absolute"),
    pytest.param(ago(days=1, hours=13), {}, "Wednesday at 11:00 pm", id="1.5 days"),
    pytest.param(ago(days=4, hours=3), {}, "Monday at 9:00 am", id="4 days"),
    pytest.param(ago(days=4), {"shorter": True}, "Monday", id="4 days shorter"),
    pytest.param(ago(days=5), {}, "March 10 at 12:00 pm", id="5 days"),
    pytest.param(ago(days=333), {"shorter": True}, "April 17", id="333 days"),
    pytest.param(ago(days=334), {"shorter": True}, "April 16, 2023", id="334 days"),
    pytest.param(ago(days=334), {}, "April 16, 2023 at 12:00 pm", id="long ago"),
    pytest.param(ago(hours=3), {"relative": False}, "9:00 am", id="today absolute"),
    pytest.param(ago(hours=3), {"relative": False, "shorter": True}, "9:00 am", id="today shorter"),
    pytest.param(ago(hours=3), {"full_format": True}, "March 15, 2024 at 9:00 am", id="full"),
    pytest.param(ago(seconds=-59), {}, "0 seconds ago", id="a fast clock"),
    pytest.param(ago(seconds=-60), {}, "March 15, 2024 at 12:01 pm", id="ahead"),
    pytest.param(
        ago(seconds=-5), {"relative": False}, "March 15, 2024 at 12:00 pm", id="ahead absolute"
    ),
    pytest.param(ago(days=-1, seconds=-30), {"shorter": True}, "March 16, 2024", id="tomorrow"),
    pytest.param(ago(hours=12), {"relative": False}, "12:00 am", id="midnight"),
    pytest.param(
        ago(days=1), {"gmt_offset": 300}, "yesterday at 7:00 am", id="west of Greenwich"
    ),
    pytest.param(
        ago(days=1), {"gmt_offset": -120}, "yesterday at 2:00 pm", id="east of Greenwich"
    ),
    pytest.param(
        ago(days=1, hours=11), {"gmt_offset": -780}, "Thursday at 2:00 pm", id="yesterday is local"
    ),
    pytest.param(
        ago(minutes=2).replace(tzinfo=None), {}, "2 minutes ago", id="naive is UTC"
    ),
    pytest.param(
        ago(minutes=2).astimezone(timezone(timedelta(hours=9))), {}, "2 minutes ago", id="aware"
    ),
    pytest.param(
        ago(days=1).astimezone(timezone(timedelta(hours=2))), {}, "yesterday at 2:00 pm",
        id="aware shows its own time",
    ),
    pytest.param(ago(minutes=2).timestamp(), {}, "2 minutes ago", id="float"),
    pytest.param(int(ago(minutes=2).timestamp()), {}, "2 minutes ago", id="int"),
    pytest.param(date(2013, 4, 28), {"shorter": True}, "April 28, 2013", id="a day"),
]  # fmt: skip


@pytest.mark.parametrize(("moment", "options", "expected"), ENGLISH)
def test_english(moment: datetime, options: dict[str, bool], expected: str) -> None:
    for code in ("en_US", "en"):
        cyclone.locale.set_default_locale(code)
        assert cyclone.locale.get(code).format_date(moment, **options) == expected


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, "Sunday, April 28"),
        ({"dow": False}, "April 28"),
        ({"gmt_offset": -600}, "Monday, April 29"),
    ],
)
def test_english_days(options: dict[str, int], expected: str) -> None:
    locale = cyclone.locale.get("en_US")
    assert locale.format_day(datetime(2013, 4, 28, 18, 35), **options) == expected  # type: ignore[arg-type]


def test_other_english_has_a_24_hour_clock() -> None:
    cyclone.locale.set_default_locale("en_GB")
    moment = datetime(2013, 4, 28, 18, 5)
    assert cyclone.locale.get("en_GB").format_date(moment) == "April 28, 2013 at 18:05"


@pytest.mark.parametrize(
    ("code", "moment", "options", "expected"),
    [
        ("fr_FR", ago(), {}, "il y a 1 seconde"),
        ("fr_FR", ago(minutes=2), {}, "il y a 2 minutes"),
        ("fr_FR", ago(hours=3), {}, "il y a 3 heures"),
        ("fr_FR", ago(hours=3), {"relative": False}, "9:00"),
        ("fr_FR", ago(days=1), {}, "il y a 1 jour, 12:00"),
        ("fr_FR", ago(days=1), {"shorter": True}, "il y a 1 jour"),
        ("fr_FR", ago(days=2), {}, "mercredi, 12:00"),
        ("fr_FR", ago(days=2), {"shorter": True}, "mercredi"),
        ("fr_FR", ago(days=20), {}, "24 février, 12:00"),
        ("fr_FR", ago(days=20), {"shorter": True}, "24 février"),
        ("fr_FR", ago(days=400), {}, "9 février 2023, 12:00"),
        ("fr_FR", ago(days=400), {"shorter": True}, "9 février 2023"),
        ("ru", ago(minutes=21), {}, "21 минуту назад"),
        ("ru", ago(days=20), {"shorter": True}, "24 февраля"),
        ("zh_CN", ago(days=400), {}, "2023年2月9日 下午12:00"),
        ("zh_CN", ago(hours=3), {"relative": False}, "上午9:00"),
        ("xx", ago(days=400), {}, "February 9, 2023 at 12:00"),
        ("xx", ago(hours=3), {}, "3 hours ago"),
    ],
)
def test_cldr_says_what_no_file_translates(
    code: str, moment: datetime, options: dict[str, bool], expected: str
) -> None:
    cyclone.locale.set_default_locale(code)
    assert cyclone.locale.get(code).format_date(moment, **options) == expected


def test_days_in_other_languages() -> None:
    cyclone.locale.set_default_locale("es_GT")
    locale = cyclone.locale.get("es_GT")
    assert locale.format_day(datetime(2013, 4, 28)) == "domingo, 28 de abril"
    assert locale.format_day(datetime(2013, 4, 28), dow=False) == "28 de abril"


def test_a_translation_file_goes_first(csv_folder: Callable[..., Path]) -> None:
    rows = [
        "April,germinal",
        "Sunday,décadi",
        "%(month_name)s %(day)s,le %(day)s %(month_name)s",
        '"%(weekday)s, %(month_name)s %(day)s",%(weekday)s %(day)s %(month_name)s',
        "%(month_name)s %(day)s at %(time)s,%(day)s %(month_name)s vers %(time)s",
        "yesterday at %(time)s,hier à %(time)s",
        "1 hour ago,il y a une heure,singular",
        "%(hours)d hours ago,il y a bien %(hours)d heures,plural",
    ]
    cyclone.locale.load_translations(csv_folder(fr_FR="\n".join(rows)))
    locale = cyclone.locale.get("fr_FR")
    assert locale.format_day(datetime(2013, 4, 28)) == "décadi 28 germinal"
    assert locale.format_day(datetime(2013, 5, 27), dow=False) == "le 27 mai"
    assert locale.format_date(ago(days=1)) == "hier à 12:00"
    assert locale.format_date(ago(hours=1)) == "il y a une heure"
    assert locale.format_date(ago(hours=5)) == "il y a bien 5 heures"
    assert locale.format_date(ago(minutes=5)) == "il y a 5 minutes"
    assert locale.format_date(ago(days=20)) == "24 février vers 12:00"


@pytest.mark.parametrize(("minutes", "text"), [(1, "1 minute ago"), (2, "2 minutes ago")])
def test_a_translation_that_is_broken(
    csv_folder: Callable[..., Path], minutes: int, text: str
) -> None:
    rows = ["1 minute ago,vor %(minute)d,singular", "%(minutes)d minutes ago,vor %d,plural"]
    cyclone.locale.load_translations(csv_folder(de_DE="\n".join(rows)))
    assert cyclone.locale.get("de_DE").format_date(ago(minutes=minutes)) == text


@pytest.mark.parametrize("value", [float("nan"), 1e30, -1e30])
def test_what_is_no_moment(value: float) -> None:
    with pytest.raises((ValueError, OverflowError, OSError)):
        cyclone.locale.get("en_US").format_date(value)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(["en_US", "fr", "ru", "zh_CN", "ar", "xx"]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.integers(-840, 840),
)
def test_any_moment(
    moment: datetime, code: str, relative: bool, shorter: bool, full: bool, offset: int
) -> None:
    cyclone.locale.set_default_locale(code)
    text = cyclone.locale.get(code).format_date(moment, offset, relative, shorter, full)
    assert text
    assert "%" not in text
    assert "{" not in text


@pytest.mark.parametrize("value", ["2026-03-01", None])
def test_what_is_no_date_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match=f"not {value!r}"):
        cyclone.locale.get("en_US").format_date(value)
