"""How the index keeps a rule: a way to resolve it, as short as the rule allows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from ._base import HandlerBase
from ._routing_index import rule_literal
from ._routing_matchers import AnyMatches, PathMatches, path_arguments, unquote_group
from ._routing_rules import Rule

if TYPE_CHECKING:
    from cyclone.httpserver import HTTPRequest

    from ._routing import RuleRouter

F = TypeVar("F", bound=Callable[..., object])

_NO_ARGS: Sequence[bytes | None] = ()
_NO_KWARGS: dict[str, bytes | None] = {}


class Route(NamedTuple):
    """Where a request goes.

    *target* is a handler class, or else a delegate that is ready to serve the request. The
    arguments are bytes, or None for a group that took no part. Routes of literal paths are made
    once and shared: nothing in them may be changed.
    """

    target: Any
    target_kwargs: dict[str, Any]
    path_args: Sequence[bytes | None]
    path_kwargs: dict[str, bytes | None]
    rule: Rule


class Entry:
    """A rule as the index keeps it; ``resolve`` is None when the rule does not take the request."""

    __slots__ = ("router", "rule")

    def __init__(self, router: RuleRouter, rule: Rule) -> None:
        self.router = router
        self.rule = rule

    def resolve(self, request: HTTPRequest, path: str) -> Route | None:
        """Ask the matcher, then the target."""
        rule = self.rule
        parameters = rule.matcher.match(request)
        if parameters is None:
            return None
        target = rule.target
        if _is_transparent(target):
            return target._resolve(request)  # type: ignore[no-any-return]
        args = parameters.get("path_args", _NO_ARGS)
        kwargs = parameters.get("path_kwargs", _NO_KWARGS)
        if is_handler(target) and _is_plain(self.router, "get_target_delegate"):
            target_kwargs = rule.target_kwargs or parameters.get("target_kwargs") or {}
            return Route(target, target_kwargs, args, kwargs, rule)
        if rule.target_kwargs:
            parameters["target_kwargs"] = rule.target_kwargs
        delegate = self.router.get_target_delegate(target, request, **parameters)
        return None if delegate is None else Route(delegate, {}, args, kwargs, rule)


class LiteralEntry(Entry):
    """A handler class on a literal path.

    The index found the path, and the answer is always the same.
    """

    __slots__ = ("route",)

    def __init__(self, router: RuleRouter, rule: Rule) -> None:
        super().__init__(router, rule)
        self.route = Route(rule.target, rule.target_kwargs, _NO_ARGS, _NO_KWARGS, rule)

    def resolve(self, request: HTTPRequest, path: str) -> Route | None:
        """Return the one route; a path the index did not look up (a line feed in it) is matched."""
        rule = self.rule
        if path[-1:] == "\n" and rule.matcher.match(request) is None:
            return None
        return self.route


class _PatternEntry(Entry):
    """A handler class on a path with groups, matched without the detour over a dictionary."""

    __slots__ = ("groups", "match", "named", "route")

    def __init__(self, router: RuleRouter, rule: Rule, matcher: PathMatches) -> None:
        super().__init__(router, rule)
        self.match = matcher.regex.match
        self.groups = matcher.regex.groups
        self.named = bool(matcher.regex.groupindex)
        self.route = Route(rule.target, rule.target_kwargs, _NO_ARGS, _NO_KWARGS, rule)

    def resolve(self, request: HTTPRequest, path: str) -> Route | None:
        """Match *path* and decode its groups."""
        match = self.match(path)
        if match is None:
            return None
        if not self.groups:
            return self.route
        route = self.route
        if self.named:
            args, kwargs = path_arguments(match)
        else:
            args = list(map(unquote_group, match.groups()))
            kwargs = _NO_KWARGS
        # What Route() does, without its detour
        return _new_tuple(Route, (route[0], route[1], args, kwargs, route[4]))


_new_tuple = tuple.__new__


class _AlwaysEntry(Entry):
    """A plain router behind ``AnyMatches``."""

    __slots__ = ()

    def resolve(self, request: HTTPRequest, path: str) -> Route | None:
        """Ask the nested router."""
        return self.rule.target._resolve(request)  # type: ignore[no-any-return]


def make_entry(router: RuleRouter, rule: Rule) -> Entry:
    """Return the fastest entry that does what the rule says."""
    matcher, target = rule.matcher, rule.target
    if type(matcher) is AnyMatches and _is_transparent(target):
        return _AlwaysEntry(router, rule)
    if (
        type(matcher) is PathMatches
        and is_handler(target)
        and _is_plain(router, "get_target_delegate")
    ):
        if rule_literal(rule).whole:
            return LiteralEntry(router, rule)
        return _PatternEntry(router, rule, matcher)
    return Entry(router, rule)


def only_router(router: RuleRouter) -> RuleRouter | None:
    """Return the router that answers all of a router's requests, if it has one such rule only."""
    rules = router.rules
    if len(rules) == 1 and type(make_entry(router, rules[0])) is _AlwaysEntry:
        return rules[0].target  # type: ignore[no-any-return]
    return None


def is_handler(target: object) -> bool:
    """Tell whether *target* is a class of request handlers."""
    return isinstance(target, type) and issubclass(target, HandlerBase)


def plain(method: F) -> F:
    """Mark a router's method as one whose work an index may do in its place.

    An override of the method lacks the mark, and then it is called.
    """
    method.plain = True  # type: ignore[attr-defined]
    return method


def _is_plain(router: object, method: str) -> bool:
    return getattr(getattr(type(router), method, None), "plain", False)


def _is_transparent(target: object) -> bool:
    """Tell whether *target* is a router whose rules may be looked at in place of asking it."""
    return _is_plain(target, "find_handler") and _is_plain(target, "get_target_delegate")
