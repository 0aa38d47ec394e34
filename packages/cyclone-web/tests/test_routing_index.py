import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.web._routing_index import PrefixIndex, rule_literal
from cyclone.web._routing_matchers import AnyMatches, PathMatches
from cyclone.web._routing_pattern import Literal, literal_prefix, literal_suffix
from cyclone.web._routing_rules import Rule


def index_of(*patterns: str) -> PrefixIndex[str]:
    return PrefixIndex([(literal_prefix(re.compile(text)), text) for text in patterns])


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        pytest.param("/a", ("/a$", "/a.*", "/.*", ""), id="literal"),
        pytest.param("/ab", ("/a.*", "/.*", ""), id="prefix"),
        pytest.param("/abc/d", ("/abc/(.)", "/a.*", "/.*", ""), id="chain"),
        pytest.param("/z", ("/.*", ""), id="root"),
        pytest.param("x", ("",), id="nothing"),
        pytest.param("", ("",), id="empty"),
    ],
)
def test_candidates(path: str, expected: tuple[str, ...]) -> None:
    index = index_of("/a$", "/abc/(.)", "/b$", "/a.*", "/.*", "")
    found = index.candidates(path)
    assert found == expected


def test_an_empty_index() -> None:
    assert index_of().candidates("/a") == ()


def test_a_line_feed_at_the_end_asks_everyone() -> None:
    assert index_of("/a$", "/b$").candidates("/a\n") == ("/a$", "/b$")


def test_candidates_of_many_routes_are_few() -> None:
    index = index_of(*(f"/r{i}/([0-9]+)$" for i in range(500)), *(f"/l{i}$" for i in range(500)))
    assert index.candidates("/r17/5") == ("/r17/([0-9]+)$",)
    assert index.candidates("/l17") == ("/l17$",)
    assert index.candidates("/r17x") == ()


def test_rules_that_begin_alike_are_told_apart_by_their_ends() -> None:
    patterns = [f"/u/([0-9]+)/r{i}$" for i in range(500)]
    regexes = dict(zip(patterns, map(re.compile, patterns), strict=True))
    index = PrefixIndex(
        [(literal_prefix(regexes[text]), text) for text in patterns],
        lambda text: literal_suffix(regexes[text]),
    )
    assert index.candidates("/u/5/r17") == ("/u/([0-9]+)/r17$",)
    assert index.candidates("/u/5/x") == ()


def test_a_matcher_of_ones_own_is_always_asked() -> None:
    class Mine(PathMatches):
        pass

    assert rule_literal(Rule(Mine("/a"), None)) == Literal("", False)
    assert rule_literal(Rule(AnyMatches(), None)) == Literal("", False)
    assert rule_literal(Rule(PathMatches("/a"), None)) == Literal("/a", True)


_pieces = st.sampled_from(["/", "a", "b", "ab", ".", "(a)?", "[ab]", "/?", "a*", "(?:/a)*", "\\."])
_patterns = st.lists(_pieces, max_size=5).map(lambda pieces: "/" + "".join(pieces) + "$")


@given(st.lists(_patterns, max_size=16), st.lists(st.sampled_from("/ab.\n"), max_size=6))
def test_same_answers_as_a_linear_scan(patterns: list[str], tail: list[str]) -> None:
    path = "/" + "".join(tail)
    regexes = [re.compile(pattern) for pattern in patterns]
    index = PrefixIndex(
        [(literal_prefix(regex), number) for number, regex in enumerate(regexes)],
        lambda number: literal_suffix(regexes[number]),
    )
    found = index.candidates(path)
    assert list(found) == sorted(found)
    matching = [number for number, regex in enumerate(regexes) if regex.match(path)]
    assert [number for number in found if regexes[number].match(path)] == matching
