"""Functions and methods take what programs for Tornado pass, in the same order."""

from __future__ import annotations

import inspect
from importlib import import_module
from operator import attrgetter
from pathlib import Path

import pytest

LINES = Path(__file__).with_name("signatures.txt").read_text().splitlines()[1:]


@pytest.mark.parametrize("module", sorted({line.partition(":")[0] for line in LINES}))
def test_parameters(module: str) -> None:
    wrong = []
    for line in LINES:
        place, *wanted = line.split()
        owner, _, name = place.partition(":")
        if owner == module:
            found = inspect.signature(attrgetter(name)(import_module(module)))
            if not accepts(found, wanted):
                wrong.append(f"{place}{found} is to take: {' '.join(wanted)}")
    assert not wrong, "\n".join(wrong)


def accepts(signature: inspect.Signature, wanted: list[str]) -> bool:
    parameters = [each for each in signature.parameters.values() if each.name != "self"]
    kinds = {each.kind for each in parameters}
    takes_all = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds
    ordered = [
        each.name + ("=" if each.default is not each.empty else "")
        for each in parameters
        if each.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD
    ]
    by_position = [each for each in wanted if each[0] not in "*@"]
    needed = [each for each in ordered[len(by_position) :] if not each.endswith("=")]
    if needed or (ordered[: len(by_position)] != by_position and not takes_all):
        return False
    names = {each.name for each in parameters}
    by_keyword = {each.strip("@=") for each in wanted if each[0] == "@"}
    if by_keyword - names and inspect.Parameter.VAR_KEYWORD not in kinds:
        return False
    stars = {"**": inspect.Parameter.VAR_KEYWORD, "*": inspect.Parameter.VAR_POSITIONAL}
    return all(stars[each[: each.count("*")]] in kinds for each in wanted if each.startswith("*"))


def test_a_difference_is_seen() -> None:
    signature = inspect.signature(lambda url, method="GET", *, body=None: None)
    assert accepts(signature, ["url", "method=", "@body="])
    for other in (["url"], ["url", "method="]):
        assert accepts(signature, other)
    for other in (["method="], ["url="], ["url", "method=", "body="], ["url", "**options"]):
        assert not accepts(signature, other)
