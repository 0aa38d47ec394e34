"""A reactor that looks host names up in its own way."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import (
    IHostnameResolver,
    IReactorPluggableNameResolver,
    IReactorTCP,
    IReactorTime,
)
from zope.interface import implementer


@implementer(IReactorPluggableNameResolver, IReactorTCP, IReactorTime)
class Resolving:
    """``reactor`` with another name resolver, for an endpoint."""

    def __init__(self, reactor: Any, resolver: IHostnameResolver) -> None:
        self._reactor = reactor
        self.nameResolver = resolver

    def __getattr__(self, name: str) -> Any:
        return getattr(self._reactor, name)
