"""An index over the literal beginnings of paths, so that a hundred routes cost as much as one.

A router takes the first rule that matches, in the order written. The index keeps exactly that order
and only leaves out rules that cannot match: those whose pattern begins with another text than the
path. It is built once, from the rules alone: nothing a client sends is remembered.

All prefixes are kept sorted. The prefixes of a path form a chain (each is a prefix of the next), so
its longest one decides which rules are left; it is found by bisection, and the rules of its chain
were merged, in order, when the index was built. Where many rules are left (they share their
beginning, as in ``/user/([0-9]+)/photos``), what they end with is looked up the same way,
backwards.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from ._routing_matchers import PathMatches
from ._routing_pattern import Literal, literal_prefix, literal_suffix

if TYPE_CHECKING:
    from ._routing_rules import Rule

T = TypeVar("T")

# From how many rules on a second look-up, by their ends, is cheaper than trying each.
_MANY = 6


class PrefixIndex(Generic[T]):
    """Finds, for a path, the entries whose literal text it fits, in the order they were given."""

    def __init__(
        self, entries: Sequence[tuple[Literal, T]], ending: Callable[[T], str] | None = None
    ) -> None:
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
        self._by_ending = [
            _index_of_endings(found, ending) if ending and len(found) >= _MANY else None
            for found in self._candidates
        ]
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

        # No literal text at all, as in the router of an application's hosts
        self._trivial = not whole and len(self._prefixes) == 1 and self._by_ending[0] is None

    def candidates(self, path: str) -> tuple[T, ...]:
        """Return the entries that may match *path*, in order; no other entry can."""
        if self._trivial:
            return self._everything
        found = self._whole.get(path)
        if found is not None:
            return found
        if path[-1:] == "\n":
            return self._everything  # ``$`` matches before a last line feed too
        prefixes = self._prefixes
        position = bisect_right(prefixes, path) - 1
        while not path.startswith(prefixes[position]):
            position = self._parents[position]
        by_ending = self._by_ending[position]
        return self._candidates[position] if by_ending is None else by_ending.candidates(path[::-1])

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


def rule_ending(rule: Rule) -> str:
    """Return what a path must end with for *rule*."""
    matcher = rule.matcher
    return literal_suffix(matcher.regex) if type(matcher) is PathMatches else ""


def _index_of_endings(entries: Sequence[T], ending: Callable[[T], str]) -> PrefixIndex[T] | None:
    endings = [ending(entry)[::-1] for entry in entries]
    if not any(endings):
        return None
    return PrefixIndex(
        [(Literal(text, False), entry) for text, entry in zip(endings, entries, strict=True)]
    )


def _number(numbered: tuple[int, object]) -> int:
    return numbered[0]
