"""How the index keeps a rule."""

from types import SimpleNamespace
from typing import Any

import pytest

from cyclone.web._base import HandlerBase
from cyclone.web._routing import HandlerRouter, RuleRouter
from cyclone.web._routing_entries import (
    Entry,
    LiteralEntry,
    _AlwaysEntry,
    _PatternEntry,
    is_handler,
    make_entry,
)
from cyclone.web._routing_matchers import AnyMatches, HostMatches, PathMatches
from cyclone.web._routing_rules import Rule


class Page(HandlerBase):
    pass


class Counting(RuleRouter):
    """Its own way to a delegate must be asked."""

    def get_target_delegate(self, target: Any, request: Any, **parameters: Any) -> Any:
        return "delegate", target, parameters


class Fake:
    def get_handler_delegate(self, request: object, target: object, **parameters: Any) -> Any:
        return target, parameters


def plain_router() -> HandlerRouter:
    application: Any = Fake()
    return HandlerRouter(application, [])


def request(path: str, host: str = "localhost") -> Any:
    return SimpleNamespace(path=path, host_name=host, method="GET", headers={})


@pytest.mark.parametrize(
    ("matcher", "target", "kind"),
    [
        (PathMatches("/a"), Page, LiteralEntry),
        (PathMatches("/a/(.*)"), Page, _PatternEntry),
        (PathMatches("/[ab]"), Page, _PatternEntry),
        (HostMatches("localhost"), Page, Entry),
        (AnyMatches(), RuleRouter([]), _AlwaysEntry),
        (AnyMatches(), Page, Entry),
        (PathMatches("/a"), lambda request: None, Entry),
    ],
    ids=["literal", "groups", "pattern", "host", "router", "always", "callable"],
)
def test_the_shortest_way_the_rule_allows(matcher: Any, target: Any, kind: type[Entry]) -> None:
    assert type(make_entry(plain_router(), Rule(matcher, target))) is kind


@pytest.mark.parametrize("pattern", ["/a", "/(a)", "/[a]"])
def test_an_override_of_the_router_is_asked(pattern: str) -> None:
    router = Counting([])
    entry = make_entry(router, Rule(PathMatches(pattern), Page))
    assert type(entry) is Entry
    route = entry.resolve(request("/a"), "/a")
    assert route is not None
    assert route.target[:2] == ("delegate", Page)


@pytest.mark.parametrize(
    ("pattern", "path", "args", "kwargs"),
    [
        ("/a", "/a", (), {}),
        ("/x/(.*)/(.*)", "/x/1/%C3%BC", (b"1", "ü".encode()), {}),
        ("/x/(?P<n>[0-9]+)", "/x/7", (), {"n": b"7"}),
        ("/x(?:/(y))?", "/x", (None,), {}),
    ],
)
def test_arguments_of_a_route(pattern: str, path: str, args: Any, kwargs: Any) -> None:
    rule = Rule(PathMatches(pattern), Page, {"given": 1})
    route = make_entry(plain_router(), rule).resolve(request(path), path)
    assert route is not None
    assert route[:2] == (Page, {"given": 1})
    assert (tuple(route.path_args), route.path_kwargs, route.rule) == (args, kwargs, rule)


@pytest.mark.parametrize("pattern", ["/x/(.*)", "/x/[0-9]"])
def test_another_path_has_no_route(pattern: str) -> None:
    entry = make_entry(plain_router(), Rule(PathMatches(pattern), Page))
    assert entry.resolve(request("/y"), "/y") is None


def test_a_nested_router_is_looked_into() -> None:
    inner = plain_router()
    inner.add_rules([(r"/b", Page)])
    entry = make_entry(plain_router(), Rule(HostMatches("localhost"), inner))
    route = entry.resolve(request("/b"), "/b")
    assert route is not None
    assert route.target is Page
    assert entry.resolve(request("/b", "elsewhere"), "/b") is None


def test_what_a_handler_is() -> None:
    assert is_handler(Page)
    assert not is_handler(Page.__new__(Page))
    assert not is_handler(int)
    assert not is_handler("module.Page")
