"""Directives with a cheaper form than the statement they stand for.

A loop that can be done at once (``{% for cell in row %}<td>{{ cell }}</td>{% end %}``), and a
choice between two values (``{% if on %}yes{% else %}no{% end %}``).
"""

from __future__ import annotations

import re

from . import _nodes as nodes

_MOST_APPLIED = 20
_FOR = re.compile(r"for\s+([A-Za-z]\w*)\s+in\s+([A-Za-z][\w.]*(?:\[[\w.]+\])?)")


class SimpleLoop:
    """A loop whose body prints its one variable once, between two texts.

    ``row`` is the variable of a loop around it that does nothing else but print two texts more.
    """

    __slots__ = ("after", "before", "raw", "row", "row_after", "row_before", "target", "values")

    def __init__(self, target: str, values: str) -> None:
        self.target = target
        self.values = values
        self.before = ""
        self.after = ""
        self.raw = False
        self.row: str | None = None
        self.row_before = ""
        self.row_after = ""


def simple_loop(node: nodes.Control) -> SimpleLoop | None:
    """The parts of such a loop, or None if ``node`` is anything else."""
    if node.operator != "for" or node.branches or not 1 <= len(node.children) <= 3:
        return None
    match = _FOR.fullmatch(node.code)
    if match is None:
        return None
    loop = SimpleLoop(match[1], match[2])
    found = False
    for child in node.children:
        if isinstance(child, nodes.Text):
            if found:
                loop.after += child.value
            else:
                loop.before += child.value
        elif isinstance(child, nodes.Expression) and child.code == loop.target and not found:
            found = True
            loop.raw = child.raw
        else:
            return None
    return loop if found else None


def table_loop(node: nodes.Control) -> SimpleLoop | None:
    """A loop over rows around a simple loop over each row's cells, or None."""
    match = _FOR.fullmatch(node.code)
    if node.operator != "for" or node.branches or len(node.children) > 3 or match is None:
        return None
    before = after = ""
    inner: SimpleLoop | None = None
    for child in node.children:
        if isinstance(child, nodes.Text):
            before, after = (before, after + child.value) if inner else (before + child.value, "")
        elif isinstance(child, nodes.Control) and inner is None:
            inner = simple_loop(child)
            if inner is None or inner.values != match[1] or inner.target == match[1]:
                return None
        else:
            return None
    if inner is not None:
        inner.row, inner.values = match[1], match[2]
        inner.row_before, inner.row_after = before, after
    return inner


def is_choice(node: nodes.Control) -> bool:
    """Whether an ``if`` has at most one text or value in each of its branches."""
    if node.operator != "if":
        return False
    branches: list[nodes.Control | nodes.Branch] = [node, *node.branches]
    return (
        all(
            len(branch.children) <= 1
            and all(isinstance(child, nodes.Text | nodes.Expression) for child in branch.children)
            and "#" not in branch.code
            # One line of source stands for all of it, so an error must have one template line.
            and all(part.line == node.line for part in (branch, *branch.children))
            for branch in branches
        )
        and all(branch.operator == "elif" for branch in node.branches[:-1])
    )


def is_expression(node: nodes.Apply) -> bool:
    """Whether the content of an ``apply`` is nothing but a few texts and values.

    Then no function has to be made of it. One line of source stands for all of it, so values must
    be on its own line; and they must not set variables, which would be the function's own.
    """
    return len(node.children) <= _MOST_APPLIED and all(
        isinstance(child, nodes.Text)
        or (
            isinstance(child, nodes.Expression)
            and child.line == node.line
            and not any(mark in child.code for mark in (":=", "#", "\n"))
        )
        for child in node.children
    )


def prints_values(node: nodes.Control) -> bool:
    """Whether a loop prints, or may print, values that are escaped."""
    bodies: list[nodes.Body] = [node]
    while bodies:
        body = bodies.pop()
        for child in body.children:
            if isinstance(child, nodes.Include | nodes.Block | nodes.Parent):
                return True
            if isinstance(child, nodes.Expression) and not child.raw:
                return True
            if isinstance(child, nodes.Control):
                bodies.append(child)
        if isinstance(body, nodes.Control):
            bodies.extend(body.branches)
    return False
