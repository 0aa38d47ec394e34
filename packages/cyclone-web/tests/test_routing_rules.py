import re

import pytest

from cyclone.web._routing_matchers import AnyMatches, PathMatches
from cyclone.web._routing_rules import Rule, URLSpec, as_rule, check_targets, import_target


class Handler:
    pass


@pytest.mark.parametrize(
    ("given", "kwargs", "name"),
    [
        pytest.param(("/a", Handler), {}, None, id="two"),
        pytest.param(("/a", Handler, {"x": 1}), {"x": 1}, None, id="three"),
        pytest.param(("/a", Handler, {"x": 1}, "n"), {"x": 1}, "n", id="four"),
        pytest.param(["/a", Handler, None, "n"], {}, "n", id="list"),
        pytest.param((PathMatches("/a"), Handler), {}, None, id="matcher"),
        pytest.param((re.compile("/a$"), Handler), {}, None, id="compiled"),
        pytest.param(Rule(PathMatches("/a"), Handler, name="n"), {}, "n", id="rule"),
        pytest.param(URLSpec("/a", handler_class=Handler), {}, None, id="cyclone-keyword"),
    ],
)
def test_as_rule(given: object, kwargs: dict[str, object], name: str | None) -> None:
    rule = as_rule(given)
    assert rule.target is Handler
    assert rule.target_kwargs == kwargs
    assert rule.name == name
    assert rule.reverse() == "/a"


@pytest.mark.parametrize("given", [(), ("/a",), ("/a", Handler, {}, "n", 1)], ids=len)
def test_a_tuple_of_another_length_is_refused(given: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="2 to 4"):
        as_rule(given)


def test_what_is_no_rule_is_refused() -> None:
    with pytest.raises(TypeError, match=r"not '/a': routes are a list such as"):
        as_rule("/a")


@pytest.mark.parametrize(
    "given", [(Handler, "/a"), (None, Handler), (Handler, Handler)], ids=["swapped", "none", "two"]
)
def test_a_rule_that_does_not_begin_with_a_pattern_is_refused(given: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match="begins with a regular expression"):
        as_rule(given)


@pytest.mark.parametrize(
    "target", [None, object(), 5, {}], ids=["none", "object", "number", "dict"]
)
def test_what_cannot_take_a_request_is_refused(target: object) -> None:
    with pytest.raises(TypeError, match=r"target of PathMatches\('/a\$'\)"):
        check_targets([as_rule(("/a", target))])


def test_urlspec_attributes() -> None:
    spec = URLSpec("/a/(.)", Handler, {"k": 1}, "name")
    assert (spec.regex.pattern, spec.handler_class, spec.kwargs, spec.name) == (
        "/a/(.)$",
        Handler,
        {"k": 1},
        "name",
    )
    assert "/a/(.)$" in repr(spec)
    assert "AnyMatches" in repr(Rule(AnyMatches(), Handler))


def test_a_target_may_be_a_name() -> None:
    assert URLSpec("/", "collections.OrderedDict").target.__name__ == "OrderedDict"
    assert import_target("collections").__name__ == "collections"


@pytest.mark.parametrize(
    "name", ["collections.Missing", "no_such_module_at_all.X", "no_such_module"]
)
def test_a_name_that_cannot_be_imported(name: str) -> None:
    with pytest.raises(ImportError):
        URLSpec("/", name)


def test_a_name_in_the_place_of_the_arguments_is_refused() -> None:
    with pytest.raises(TypeError, match="comes fourth"):
        as_rule(("/a", Handler, "name"))
