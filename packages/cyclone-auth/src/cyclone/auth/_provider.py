"""OpenID providers that an application uses: configuration and keys, asked for once in a while."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Generic, TypeVar
from weakref import WeakKeyDictionary

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from ._discovery import ProviderMetadata, configuration_url, parse_metadata
from ._http import parse_object, send
from ._jwks import KeyCache, KeySet

if TYPE_CHECKING:
    from cyclone.httpclient import AsyncHTTPClient
    from cyclone.web import Application

_T = TypeVar("_T")
#: Seconds a provider's configuration is used without asking again.
LIFETIME = 3600.0
#: Providers an application remembers; the oldest goes first.
MAX_PROVIDERS = 100

_providers: WeakKeyDictionary[Application, dict[str, Provider]] = WeakKeyDictionary()


class Shared(Generic[_T]):
    """Runs one coroutine for all who ask while it runs."""

    def __init__(self, function: Callable[[], Coroutine[Deferred[object], object, _T]]) -> None:
        self._function = function
        self._waiting: list[Deferred[_T]] | None = None

    def get(self) -> Deferred[_T]:
        """A Deferred of its result; cancelling it does not disturb the others."""
        result: Deferred[_T] = Deferred()
        if self._waiting is not None:
            self._waiting.append(result)
            return result
        self._waiting = [result]
        Deferred.fromCoroutine(self._function()).addBoth(self._fire)
        return result

    def _fire(self, outcome: _T | Failure) -> None:
        waiting, self._waiting = self._waiting or [], None
        for result in waiting:
            if not result.called:
                if isinstance(outcome, Failure):
                    result.errback(outcome)
                else:
                    result.callback(outcome)


class Provider:
    """One OpenID provider: its configuration (an hour) and its keys."""

    def __init__(
        self, issuer: str, client: AsyncHTTPClient, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.issuer = issuer
        self.client = client
        self._clock = clock
        self._url = configuration_url(issuer)
        self._metadata: ProviderMetadata | None = None
        self._loaded = 0.0
        self._discovery = Shared(self._discover)
        self._jwks = Shared(self._load_keys)
        self.keys = KeyCache(self._jwks.get, clock=clock)

    async def metadata(self) -> ProviderMetadata:
        """The configuration.

        :raises ProviderError: when the provider does not give a usable one.
        """
        known = self._metadata
        if known is not None and self._clock() - self._loaded < LIFETIME:
            return known
        return await self._discovery.get()

    async def _discover(self) -> ProviderMetadata:
        response = await send(self.client, self._url)
        metadata = parse_metadata(self.issuer, parse_object(response.body))
        self._metadata = metadata
        self._loaded = self._clock()
        return metadata

    async def _load_keys(self) -> KeySet:
        metadata = await self.metadata()
        response = await send(self.client, metadata.jwks_uri)
        return KeySet(parse_object(response.body))


def provider_of(application: Application, issuer: str, client: AsyncHTTPClient) -> Provider:
    """The application's `Provider` for *issuer*; *client* is what it asks with from now on."""
    known = _providers.setdefault(application, {})
    provider = known.get(issuer)
    if provider is None:
        while len(known) >= MAX_PROVIDERS:
            del known[next(iter(known))]
        provider = known[issuer] = Provider(issuer, client)
    provider.client = client
    return provider
