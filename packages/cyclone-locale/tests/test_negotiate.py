"""Accept-Language."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.locale import negotiate_language, parse_accept_language
from cyclone.locale._negotiate import MAX_HEADER_LENGTH, MAX_LANGUAGES


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ("da", [("da", 1.0)]),
        ("da, en-GB;q=0.8, en;q=0.7", [("da", 1.0), ("en-GB", 0.8), ("en", 0.7)]),
        ("en;q=0.7, da", [("da", 1.0), ("en", 0.7)]),
        ("a;q=0.5,b;q=0.5", [("a", 0.5), ("b", 0.5)]),
        ("de;q=0, en", [("en", 1.0)]),
        ("de;q=0.000, en", [("en", 1.0)]),
        ("de ; q=0.3 , en ; Q=0.2", [("de", 0.3), ("en", 0.2)]),
        ("de;level=1;q=0.3", [("de", 0.3)]),
        ("*;q=0.1, zh-Hant-TW", [("zh-Hant-TW", 1.0), ("*", 0.1)]),
        ("en_US", [("en_US", 1.0)]),
        ("de;q=nan, fr;q=inf, es;q=-1, it;q=1e1, pt;q=2, en;q=0.1", [("en", 0.1)]),
        ("de;q=, fr;q=x, en", [("en", 1.0)]),
        ("de\r\nX: y, <script>, en, ü, -, a--b", [("en", 1.0)]),
        (",,, ,;q=1,en", [("en", 1.0)]),
        ("en-*", [("en-*", 1.0)]),
    ],
)
def test_parse(header: str, expected: list[tuple[str, float]]) -> None:
    assert parse_accept_language(header) == expected


SUPPORTED = ["en_US", "es", "es_GT", "fr_CA", "pt_BR", "zh_TW", "zh"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param("", "en_US", id="empty"),
        pytest.param("xx", "en_US", id="none fits"),
        pytest.param("es-GT", "es_GT", id="exact"),
        pytest.param("es-MX", "es", id="without its region"),
        pytest.param("ES-mx", "es", id="case"),
        pytest.param("zh-Hant-TW", "zh_TW", id="without its script"),
        pytest.param("zh-Hans-CN", "zh", id="without script and region"),
        pytest.param("zh-Hant", "zh_TW", id="the script's usual region"),
        pytest.param("xx, es;q=0.2, en-US;q=0.1", "es", id="by weight"),
        pytest.param("en-US;q=0.1, es;q=0.2", "es", id="by weight, not place"),
        pytest.param("pt", "pt_BR", id="any region of the language"),
        pytest.param("fr-FR", "fr_CA", id="another region of the language"),
        pytest.param("pt, es;q=0.1", "es", id="an exact one before another region"),
        pytest.param("es;q=0, es-GT", "es_GT", id="the more specific range decides"),
        pytest.param("es-GT;q=0, es", "es", id="the more specific range refused"),
        pytest.param("es;q=0, es-MX;q=0.5, pt-BR;q=0.2", "pt_BR", id="q=0"),
        pytest.param("*", "en_US", id="anything is the default"),
        pytest.param("xx, *;q=0.5", "en_US", id="anything else"),
        pytest.param("en;q=0, *", "es", id="anything but the default"),
        pytest.param("*;q=0", "en_US", id="nothing at all"),
        pytest.param("*;q=0, es", "es", id="nothing else"),
    ],
)
def test_negotiate(header: str, expected: str) -> None:
    assert negotiate_language(header, SUPPORTED, "en_US") == expected


def test_the_supported_codes_keep_their_spelling() -> None:
    assert negotiate_language("pt-br", ["pt-BR"], "en") == "pt-BR"


def test_nothing_supported_gives_the_default() -> None:
    assert negotiate_language("de, *", [], "en") == "en"


def test_a_region_that_would_be_another_script_is_not_offered() -> None:
    assert negotiate_language("zh-Hant", ["zh_CN", "en"], "en") == "en"


def test_the_number_of_languages_is_limited() -> None:
    header = ",".join(f"a-{i}" for i in range(MAX_LANGUAGES * 3))
    assert len(parse_accept_language(header)) == MAX_LANGUAGES


def test_the_length_is_limited() -> None:
    assert parse_accept_language(" " * MAX_HEADER_LENGTH + "en") == []


@pytest.mark.parametrize("piece", [",", ";", "a-", "a,", "q=0.", " ", "*;", "-"])
def test_a_megabyte_costs_nothing(piece: str) -> None:
    header = piece * (1_000_000 // len(piece))
    start = time.process_time()
    negotiate_language(header, SUPPORTED, "en_US")
    assert time.process_time() - start < 0.5


@given(st.text(alphabet="abzENus-_;,=q.01 *\t\x00é", max_size=200))
def test_any_header_is_answered(header: str) -> None:
    parsed = parse_accept_language(header)
    weights = [weight for _, weight in parsed]
    assert weights == sorted(weights, reverse=True)
    assert all(0 < weight <= 1 for weight in weights)
    assert all(tag and tag.isascii() and tag.isprintable() for tag, _ in parsed)
    assert negotiate_language(header, SUPPORTED, "en_US") in SUPPORTED


@given(st.lists(st.sampled_from(SUPPORTED), min_size=1, unique=True))
def test_the_first_of_equals_wins(codes: list[str]) -> None:
    assert negotiate_language(",".join(codes), SUPPORTED, "en_US") == codes[0]
