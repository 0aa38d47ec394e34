"""Locale codes and their fallbacks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.locale._codes import MAX_CODE_LENGTH, candidates, closest, split_code


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("es", ("es", "", "")),
        ("es_GT", ("es", "", "GT")),
        ("es-gt", ("es", "", "GT")),
        ("es_419", ("es", "", "419")),
        ("zh_Hant_TW", ("zh", "Hant", "TW")),
        ("ZH-hant-tw", ("zh", "Hant", "TW")),
        ("de_1996", ("de", "", "")),
        ("de_CH_1996", ("de", "", "CH")),
        ("en-x-us", ("en", "", "")),
        ("", ("", "", "")),
        ("_US", ("", "", "US")),
    ],
)
def test_split_code(code: str, parts: tuple[str, str, str]) -> None:
    assert split_code(code) == parts


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("es", ["es", "es"]),
        ("es_GT", ["es_GT", "es_GT", "es"]),
        ("es-gt", ["es_gt", "es_GT", "es"]),
        ("zh_Hant_TW", ["zh_Hant_TW", "zh_Hant_TW", "zh_TW", "zh_Hant", "zh"]),
        ("zh_TW", ["zh_TW", "zh_TW", "zh_Hant_TW", "zh_Hant", "zh"]),
        ("zh_Hant", ["zh_Hant", "zh_Hant", "zh_TW", "zh"]),
        ("", []),
        ("x" * (MAX_CODE_LENGTH + 1), []),
    ],
)
def test_candidates(code: str, expected: list[str]) -> None:
    assert list(candidates(code)) == expected


@pytest.mark.parametrize(
    ("code", "supported", "expected"),
    [
        ("es_GT", {"es", "es_GT"}, "es_GT"),
        ("es_GT", {"es", "en"}, "es"),
        ("es_GT", {"es_MX"}, None),
        ("zh_Hant_TW", {"zh_TW", "zh"}, "zh_TW"),
        ("zh_Hant_TW", {"zh"}, "zh"),
        ("zh_Hant_HK", {"zh_Hant", "zh"}, "zh_Hant"),
        ("zh-TW", {"zh_Hant", "zh"}, "zh_Hant"),
        ("weird", {"weird"}, "weird"),
        ("en-us", {"en-us", "en_us"}, "en_us"),
    ],
)
def test_closest(code: str, supported: set[str], expected: str | None) -> None:
    assert closest(code, frozenset(supported)) == expected


@given(st.text(max_size=80))
def test_any_text_is_answered(code: str) -> None:
    found = list(candidates(code))
    assert len(found) <= 6
    if found:
        assert found[0] == code.replace("-", "_")
        assert closest(code, frozenset(found)) == found[0]
