"""Rules: what a router is a list of."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ._routing_matchers import Matcher, PathMatches


class Rule:
    """One entry of a router: requests that *matcher* takes go to *target*.

    *target* is a handler class, the dotted name of one (imported here: ImportError if that fails),
    a router, a list of rules, a callable that takes the request, or an object with
    ``start_request``. *target_kwargs* reach the handler's ``initialize``; *name* is for
    ``reverse_url``.
    """

    def __init__(
        self,
        matcher: Matcher,
        target: Any,
        target_kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        self.matcher = matcher
        self.target: Any = import_target(target) if isinstance(target, str) else target
        if target_kwargs and not isinstance(target_kwargs, Mapping):
            raise TypeError(
                "what follows the handler in a route is a dict of arguments for initialize(), not "
                f"{target_kwargs!r}: the name of a route comes fourth, or as name="
            )
        self.target_kwargs: dict[str, Any] = dict(target_kwargs) if target_kwargs else {}
        self.name = name

    def reverse(self, *args: Any, **kwargs: Any) -> str | None:
        """Return the URL these arguments come from; raises :class:`URLReverseError`."""
        return self.matcher.reverse(*args, **kwargs)

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.matcher!r}, {self.target}, "
            f"kwargs={self.target_kwargs!r}, name={self.name!r})"
        )


class URLSpec(Rule):
    """A rule by path: *pattern* is a regular expression that has to match all of it.

    What its groups catch becomes arguments of the handler's method: by position, or by keyword for
    named groups. *kwargs* reach ``initialize``; *name* is for ``reverse_url``. ``url`` is an alias.
    Raises ValueError for a pattern that mixes named and unnamed groups, ImportError for a handler's
    name that cannot be imported.
    """

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        handler: Any = None,
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
        *,
        handler_class: Any = None,
    ) -> None:
        matcher = PathMatches(pattern)
        super().__init__(matcher, handler if handler is not None else handler_class, kwargs, name)
        self.regex: re.Pattern[str] = matcher.regex
        self.handler_class: Any = self.target
        self.kwargs = kwargs

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}({self.regex.pattern!r}, {self.handler_class}, "
            f"kwargs={self.kwargs!r}, name={self.name!r})"
        )


def as_rule(rule: object) -> Rule:
    """Return *rule* as a :class:`Rule`.

    A tuple of two to four items begins with a pattern or matcher.
    """
    if isinstance(rule, Rule):
        return rule
    if not isinstance(rule, (tuple, list)):
        raise TypeError(
            f"a rule is a Rule or a tuple, not {rule!r}: routes are a list such as "
            '[(r"/", MainHandler)]'
        )
    if not 2 <= len(rule) <= 4:
        raise ValueError(f"a rule is a tuple of 2 to 4 items, not {len(rule)}: {rule!r}")
    condition, *rest = rule
    if isinstance(condition, (str, re.Pattern)):
        return URLSpec(condition, *rest)
    if isinstance(condition, type) or not hasattr(condition, "match"):
        raise TypeError(
            f"a route begins with a regular expression for the path, or a matcher: {rule!r}"
        )
    return Rule(condition, *rest)


def check_targets(rules: Iterable[Rule]) -> None:
    """Refuse what cannot take a request, which would be a 404 later.

    :raises TypeError: it names the route.
    """
    for rule in rules:
        if not callable(rule.target) and not hasattr(rule.target, "start_request"):
            raise TypeError(
                f"the target of {rule.matcher!r} is a handler class, a router, a list of rules or "
                f"a callable that takes the request, not {rule.target!r}"
            )


def import_target(name: str) -> Any:
    """Import ``package.module.Name``; raises ImportError that says what is missing."""
    module_name, _, attribute = name.rpartition(".")
    if not module_name:
        return importlib.import_module(name)
    try:
        module = importlib.import_module(module_name)
        return getattr(module, attribute)
    except AttributeError:
        raise ImportError(f"No module or name {attribute!r} in {module_name!r}") from None
