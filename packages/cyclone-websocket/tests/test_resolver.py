"""A reactor with another resolver is the same otherwise."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.internet.task import Clock

from cyclone.websocket._resolver import Resolving


def test_only_the_resolver_differs() -> None:
    clock, resolver = Clock(), object()
    resolving: Any = Resolving(clock, resolver)  # type: ignore[arg-type]
    assert resolving.nameResolver is resolver
    resolving.callLater(1, int)
    assert IReactorPluggableNameResolver.providedBy(resolving)
    assert len(clock.getDelayedCalls()) == 1
