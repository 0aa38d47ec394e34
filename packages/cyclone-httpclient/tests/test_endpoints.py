"""The way to a server: names, addresses, sockets, and what may be connected to (CL-15, CL-16)."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from httpclient_support import failure, new_client, ok, reactor, reactor_test, serving, turn, until
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer

from cyclone.httpclient import (
    HTTPClientError,
    HTTPConnectError,
    HTTPResolveError,
    HTTPTimeoutError,
)


@implementer(IHostResolution)
class Resolution:
    def __init__(self, name: str) -> None:
        self.name = name
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


@implementer(IHostnameResolver)
class Resolver:
    """Gives out the addresses of a table; a name that is not in it never gets an answer."""

    def __init__(self, **names: list[str]) -> None:
        self.names = names
        self.asked: list[str] = []
        self.families: object = None

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        self.asked.append(hostName)
        self.families = addressTypes
        resolution = Resolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        addresses = self.names.get(hostName.partition(".")[0])
        if addresses is not None:
            for ip in addresses:
                kind = IPv6Address if ":" in ip else IPv4Address
                if not addressTypes or kind in addressTypes:
                    resolutionReceiver.addressResolved(kind("TCP", ip, portNumber))
            resolutionReceiver.resolutionComplete()
        return resolution


@reactor_test
async def test_a_name_is_resolved_each_time() -> None:
    resolver = Resolver(h=["127.0.0.1"])
    async with serving(ok()) as server, new_client(resolver=resolver) as client:
        url = f"http://h.example:{server.port}/"
        await client.fetch(url)
        client.close_idle_connections()
        await client.fetch(url)
        assert resolver.asked == ["h.example"] * 2
        assert server.requests[0].header("Host") == f"h.example:{server.port}"


@reactor_test
async def test_the_reactors_own_resolver() -> None:
    """localhost, by the operating system's rules (F-36: /etc/hosts only)."""
    async with serving(ok()) as server, new_client() as client:
        url = f"http://localhost:{server.port}/"
        assert (await client.fetch(url, allow_ipv6=False)).body == b"ok"
        assert (await client.fetch(url)).body == b"ok"


@reactor_test
async def test_CL_16_a_name_without_an_address() -> None:
    async with new_client(resolver=Resolver(h=[]), max_clients=1) as client:
        for _ in range(2):
            error = await failure(client.fetch("http://h.example/"), HTTPResolveError)
            assert "h.example" in str(error)
            assert isinstance(error, HTTPConnectError)


@reactor_test
async def test_CL_16_a_resolver_that_hangs() -> None:
    resolver = Resolver()
    async with new_client(resolver=resolver, max_clients=1) as client:
        error = await failure(
            client.fetch("http://h.example/", connect_timeout=0.02), HTTPTimeoutError
        )
        assert error.phase == "connect"
        fetching = client.fetch("http://h.example/")
        fetching.cancel()
        await failure(fetching, CancelledError)
        assert resolver.asked == ["h.example"] * 2


@reactor_test
async def test_CL_16_a_dead_first_address() -> None:
    """Happy eyeballs: an address that refuses, and one that stays silent, do not matter."""
    resolver = Resolver(h=["127.0.0.9", "127.0.0.1"])
    async with serving(ok()) as server, new_client(resolver=resolver) as client:
        assert (await client.fetch(f"http://h.example:{server.port}/")).body == b"ok"
    resolver = Resolver(h=["::1", "127.0.0.1"])
    async with serving(ok()) as server, new_client(resolver=resolver) as client:
        assert (await client.fetch(f"http://h.example:{server.port}/")).body == b"ok"


@reactor_test
async def test_allow_ipv6_off() -> None:
    resolver = Resolver(h=["::1", "127.0.0.1"])
    async with serving(ok()) as server, new_client(resolver=resolver) as client:
        url = f"http://h.example:{server.port}/"
        assert (await client.fetch(url, allow_ipv6=False)).body == b"ok"
        assert resolver.families == (IPv4Address,)
        await failure(client.fetch("http://[::1]:1/", allow_ipv6=False), HTTPConnectError)


def ipv6_works() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not ipv6_works(), reason="this machine has no IPv6")
@reactor_test
async def test_ipv6() -> None:
    async with serving(ok(), interface="::1") as server, new_client() as client:
        response = await client.fetch(f"http://[::1]:{server.port}/")
        assert response.body == b"ok"
        assert server.requests[0].header("Host") == f"[::1]:{server.port}"


