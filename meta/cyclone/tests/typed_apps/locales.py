"""cyclone.locale."""

from __future__ import annotations

import datetime
from typing import assert_type

from cyclone import locale

locale.load_translations("translations", "utf-8")
locale.load_gettext_translations("translations", "messages")
locale.set_default_locale("en_US")
chosen = locale.get("de", "fr")
assert_type(chosen, locale.Locale)
assert_type(chosen.translate("Hello"), str)
assert_type(chosen.translate("%(n)d day", "%(n)d days", 3) % {"n": 3}, str)
assert_type(chosen.pgettext("menu", "Open"), str)
assert_type(chosen.format_date(datetime.datetime.now(datetime.UTC)), str)
assert_type(chosen.format_date(3.0, 60, relative=False, shorter=True, full_format=True), str)
assert_type(chosen.format_day(datetime.datetime(2026, 1, 1), dow=False), str)
assert_type(chosen.friendly_number(3000), str)
assert_type(chosen.list(["a", "b"]), str)
assert_type(chosen.code, str)
for code in locale.get_supported_locales():
    assert_type(code, str)
