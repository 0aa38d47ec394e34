"""An index over the literal beginnings of paths, so that a hundred routes cost as much as one.

A router takes the first rule that matches, in the order written. The index keeps exactly that order
and only leaves out rules that cannot match: those whose pattern begins with another text than the
path. It is built once, from the rules alone: nothing a client sends is remembered.

All prefixes are kept sorted. The prefixes of a path form a chain (each is a prefix of the next), so
its longest one decides which rules are left; it is found by bisection, and the rules of its chain
were merged, in order, when the index was built.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from ._routing_matchers import PathMatches
from ._routing_pattern import Literal, literal_prefix

if TYPE_CHECKING:
    from ._routing_rules import Rule

T = TypeVar("T")


class PrefixIndex(Generic[T]):
    """Finds, for a path, the entries whose literal text it fits, in the order they were given."""

    def __init__(self, entries: Sequence[tuple[Literal, T]]) -> None:
        self._everything: tuple[T, ...] = tuple(entry for _, entry in entries)
        self._prefixes = sorted({"", *(lit.text for lit, _ in entries if not lit.whole)})
        own: dict[str, list[tuple[int, T]]] = {prefix: [] for prefix in self._prefixes}
        whole: dict[str, list[tuple[int, T]]] = {}
        for number, (literal, entry) in enumerate(entries):
            group = whole.setdefault(literal.text, []) if literal.whole else own[literal.text]
            group.append((number, entry))
        self._parents: list[int] = []
        chains: list[list[tuple[int, T]]] = []
        for position, prefix in enumerate(self._prefixes):
            parent = self._longest(prefix, position - 1)
            self._parents.append(parent)
            chains.append(
                sorted((chains[parent] if parent >= 0 else []) + own[prefix], key=_number)
            )
        self._candidates = [tuple(entry for _, entry in chain) for chain in chains]
        self._whole = {
            path: tuple(
                entry
                for _, entry in sorted(
                    chains[self._longest(path, bisect_right(self._prefixes, path) - 1)] + numbered,
                    key=_number,
                )
            )
            for path, numbered in whole.items()
        }

    def candidates(self, path: str) -> tuple[T, ...]:
        """Return the entries that may match *path*, in order; no other entry can."""
        found = self._whole.get(path)
        if found is not None:
            return found
        if path[-1:] == "\n":
            return self._everything  # ``$`` matches before a last line feed too
        prefixes = self._prefixes
        position = bisect_right(prefixes, path) - 1
        while not path.startswith(prefixes[position]):
            position = self._parents[position]
        return self._candidates[position]

    def _longest(self, path: str, position: int) -> int:
        while position >= 0 and not path.startswith(self._prefixes[position]):
            position = self._parents[position]
        return position


def rule_literal(rule: Rule) -> Literal:
    """Return what a path must begin with for *rule*; a matcher of one's own tells nothing."""
    matcher = rule.matcher
    if type(matcher) is not PathMatches:
        return Literal("", False)
    return literal_prefix(matcher.regex)


def _number(numbered: tuple[int, object]) -> int:
    return numbered[0]
