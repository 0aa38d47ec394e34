"""LOCALE_NAMES."""

import json

import pytest

from cyclone.locale import LOCALE_NAMES
from cyclone.locale._names import LocaleNames


@pytest.mark.parametrize(
    ("code", "english", "own"),
    [
        ("es_LA", "Spanish", "Español"),
        ("es_ES", "Spanish (Spain)", "Español (España)"),
        ("en_US", "English (US)", "English (US)"),
        ("en_GB", "English (UK)", "English (UK)"),
        ("pt_BR", "Portuguese (Brazil)", "Português (Brasil)"),
        ("fr_FR", "French", "Français"),
        ("fr_CA", "French (Canada)", "Français (Canada)"),
        ("de", "German", "Deutsch"),
        ("cs_CZ", "Czech", "Čeština"),
        ("zh_CN", "Chinese (Simplified)", "中文(简体)"),
        ("sr_RS", "Serbian", "Српски"),
        ("he_IL", "Hebrew", "עברית"),
    ],
)
def test_names(code: str, english: str, own: str) -> None:
    assert LOCALE_NAMES[code] == {"name_en": english, "name": own}


@pytest.mark.parametrize("code", ["xx_XX", "", "../en", "en\x00", "EN", "en_us", "root", "x" * 99])
def test_unknown_codes(code: str) -> None:
    assert code not in LOCALE_NAMES
    assert LOCALE_NAMES.get(code) is None
    assert LOCALE_NAMES.get(code, {}) == {}
    with pytest.raises(KeyError):
        LOCALE_NAMES[code]


def test_it_is_a_dict_that_reads_only_what_is_asked_for() -> None:
    names = LocaleNames()
    assert isinstance(names, dict)
    assert names
    assert "de_DE" in names
    assert dict.__len__(names) == 1
    odd: list[object] = [3, None, ()]
    assert not any(map(names.__contains__, odd))


def test_walking_over_it_fills_it() -> None:
    names = LocaleNames()
    codes = list(names)
    assert len(codes) == len(names) == len(names.keys()) == len(names.values()) > 300
    assert {"en_US", "es_LA", "zh_TW", "sr_RS", "de"} <= set(codes)
    for code, entry in names.items():
        assert entry.keys() == {"name_en", "name"}, code
        assert all(entry.values()), code
    assert dict(names) == names.copy() == names
    assert {**names} == names
    assert next(reversed(names)) == codes[-1]
    assert "Deutsch" in repr(names)
    assert json.loads(json.dumps(names)) == names


def test_entries_may_be_added() -> None:
    names = LocaleNames()
    names["tlh"] = {"name_en": "Klingon", "name": "tlhIngan Hol"}
    names["de"] = {"name_en": "German", "name": "Hochdeutsch"}
    assert names["tlh"]["name_en"] == "Klingon"
    assert dict(names)["de"]["name"] == "Hochdeutsch"
