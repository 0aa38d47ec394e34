"""AsyncHTTPClient as an object: shared, configured, closed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from httpclient_support import failure, new_client, ok, reactor_test, serving, until
from twisted.web.iweb import IAgent

from cyclone.httpclient import (
    AsyncHTTPClient,
    HTTPClientError,
    HTTPRequest,
    InMemoryAgent,
    OptionConflictError,
    SimpleAsyncHTTPClient,
    StubResponse,
)
from cyclone.httpclient._client import under_trial


class Mine(AsyncHTTPClient):
    """A user's own."""

    extra: object = None

    def initialize(  # type: ignore[override]
        self, extra: object = None, **options: Any
    ) -> None:
        self.extra = extra
        super().initialize(**options)


@pytest.fixture(autouse=True)
def _unconfigured() -> Iterator[None]:
    yield
    AsyncHTTPClient.configure(None)
    for client in list(AsyncHTTPClient._shared.values()):
        client.close()


def test_the_shared_client() -> None:
    first = AsyncHTTPClient()
    assert AsyncHTTPClient() is first
    assert AsyncHTTPClient(force_instance=True) is not first
    assert Mine() is not first
    assert isinstance(Mine(), Mine)
    first.close()
    assert AsyncHTTPClient() is not first
    assert isinstance(SimpleAsyncHTTPClient(force_instance=True), AsyncHTTPClient)


def test_configure() -> None:
    AsyncHTTPClient.configure(Mine, extra=42, defaults={"user_agent": "me"})
    client = AsyncHTTPClient(force_instance=True)
    assert isinstance(client, Mine)
    assert client.extra == 42
    assert client._settings.user_agent == "me"
    AsyncHTTPClient.configure("cyclone.httpclient.SimpleAsyncHTTPClient", max_clients=3)
    assert isinstance(AsyncHTTPClient(force_instance=True), SimpleAsyncHTTPClient)
    AsyncHTTPClient.configure(None)
    assert type(AsyncHTTPClient(force_instance=True)) is AsyncHTTPClient
    with pytest.raises(ValueError, match="subclass"):
        AsyncHTTPClient.configure(dict)  # type: ignore[arg-type]


@reactor_test
async def test_defaults() -> None:
    async with (
        serving(ok()) as server,
        new_client(defaults={"user_agent": "me", "use_gzip": False, "timeout": 3}) as client,
    ):
        await client.fetch(server.url)
        await client.fetch(server.url, user_agent="you", decompress_response=True)
        assert [request.header("User-Agent") for request in server.requests] == ["me", "you"]
        assert server.requests[0].header("Accept-Encoding") is None
        assert server.requests[1].header("Accept-Encoding") is not None


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"defaults": {"json": 1}}, TypeError),
        ({"defaults": {"nonsense": 1}}, TypeError),
        ({"max_clients": 0}, ValueError),
        ({"max_clients_per_host": 0}, ValueError),
        ({"nonsense": 1}, TypeError),
        ({"agent": InMemoryAgent({}), "hostname_mapping": {"a": "b"}}, OptionConflictError),
    ],
)
def test_options_that_are_refused(options: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        AsyncHTTPClient(force_instance=True, **options)


@reactor_test
async def test_close_ends_what_is_under_way() -> None:
    async with serving(None) as server, new_client(max_clients=1) as client:
        fetches = [client.fetch(server.url) for _ in range(3)]
        await until(lambda: server.requests)
        client.close()
        for fetching in fetches:
            await failure(fetching, HTTPClientError)
        await failure(client.fetch(server.url), RuntimeError)
        await until(lambda: not server.open)
        client.close()


@reactor_test
async def test_a_request_object_takes_no_more_options() -> None:
    async with new_client() as client:
        request = HTTPRequest("http://h/")
        await failure(client.fetch(request, method="PUT"), ValueError)
        await failure(client.fetch(request, user_agent="x"), ValueError)
        await failure(client.fetch(42), TypeError)  # type: ignore[arg-type]


def test_limits_by_both_names() -> None:
    client = AsyncHTTPClient(force_instance=True, max_buffer_size=10, max_body_size=20)
    assert client._settings.max_body_size == 20
    client = AsyncHTTPClient(force_instance=True, max_buffer_size=30)
    assert client._settings.max_body_size == 30
    assert client.max_clients == 100
    client = AsyncHTTPClient(force_instance=True)
    assert client._settings.max_body_size == 100 * 1024 * 1024
    assert client._settings.max_header_size == 64 * 1024


def test_the_agent() -> None:
    given: Any = InMemoryAgent({"http://h/": StubResponse()})
    assert AsyncHTTPClient(force_instance=True, agent=given).agent is given
    own = AsyncHTTPClient(force_instance=True)
    offered: Any = IAgent
    assert offered.providedBy(own.agent)
    assert len({id(own.agent), id(own.agent)}) == 1


def test_trial_is_noticed() -> None:
    assert under_trial() is ("twisted.trial.unittest" in sys.modules)


def test_importing_installs_no_reactor_and_no_tls() -> None:
    code = """
import sys
import cyclone.httpclient
loaded = {"twisted.internet.reactor", "OpenSSL", "brotli", "twisted.trial.unittest"}
found = loaded & set(sys.modules)
assert not found - {"OpenSSL"}, found
"""
    subprocess.run([sys.executable, "-c", code], check=True)
