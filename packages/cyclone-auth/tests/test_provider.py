"""Configuration and keys of the providers of an application."""

import json
from typing import Any

import pytest
from auth_keys import jwk
from auth_support import ISSUER, metadata, result_of
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cyclone.auth import ProviderError
from cyclone.auth._provider import LIFETIME, MAX_PROVIDERS, Provider, Shared, provider_of
from cyclone.httpclient import AsyncHTTPClient, InMemoryAgent, SentRequest, StubResponse
from cyclone.web import Application


class World:
    """A provider that can be down, and what it was asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.down = False
        self.values: Any = metadata()
        self.agent = InMemoryAgent(self.answer)
        client = AsyncHTTPClient(force_instance=True, agent=self.agent, reactor=Clock())
        self.provider = Provider(ISSUER, client, clock=lambda: self.now)

    def answer(self, request: SentRequest) -> StubResponse:
        if self.down:
            return StubResponse(503)
        values = {"keys": [jwk("rsa1")]} if request.path == "/jwks" else self.values
        return StubResponse(200, json.dumps(values).encode())

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.agent.requests]


def test_configuration_is_kept() -> None:
    world = World()
    first = result_of(world.provider.metadata())
    assert result_of(world.provider.metadata()) is first
    assert result_of(world.provider.keys.find("rsa1", "RS256")) is not None
    assert world.paths == ["/.well-known/openid-configuration", "/jwks"]
    world.now += LIFETIME
    assert result_of(world.provider.metadata()) is not first


def test_failures_are_not_kept() -> None:
    world = World()
    world.down = True
    for _ in range(2):
        with pytest.raises(ProviderError, match="503"):
            result_of(world.provider.metadata())
    world.down = False
    world.values = metadata(issuer="https://evil.example")
    with pytest.raises(ProviderError, match="another issuer"):
        result_of(world.provider.metadata())
    world.values = metadata()
    assert result_of(world.provider.metadata()).issuer == ISSUER


def test_shared() -> None:
    started: list[Deferred[int]] = []

    async def work() -> int:
        started.append(Deferred())
        return await started[-1]

    shared = Shared(work)
    results: list[Any] = []
    first, second, third = shared.get(), shared.get(), shared.get()
    for deferred in (first, third):
        deferred.addCallback(results.append)
    second.addErrback(lambda failure: results.append("cancelled"))
    second.cancel()
    assert len(started) == 1
    started[0].callback(5)
    assert results == ["cancelled", 5, 5]
    failed = shared.get()
    started[1].errback(ProviderError("down"))
    with pytest.raises(ProviderError):
        result_of(failed)


def test_providers_of_an_application() -> None:
    application, world = Application(), World()
    client = world.provider.client
    one = provider_of(application, ISSUER, client)
    assert provider_of(application, ISSUER, client) is one
    assert provider_of(Application(), ISSUER, client) is not one
    for number in range(MAX_PROVIDERS):
        provider_of(application, f"https://op{number}.example", client)
    assert provider_of(application, ISSUER, client) is not one
