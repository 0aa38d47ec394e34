import re
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cyclone.web._base import HandlerBase
from cyclone.web._routing import (
    HandlerRouter,
    ReversibleRouter,
    ReversibleRuleRouter,
    Router,
    RuleRouter,
)
from cyclone.web._routing_matchers import (
    AnyMatches,
    HostMatches,
    Matcher,
    PathMatches,
    URLReverseError,
)
from cyclone.web._routing_rules import Rule, URLSpec


class First(HandlerBase):
    pass


class Second(HandlerBase):
    pass


class FakeApplication:
    """Hands out as a delegate what it was asked to run."""

    def get_handler_delegate(self, request: object, target: object, **parameters: Any) -> Any:
        return target, parameters


def request(path: str = "/", host: str = "localhost", method: str = "GET") -> Any:
    return SimpleNamespace(
        path=path, host_name=host, method=method, headers={}, connection="connection"
    )


def handler_router(*rules: Any) -> HandlerRouter:
    application: Any = FakeApplication()
    return HandlerRouter(application, rules)


def resolved(router: RuleRouter, *args: Any) -> Any:
    route = router._resolve(request(*args))
    return None if route is None else tuple(route[:4])


def test_first_match_wins() -> None:
    router = handler_router(("/a.*", First), ("/a", Second), ("/(.)", Second, {"k": 1}))
    assert resolved(router, "/a") == (First, {}, (), {})
    assert resolved(router, "/b") == (Second, {"k": 1}, [b"b"], {})
    assert resolved(router, "/bb") is None


def test_a_literal_route_is_made_once() -> None:
    router = handler_router(("/a", First), ("/b", Second))
    assert router._resolve(request("/a")) is router._resolve(request("/a"))


def test_a_line_feed_matches_as_the_pattern_says() -> None:
    router = handler_router(("/a", First), (re.compile(r"/b\Z"), Second))
    assert resolved(router, "/a\n") == (First, {}, (), {})
    assert resolved(router, "/b\n") is None


def test_rules_may_be_changed() -> None:
    router = handler_router(("/a", First))
    rule = Rule(PathMatches("/a"), Second)
    assert resolved(router, "/a")[0] is First
    router.rules.insert(0, rule)
    assert resolved(router, "/a")[0] is Second
    router.rules.remove(rule)
    assert resolved(router, "/a")[0] is First
    router.rules[0] = rule
    assert resolved(router, "/a")[0] is Second
    router.rules += [URLSpec("/b", First)]
    assert resolved(router, "/b")[0] is First
    router.rules.reverse()
    router.rules.sort(key=lambda rule: repr(rule.matcher))
    assert router.rules.pop() is not None
    router.rules.append(URLSpec("/c", First))
    router.rules.extend([URLSpec("/d", First)])
    assert resolved(router, "/d")[0] is First
    del router.rules[-1]
    assert resolved(router, "/d") is None
    router.rules.clear()
    assert resolved(router, "/c") is None
    router.rules = [rule]
    assert resolved(router, "/a")[0] is Second


class FromGet(Matcher):
    def match(self, request: Any) -> dict[str, Any] | None:
        return {"path_args": [b"x"]} if request.method == "GET" else None


def test_matchers_and_nested_lists() -> None:
    router = handler_router(
        (HostMatches("www.example.com"), [("/a", Second), (r"/n/(?P<x>.)", Second, {"k": 2})]),
        ("/a", First),
        (FromGet(), Second, {"k": 1}),
    )
    assert resolved(router, "/a") == (First, {}, (), {})
    assert resolved(router, "/a", "www.example.com") == (Second, {}, (), {})
    assert resolved(router, "/n/1", "www.example.com") == (Second, {"k": 2}, [], {"x": b"1"})
    assert resolved(router, "/n/1") == (Second, {"k": 1}, [b"x"], {})
    assert resolved(router, "/n/1", "h", "POST") is None


def test_a_nested_router_without_an_answer_is_passed_over() -> None:
    inner = RuleRouter([("/x", First)])
    router = handler_router((AnyMatches(), inner), ("/y", Second))
    assert resolved(router, "/x")[0] is First
    assert resolved(router, "/y")[0] is Second


def test_find_handler_agrees_with_resolve() -> None:
    router = handler_router(
        ("/x/(.)", [("/x/1", First)]), ("/x/(.)", Second, {"k": 1}), ("/y", First)
    )
    assert router.find_handler(request("/x/1")) == (First, {})
    assert router.find_handler(request("/x/2")) == (
        Second,
        {"path_args": [b"2"], "path_kwargs": {}, "target_kwargs": {"k": 1}},
    )
    assert router.find_handler(request("/z")) is None


