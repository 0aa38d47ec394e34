"""HTTP dates: written for every response, read from strangers."""

import re
import time
from datetime import UTC, datetime
from functools import lru_cache
from math import floor
from typing import Final

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
# fmt: off
_MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)
# fmt: on
_MONTH_NUMBERS: Final = {month.lower(): number for number, month in enumerate(_MONTHS, 1)}

_MAX_DATE_LENGTH: Final = 64
_TIME = r"(?P<hour>[0-9]{2}):(?P<minute>[0-9]{2}):(?P<second>[0-9]{2})"
_DATE_FORMATS: Final = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        # IMF-fixdate, the only one that may be written: Sun, 06 Nov 1994 08:49:37 GMT
        rf"[a-z]{{3}}, ?(?P<day>[0-9]{{1,2}}) (?P<month>[a-z]{{3}}) (?P<year>[0-9]{{4}}) {_TIME}"
        r" (?:GMT|UTC)",
        # RFC 850 (and the old cookie date): Sunday, 06-Nov-94 08:49:37 GMT
        r"[a-z]{3,9}, ?(?P<day>[0-9]{1,2})-(?P<month>[a-z]{3})-(?P<year>[0-9]{4}|[0-9]{2})"
        rf" {_TIME} (?:GMT|UTC)",
        # asctime: Sun Nov  6 08:49:37 1994
        rf"[a-z]{{3}} (?P<month>[a-z]{{3}}) (?P<day>[0-9]{{2}}| [0-9]) {_TIME}"
        r" (?P<year>[0-9]{4})",
    )
)

_cached: tuple[int, str] = (-1, "")


def format_timestamp(
    ts: float | tuple[int, ...] | time.struct_time | datetime,
) -> str:
    """Format a time as an HTTP date: ``Sun, 27 Jan 2013 18:43:20 GMT``, in any locale.

    ``ts``: seconds since the epoch, a UTC time tuple (as of `time.gmtime`) or a `datetime`
    (naive means UTC). `ValueError` for a time outside the years 1 to 9999, `TypeError` for
    anything else. `RFC 9110 section 5.6.7 <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>`_.
    """
    if isinstance(ts, int | float):
        return _text_of(_whole_seconds(ts))
    if isinstance(ts, datetime):
        moment = ts.replace(tzinfo=UTC) if ts.tzinfo is None else ts.astimezone(UTC)
    elif isinstance(ts, tuple):
        year, month, day, hour, minute, second = ts[:6]
        moment = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
    else:
        raise TypeError(f"unknown timestamp type: {type(ts).__name__}")
    return _text(moment)


def _text(moment: datetime) -> str:
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year:04d}"
        f" {moment.hour:02d}:{moment.minute:02d}:{moment.second:02d} GMT"
    )


def _whole_seconds(seconds: float) -> int:
    try:
        return floor(seconds)
    except (OverflowError, ValueError) as error:
        raise ValueError(f"timestamp out of range: {seconds!r}") from error


# Cookies and files of one second mostly say the same few times
@lru_cache(maxsize=64)
def _text_of(second: int) -> str:
    try:
        return _text(datetime.fromtimestamp(second, UTC))
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(f"timestamp out of range: {second!r}") from error


def http_date(now: float | None = None) -> str:
    """The HTTP date of ``now`` (seconds since the epoch; the current time by default).

    The text is kept for a second, since every response carries it.
    """
    global _cached
    second = int(time.time() if now is None else now)
    cached_second, text = _cached
    if second != cached_second:
        text = format_timestamp(second)
        _cached = (second, text)
    return text


def parse_http_date(text: str) -> float | None:
    """Seconds since the epoch of an HTTP date; None for anything that is not one.

    Reads the three formats of RFC 9110 (IMF-fixdate, RFC 850, asctime), forgiving about letter
    case, the name of the day and a single-digit day. A two-digit year more than 50 years ahead is
    taken as past.
    """
    if len(text) > _MAX_DATE_LENGTH:
        return None
    text = text.strip(" \t")
    for pattern in _DATE_FORMATS:
        match = pattern.fullmatch(text)
        if match is not None:
            return _epoch_of(match)
    return None


def _epoch_of(match: re.Match[str]) -> float | None:
    month = _MONTH_NUMBERS.get(match["month"].lower())
    if month is None or match["second"] > "60":
        return None
    year = int(match["year"])
    if len(match["year"]) == 2:
        this_year = time.gmtime().tm_year
        year += this_year - this_year % 100
        if year > this_year + 50:
            year -= 100
    try:
        moment = datetime(
            year,
            month,
            int(match["day"]),
            int(match["hour"]),
            int(match["minute"]),
            min(int(match["second"]), 59),  # a leap second
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return moment.timestamp()
