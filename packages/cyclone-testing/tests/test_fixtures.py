"""What the fixtures give; the plugin's own tests run it in earnest."""

from __future__ import annotations

import pytest
from client_support import make_app, outcome

from cyclone.testing import Client, VirtualClock, run_sync
from cyclone.testing._fixtures import ClientFactory, ServerFactory


def test_clients_share_the_clock_of_the_test() -> None:
    clock = VirtualClock()
    factory = ClientFactory(make_app, clock)
    first, second = factory(), factory(make_app(), host="example.com")
    assert isinstance(first, Client)
    assert first.clock is second.clock is factory.clock is clock
    assert second.host == "example.com"
    assert factory.default is factory.default
    assert outcome(factory.get("/old")).body == b"inline"
    connection = first.connect()
    factory.close()
    assert connection.closed
    with pytest.raises(AttributeError):
        factory.__wrapped__  # noqa: B018


def test_servers_are_stopped() -> None:
    factory = ServerFactory(make_app, VirtualClock())
    assert not factory.running
    server = factory()
    assert (factory.running, factory.port) == (True, factory.default.port)
    assert run_sync(lambda: server.fetch("/old")).body == b"inline"
    run_sync(factory.stop)
    assert not factory.running
    with pytest.raises(AttributeError):
        factory.__wrapped__  # noqa: B018
