"""Dates in words, in the wording applications know from Tornado and Cyclone.

Every piece ("January", "yesterday at %(time)s") is a message that a translation file may translate.
What it does not, CLDR says in the language's own way; English needs neither.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from datetime import time as Time
from typing import TYPE_CHECKING

from cyclone.locale._errors import fill

if TYPE_CHECKING:
    from babel.core import Locale as BabelLocale

    from cyclone.locale._locale import Locale

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# From here on a day without its year could be taken for the same month of this year.
_NEARLY_A_YEAR = 334


def months(locale: Locale) -> list[str]:
    """January to December."""
    from cyclone.locale import _cldr

    data = _data(locale)
    return _translated(locale, MONTHS, _cldr.month_names(data) if data else MONTHS)


def weekdays(locale: Locale) -> list[str]:
    """Monday to Sunday."""
    from cyclone.locale import _cldr

    data = _data(locale)
    return _translated(locale, WEEKDAYS, _cldr.weekday_names(data) if data else WEEKDAYS)


def _translated(
    locale: Locale, english: tuple[str, ...], other: list[str] | tuple[str, ...]
) -> list[str]:
    found = [locale.translate(name) for name in english]
    return [other[i] if found[i] == english[i] else found[i] for i in range(len(english))]


def _data(locale: Locale) -> BabelLocale | None:
    """What CLDR knows of a language; None for English, which has its wording here."""
    if locale._english:
        return None
    from cyclone.locale._cldr import babel_locale

    return babel_locale(locale.code)


def format_date(
    locale: Locale,
    value: float | date,
    gmt_offset: float,
    relative: bool,
    shorter: bool,
    full_format: bool,
) -> str:
    """See `Locale.format_date`."""
    moment = _moment(value)
    now = _now(moment.tzinfo)
    if moment > now:
        if relative and moment - now < timedelta(seconds=60):
            moment = now
        else:
            full_format = True
    elapsed = now - moment
    if relative and not full_format and elapsed.days == 0:
        return _ago(locale, elapsed.seconds)
    offset = timedelta(minutes=gmt_offset)
    local = moment - offset
    if full_format:
        kind = "full"
    elif elapsed.days == 0:
        kind = "time"
    elif relative and elapsed.days == 1 and local.day == (now - offset - timedelta(days=1)).day:
        kind = "yesterday"
    elif elapsed.days < 5:
        kind = "weekday"
    else:
        kind = "month" if elapsed.days < _NEARLY_A_YEAR else "full"
    return _absolute(locale, kind, local, shorter)


def format_day(locale: Locale, value: float | date, gmt_offset: float, dow: bool) -> str:
    """See `Locale.format_day`."""
    local = _moment(value) - timedelta(minutes=gmt_offset)
    pattern = "%(weekday)s, %(month_name)s %(day)s" if dow else "%(month_name)s %(day)s"
    translated = locale.translate(pattern)
    data = _data(locale) if translated == pattern else None
    if data is None:
        return fill(translated, pattern, _fields(locale, local))
    from cyclone.locale import _cldr

    return _cldr.weekday_month_day(data, local) if dow else _cldr.month_day(data, local)


def _now(zone: tzinfo | None) -> datetime:
    return datetime.now(zone)


def _moment(value: float | date) -> datetime:
    """An aware datetime; without a zone it is UTC, a day alone is its midnight."""
    if isinstance(value, datetime):
        return value if value.tzinfo is not None else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, Time(), UTC)
    try:
        return datetime.fromtimestamp(value, UTC)
    except TypeError:
        raise TypeError(
            f"a date is a datetime, a date or seconds since the epoch, not {value!r}"
        ) from None


def _ago(locale: Locale, seconds: int) -> str:
    if seconds < 50:
        unit, count = "second", seconds
    elif seconds < 50 * 60:
        unit, count = "minute", round(seconds / 60)
    else:
        unit, count = "hour", round(seconds / 3600)
    one, many = f"1 {unit} ago", f"%({unit}s)d {unit}s ago"
    translated = locale.translate(one, many, count)
    if translated in (one, many):
        data = _data(locale)
        if data is not None:
            from cyclone.locale import _cldr

            return _cldr.ago(data, timedelta(**{f"{unit}s": count}))
    return fill(translated, one if count == 1 else many, {f"{unit}s": count})


_PATTERNS = {
    "time": ("%(time)s", "%(time)s"),
    "yesterday": ("yesterday", "yesterday at %(time)s"),
    "weekday": ("%(weekday)s", "%(weekday)s at %(time)s"),
    "month": ("%(month_name)s %(day)s", "%(month_name)s %(day)s at %(time)s"),
    "full": (
        "%(month_name)s %(day)s, %(year)s",
        "%(month_name)s %(day)s, %(year)s at %(time)s",
    ),
}


def _absolute(locale: Locale, kind: str, local: datetime, shorter: bool) -> str:
    pattern = _PATTERNS[kind][0 if shorter else 1]
    translated = locale.translate(pattern)
    data = _data(locale) if translated == pattern and kind != "time" else None
    if data is None:
        return fill(translated, pattern, _fields(locale, local))
    from cyclone.locale import _cldr

    if kind == "yesterday":
        day = _cldr.ago(data, timedelta(days=1))
    elif kind == "weekday":
        day = locale._weekdays[local.weekday()]
    elif kind == "month":
        day = _cldr.month_day(data, local)
    else:
        day = _cldr.long_date(data, local)
    return day if shorter else _cldr.with_time(data, day, _time(locale.code, local))


def _fields(locale: Locale, local: datetime) -> dict[str, str]:
    return {
        "month_name": locale._months[local.month - 1],
        "weekday": locale._weekdays[local.weekday()],
        "day": str(local.day),
        "year": str(local.year),
        "time": _time(locale.code, local),
    }


def _time(code: str, local: datetime) -> str:
    """The time of day: on a 12-hour clock in ``en``, ``en_US`` and ``zh_CN``, else 24 hours."""
    if code == "zh_CN":
        half = "\u4e0b\u5348" if local.hour >= 12 else "\u4e0a\u5348"
        return f"{half}{local.hour % 12 or 12}:{local.minute:02d}"
    if code in ("en", "en_US"):
        half = "pm" if local.hour >= 12 else "am"
        return f"{local.hour % 12 or 12}:{local.minute:02d} {half}"
    return f"{local.hour}:{local.minute:02d}"