class Delegates(Router):
    def find_handler(self, request: Any, **kwargs: Any) -> Any:
        return f"delegate of {request.path}" if request.path != "/none" else None


class StartRequest:
    def start_request(self, server_conn: object, request_conn: object) -> object:
        return ("started", server_conn, request_conn)


def test_targets_of_other_kinds() -> None:
    router = handler_router(
        ("/r", Delegates()), ("/none", Delegates()), ("/s", StartRequest()), ("/n", 5)
    )
    assert resolved(router, "/r")[0] == "delegate of /r"
    assert resolved(router, "/none") is None
    assert resolved(router, "/s")[0] == ("started", None, "connection")
    assert resolved(router, "/n") is None


def test_a_callable_gets_the_request_and_the_arguments() -> None:
    called = []
    router = RuleRouter(
        [("/c/(.)", lambda request, **kwargs: called.append((request, kwargs)), {"k": 1})]
    )
    asked = request("/c/1")
    router.find_handler(asked).serve(asked)
    assert called == [(asked, {"path_args": [b"1"], "path_kwargs": {}, "target_kwargs": {"k": 1}})]


def test_an_override_is_asked() -> None:
    class Mine(RuleRouter):
        def get_target_delegate(self, target: Any, request: Any, **params: Any) -> Any:
            return ("mine", target)

    inner = Mine([("/a", First), ("/b", "collections.OrderedDict")])
    assert resolved(inner, "/a")[0] == ("mine", First)
    assert resolved(handler_router((AnyMatches(), inner)), "/a")[0] == ("mine", First)


def test_process_rule_sees_each_rule() -> None:
    seen = []

    class Mine(RuleRouter):
        def process_rule(self, rule: Rule) -> Rule:
            seen.append(rule.target)
            return super().process_rule(rule)

    Mine([("/a", First), URLSpec("/b", Second)])
    assert seen == [First, Second]


def test_reverse_url() -> None:
    inner = ReversibleRuleRouter([("/in/(.)", First, {}, "inner")])
    router = ReversibleRuleRouter(
        [
            URLSpec("/out", First, name="outer"),
            ("/.*", inner),
            (AnyMatches(), [("/l", First, {}, "l")]),
        ]
    )
    assert router.reverse_url("outer", q=1) == "/out?q=1"
    assert router.reverse_url("inner", 5) == "/in/5"
    assert router.reverse_url("l") == "/l"
    assert router.reverse_url("missing") is None
    with pytest.raises(URLReverseError):
        router.reverse_url("inner")
    assert router.rules[0].reverse() == "/out"


def test_a_repeated_name_goes_to_the_later_rule(caplog: pytest.LogCaptureFixture) -> None:
    router = ReversibleRuleRouter([("/a", First, {}, "n"), ("/b", First, {}, "n")])
    assert router.reverse_url("n") == "/b"
    (record,) = caplog.records
    assert record.name == "cyclone.application"
    assert "Multiple handlers named n" in record.getMessage()


def test_abstract_routers() -> None:
    with pytest.raises(NotImplementedError):
        Router().find_handler(request())
    with pytest.raises(NotImplementedError):
        ReversibleRouter().reverse_url("x")


_pieces = st.sampled_from(["/", "a", "b", "ab", ".", "(?:a)?", "[ab]", "/?", "a*"])
_patterns = st.lists(_pieces, max_size=4).map(lambda pieces: "/" + "".join(pieces))
_targets = st.recursive(
    st.integers(0, 3),
    lambda inner: st.lists(st.tuples(_patterns, inner), max_size=4),
    max_leaves=12,
)
_CLASSES = [type(f"H{number}", (HandlerBase,), {}) for number in range(4)]


def _rules(tree: Any) -> Any:
    return [(pattern, _CLASSES[t] if isinstance(t, int) else _rules(t)) for pattern, t in tree]


def _scan(tree: Any, path: str) -> Any:
    """The plain linear scan that the index must agree with."""
    for pattern, target in tree:
        if re.match(pattern + "$", path):
            found = _CLASSES[target] if isinstance(target, int) else _scan(target, path)
            if found is not None:
                return found
    return None


@given(st.lists(st.tuples(_patterns, _targets), max_size=8), st.text("/ab\n", max_size=5))
def test_same_answers_as_a_linear_scan(tree: Any, tail: str) -> None:
    found = resolved(handler_router(*_rules(tree)), "/" + tail)
    assert (found and found[0]) is _scan(tree, "/" + tail)
