"""HTTP dates."""

import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.httputil import format_timestamp, http_date, parse_http_date

STAMP = 1359312200.503611
TEXT = "Sun, 27 Jan 2013 18:43:20 GMT"


@pytest.mark.parametrize(
    "value",
    [
        STAMP,
        int(STAMP),
        time.gmtime(STAMP),
        tuple(time.gmtime(STAMP)),
        datetime.fromtimestamp(STAMP, UTC),
        datetime.fromtimestamp(STAMP, UTC).replace(tzinfo=None),
        datetime.fromtimestamp(STAMP, timezone(timedelta(hours=-4))),
    ],
    ids=["float", "int", "struct_time", "tuple", "aware", "naive", "other-zone"],
)
def test_every_kind_of_time_is_formatted(value: float | datetime | time.struct_time) -> None:
    assert format_timestamp(value) == TEXT


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e18, -1e18, 10**400])
def test_times_out_of_range_are_value_errors(value: float) -> None:
    with pytest.raises(ValueError, match="out of range"):
        format_timestamp(value)


@pytest.mark.parametrize("value", ["now", None, [1], object()])
def test_other_types_are_type_errors(value: object) -> None:
    with pytest.raises(TypeError):
        format_timestamp(value)  # type: ignore[arg-type]


def test_negative_and_small_years() -> None:
    assert format_timestamp(-1.5) == "Wed, 31 Dec 1969 23:59:58 GMT"
    assert format_timestamp(datetime(1, 1, 1, tzinfo=UTC)) == "Mon, 01 Jan 0001 00:00:00 GMT"


def test_http_date_is_now_and_kept_for_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [STAMP]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    first = http_date()
    assert first == http_date(STAMP) == TEXT
    clock[0] += 0.3
    assert http_date() is first
    clock[0] += 1
    assert http_date() == "Sun, 27 Jan 2013 18:43:21 GMT"
    clock[0] -= 3600  # F-41: a clock that jumps back is followed
    assert http_date() == "Sun, 27 Jan 2013 17:43:21 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", 784111777),
        ("Sunday, 06-Nov-94 08:49:37 GMT", 784111777),
        ("Sun Nov  6 08:49:37 1994", 784111777),
        ("sun, 6 nov 1994 08:49:37 gmt", 784111777),
        ("Sun, 06-Nov-1994 08:49:37 GMT", 784111777),
        ("  Sun, 06 Nov 1994 08:49:37 GMT\t", 784111777),
        ("Sun, 06 Nov 1994 08:49:37 UTC", 784111777),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
        pytest.param("Wed, 31 Dec 1969 23:59:59 GMT", -1, id="ST-15-before-the-epoch"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 253402300799, id="ST-15-year-9999"),
        ("Sat, 31 Dec 2016 23:59:60 GMT", 1483228799),
    ],
)
def test_dates_are_read(text: str, seconds: int) -> None:
    assert parse_http_date(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("xyz", id="ST-15-garbage"),
        pytest.param(f"{TEXT}, {TEXT}", id="ST-15-two-headers"),
        pytest.param(f"{TEXT},{TEXT[:20]}", id="ST-15-comma"),
        "",
        "Sun, 31 Feb 1994 08:49:37 GMT",
        "Sun, 06 Foo 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 06 Nov 1994 08:49:37 +0100",
        "Sun, 06 Nov 0000 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 19945 08:49:37 GMT",
        "Sun, \u0660\u0666 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT" + " " * 100_000,
        "784111777",
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    assert parse_http_date(text) is None


def test_two_digit_years_are_near(monkeypatch: pytest.MonkeyPatch) -> None:
    year = time.gmtime().tm_year

    def read(two_digits: int) -> int:
        seconds = parse_http_date(f"Sunday, 06-Nov-{two_digits % 100:02d} 08:49:37 GMT")
        assert seconds is not None
        return time.gmtime(seconds).tm_year

    assert read(year) == year
    assert read(year + 50) == year + 50
    assert read(year + 51) == year - 49


def test_the_locale_and_the_time_zone_do_not_matter() -> None:
    """F-42."""
    program = (
        "import locale\n"
        "from cyclone.httputil import format_timestamp, parse_http_date\n"
        "try: locale.setlocale(locale.LC_ALL, '')\n"
        "except locale.Error: pass\n"
        f"assert format_timestamp({STAMP}) == {TEXT!r}\n"
        f"assert parse_http_date({TEXT!r}) == {int(STAMP)}\n"
    )
    environment = os.environ | {"TZ": "Asia/Kolkata", "LC_ALL": "tr_TR.UTF-8"}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True)


@given(st.integers(min_value=-62135596800, max_value=253402300799))
def test_what_is_written_is_read_back(seconds: int) -> None:
    assert parse_http_date(format_timestamp(seconds)) == seconds


@given(st.text())
def test_any_text_is_a_date_or_none(text: str) -> None:
    parse_http_date(text)


@given(st.text("SunMoTdayFriJGM ,:-0123456789", max_size=40))
def test_near_dates_do_not_raise(text: str) -> None:
    result = parse_http_date(text)
    assert result is None or isinstance(result, float)