@reactor_test
async def test_network_interface() -> None:
    resolver = Resolver(h=["127.0.0.1"])
    async with serving(ok()) as server, new_client(resolver=resolver) as client:
        for url in (server.url, f"http://h.example:{server.port}"):
            await client.fetch(url, network_interface="127.0.0.7")
            peer = server.open[-1].transport.getPeer()
            assert peer.host == "127.0.0.7"
        error = await failure(client.fetch(server.url, network_interface="lo"), ValueError)
        assert "'lo'" in str(error)


@reactor_test
async def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "socket"
    async with serving(ok(b"unix"), unix=str(path)) as server, new_client() as client:
        for value in (path, str(path)):
            response = await client.fetch("http://h.example/x", unix_socket=value)
            assert response.body == b"unix"
        assert server.requests[0].header("Host") == "h.example"
        assert server.accepted == 1
        error = await failure(
            client.fetch("http://h/", unix_socket=tmp_path / "none"), HTTPConnectError
        )
        assert "UNIX socket" in str(error)


@reactor_test
async def test_hostname_mapping() -> None:
    async with serving(ok()) as server:
        mapping: Any = {
            "www.example": "127.0.0.1",
            ("api.example", 8000): ("127.0.0.1", server.port),
        }
        async with new_client(hostname_mapping=mapping) as client:
            await client.fetch(f"http://www.example:{server.port}/")
            await client.fetch("http://api.example:8000/")
            hosts = [request.header("Host") for request in server.requests]
            assert hosts == [f"www.example:{server.port}", "api.example:8000"]


@reactor_test
async def test_CL_15_allow_address_sees_resolved_addresses() -> None:
    asked: list[tuple[str, str, int]] = []

    def only_public(host: str, ip: str, port: int) -> bool:
        asked.append((host, ip, port))
        return not ip.startswith("127.")

    resolver = Resolver(h=["127.0.0.1", "127.0.0.2"])
    options: Any = {"allow_address": only_public, "resolver": resolver, "max_clients": 1}
    async with serving(ok()) as server, new_client(**options) as client:
        error = await failure(client.fetch(f"http://h.example:{server.port}/"), HTTPConnectError)
        assert "allow_address" in str(error)
        await failure(client.fetch(server.url), HTTPConnectError)
        assert asked == [
            ("h.example", "127.0.0.1", server.port),
            ("h.example", "127.0.0.2", server.port),
            ("127.0.0.1", "127.0.0.1", server.port),
        ]
        for form in ("2130706433", "127.1", "0x7f.1", "0177.0.0.1"):
            await failure(client.fetch(f"http://{form}:{server.port}/"), ValueError)
        assert len(asked) == 3
        assert server.accepted == 0


@reactor_test
async def test_CL_15_a_redirect_is_asked_about_too() -> None:
    from httpclient_support import redirect

    def not_other(host: str, ip: str, port: int) -> bool:
        return ip != "127.0.0.2"

    async with (
        serving(redirect("http://127.0.0.2:1/")) as server,
        new_client(allow_address=not_other) as client,
    ):
        await failure(client.fetch(server.url), HTTPConnectError)


@reactor_test
async def test_F_36_refused() -> None:
    async with new_client(max_clients=1) as client:
        for _ in range(3):
            error = await failure(client.fetch("http://127.0.0.1:1/"), HTTPConnectError)
            assert str(error) == "Connection refused: 127.0.0.1:1"
            assert isinstance(error, OSError)
            assert isinstance(error, HTTPClientError)
            assert error.code == 599
            assert error.__cause__ is not None


@reactor_test
async def test_F_36_accepted_and_reset() -> None:
    from httpclient_support import Reply

    from cyclone.httpclient import HTTPStreamClosedError

    async with serving(Reply(b"", "abort")) as server, new_client() as client:
        await failure(client.fetch(server.url), HTTPStreamClosedError)


@reactor_test
async def test_F_37_cancelled_while_connecting() -> None:
    with socket.socket() as listening:
        # A full backlog: the connection is neither accepted nor refused.
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        others = []
        for _ in range(3):
            other = socket.socket()
            other.setblocking(False)
            other.connect_ex(listening.getsockname())
            others.append(other)
        async with new_client(max_clients=1) as client:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
            error = await failure(client.fetch(url, connect_timeout=0.05), HTTPTimeoutError)
            assert error.phase == "connect"
            fetching = client.fetch(url)
            await turn(0.01)
            fetching.cancel()
            await failure(fetching, CancelledError)
            assert client._pool is not None
            assert client._pool.busy == 0
        for other in others:
            other.close()
    await until(lambda: len(reactor.getWriters()) == 0)
