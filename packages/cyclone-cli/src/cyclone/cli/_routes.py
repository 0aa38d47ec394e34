"""The routes of an application, for people to read."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from cyclone.httpserver import HTTPServer
from cyclone.web import AnyMatches, Application, HostMatches, PathMatches, Rule, RuleRouter

from ._errors import StartError


@dataclasses.dataclass(frozen=True)
class RouteLine:
    """One route: the hosts it is for ("" for all), its pattern, handler and name."""

    host: str
    pattern: str
    target: str
    name: str
    rule: Rule


def routes_of(application: Application) -> list[RouteLine]:
    """All routes, in the order they are tried."""
    return list(_walk(application.default_router, ""))


def _walk(router: RuleRouter, host: str) -> Iterator[RouteLine]:
    for rule in router.rules:
        matcher = rule.matcher
        where = matcher.host_pattern.pattern if isinstance(matcher, HostMatches) else host
        if isinstance(rule.target, RuleRouter):
            if isinstance(matcher, PathMatches):
                where = f"{where} {matcher.regex.pattern}".strip()
            yield from _walk(rule.target, where)
            continue
        yield RouteLine(where, _pattern(matcher), _name(rule.target), rule.name or "", rule)


def _pattern(matcher: Any) -> str:
    if isinstance(matcher, PathMatches):
        return matcher.regex.pattern.removesuffix("$")
    if isinstance(matcher, AnyMatches):
        return "(any)"
    return f"({type(matcher).__name__})"


def _name(target: Any) -> str:
    if isinstance(target, type) or callable(target):
        name = getattr(target, "__qualname__", None)
        if name is not None:
            return f"{target.__module__}.{name}"
    return type(target).__qualname__


def route_lines(server: HTTPServer) -> list[str]:
    """The routes as a table. :raises StartError: when *server* is no application."""
    if not isinstance(server, Application):
        raise StartError("this is an HTTPServer around a callback: it has no routes", 2)
    rows = [("HOST", "PATTERN", "HANDLER", "NAME")]
    rows += [(line.host, line.pattern, line.target, line.name) for line in routes_of(server)]
    columns = [index for index in range(4) if any(row[index] for row in rows[1:])]
    if not columns:
        return ["no routes"]
    widths = {index: max(len(row[index]) for row in rows) for index in columns}
    return [
        "  ".join(row[index].ljust(widths[index]) for index in columns).rstrip() for row in rows
    ]
