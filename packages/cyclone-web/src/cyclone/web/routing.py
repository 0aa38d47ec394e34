"""Routers, rules and matchers, under the name Tornado gives their module.

Everything here is part of ``cyclone.web`` too.
"""

from ._routing import ReversibleRouter, ReversibleRuleRouter, Router, RuleRouter
from ._routing_entries import Route
from ._routing_matchers import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    URLReverseError,
)
from ._routing_rules import Rule, URLSpec

url = URLSpec

__all__ = [
    "AnyMatches",
    "DefaultHostMatches",
    "HostMatches",
    "Matcher",
    "PathMatches",
    "ReversibleRouter",
    "ReversibleRuleRouter",
    "Route",
    "Router",
    "Rule",
    "RuleRouter",
    "URLReverseError",
    "URLSpec",
    "url",
]
