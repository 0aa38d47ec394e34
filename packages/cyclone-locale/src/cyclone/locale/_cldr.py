"""What Babel's CLDR data knows of a language. Babel is imported on the first question only."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from cyclone.locale._codes import candidates

if TYPE_CHECKING:
    from babel.core import Locale

CATEGORIES = ("zero", "one", "two", "few", "many", "other")
"""The plural categories of CLDR (UTS 35 part 3, section 5)."""

_ABBREVIATED = re.compile(r"E{1,3}(?!E)|c{1,3}(?!c)|(?<!M)MMM(?!M)|(?<!L)LLL(?!L)")


@lru_cache(maxsize=512)
def babel_locale(code: str) -> Locale | None:
    """Babel's data for ``code`` or the closest of its `candidates`; None for no known language."""
    from babel.core import Locale, UnknownLocaleError

    for candidate in candidates(code):
        try:
            return Locale.parse(candidate)
        except (UnknownLocaleError, ValueError):
            continue
    return None


def is_rtl(code: str) -> bool:
    """Whether the language is written from right to left."""
    data = babel_locale(code)
    return data is not None and data.text_direction == "rtl"


def plural_rule(code: str) -> Callable[[float], str]:
    """The function that gives the plural category of a number in the language of ``code``."""
    data = babel_locale(code)
    if data is None:
        return lambda count: "one" if count == 1 else "other"
    rule = data.plural_form

    @lru_cache(maxsize=1024)
    def category(count: float) -> str:
        try:
            return rule(count)
        except (ValueError, ArithmeticError):  # NaN and the infinities have no digits
            return "other"

    return category


def plural_categories(code: str) -> list[str]:
    """The plural categories the language of ``code`` has, in CLDR's order."""
    data = babel_locale(code)
    tags = {"one"} if data is None else data.plural_form.tags
    return [name for name in CATEGORIES if name in tags or name == "other"]


def month_names(data: Locale) -> list[str]:
    """January to December, in the form they take inside a date."""
    names = data.months["format"]["wide"]
    return [str(names[month]) for month in range(1, 13)]


def weekday_names(data: Locale) -> list[str]:
    """Monday to Sunday, in the form they take inside a date."""
    names = data.days["format"]["wide"]
    return [str(names[day]) for day in range(7)]


def ago(data: Locale, elapsed: timedelta) -> str:
    """``elapsed``, at least a second, in the language's words: "il y a 2 minutes"."""
    from babel.dates import format_timedelta

    elapsed = max(elapsed, timedelta(seconds=1))  # zero would be in the future
    return format_timedelta(-elapsed, threshold=1, add_direction=True, locale=data)


def long_date(data: Locale, date: datetime) -> str:
    """Day, month and year: "28 avril 2013"."""
    from babel.dates import format_date

    return format_date(date, "long", locale=data)


def month_day(data: Locale, date: datetime) -> str:
    """Day and month: "28 avril"."""
    from babel.dates import format_date

    pattern = data.datetime_skeletons.get("MMMMd")
    return format_date(date, pattern.pattern if pattern else "d MMMM", locale=data)


def weekday_month_day(data: Locale, date: datetime) -> str:
    """Weekday, day and month: "dimanche 28 avril"."""
    from babel.dates import format_date

    skeletons = data.datetime_skeletons
    pattern = skeletons.get("MMMMEd") or skeletons.get("MMMEd")
    return format_date(date, _in_full(pattern.pattern) if pattern else "EEEE, d MMMM", locale=data)


def _in_full(pattern: str) -> str:
    """A CLDR pattern with abbreviated weekday and month names made full ones."""
    pieces = pattern.split("'")  # every second piece is quoted text
    for index in range(0, len(pieces), 2):
        pieces[index] = _ABBREVIATED.sub(lambda run: run[0][0] * 4, pieces[index])
    return "'".join(pieces)


def with_time(data: Locale, day: str, time: str) -> str:
    """A day and a time of day side by side: "28 avril 2013, 18:35"."""
    from babel.dates import get_datetime_format

    pattern = str(get_datetime_format("medium", data)).replace("'", "")
    before, _, rest = pattern.partition("{1}")
    between, _, after = rest.partition("{0}")
    if "{0}" in before:  # the time comes first
        start, _, middle = before.partition("{0}")
        return f"{start}{time}{middle}{day}{rest}"
    return f"{before}{day}{between}{time}{after}"


def join(data: Locale, parts: Sequence[str]) -> str:
    """Two or more parts as a list in a sentence: "A, B et C"; linear in their number."""
    patterns = data.list_patterns["standard"]
    if len(parts) == 2:
        return _fill(patterns["2"], parts[0], parts[1])
    separator = patterns["middle"].partition("{0}")[2].partition("{1}")[0]
    return _fill(patterns["end"], separator.join(parts[:-1]), parts[-1])


def _fill(pattern: str, first: str, second: str) -> str:
    before, _, rest = pattern.partition("{0}")
    between, _, after = rest.partition("{1}")
    return f"{before}{first}{between}{second}{after}"
