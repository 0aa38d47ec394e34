"""How many connections are accepted."""

# mypy: allow-untyped-calls, no-warn-unreachable

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from http_support import Client, statuses
from server_support import GET, LAST, ServerCase, reactor, until
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread

from cyclone.httpserver import HTTPServer
from cyclone.httpserver._accept import AcceptGate, open_files_limit


class Port:
    def __init__(self) -> None:
        self.reading = True
        self.numberAccepts = 100

    def stopReading(self) -> None:
        self.reading = False

    def startReading(self) -> None:
        self.reading = True


def test_bound(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    server = HTTPServer(
        lambda request: None, reactor=clock, monotonic=clock.seconds, max_connections=3
    )
    port = Port()
    server.gate.add(port)
    assert port.numberAccepts <= 8
    with caplog.at_level(logging.WARNING):
        clients = [Client(server=server) for _ in range(3)]
        assert not port.reading
        clients.pop().hang_up()
        assert port.reading
        clients.append(Client(server=server))
        assert not port.reading
    # Once in ten seconds, whatever happens
    assert len(caplog.records) == 1
    for client in clients:
        client.hang_up()
    assert port.reading


def test_refuse_when_full(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    server = HTTPServer(
        lambda request: None,
        reactor=clock,
        monotonic=clock.seconds,
        max_connections=2,
        refuse_when_full=True,
    )
    port = Port()
    server.gate.add(port)
    clients = [Client(server=server) for _ in range(2)]
    with caplog.at_level(logging.WARNING):
        refused = [Client(server=server) for _ in range(3)]
    assert port.reading
    for client in refused:
        assert client.statuses == [503]
        assert client.wire.closing
        # What it sends all the same is not served
        client.send(GET)
        assert client.statuses == [503]
    assert len(caplog.records) == 1
    # Not for ever, should they not close
    clock.pump([1.0] * 8)
    assert all(client.wire.aborted for client in refused)
    for client in (*refused, clients.pop()):
        client.hang_up()
    assert Client(server=server).statuses == []


@pytest.mark.parametrize(("wanted", "expected"), [(5, 5), (0, None)])
def test_setting(wanted: int, expected: int | None) -> None:
    server = HTTPServer(lambda request: None, max_connections=wanted)
    assert AcceptGate(server).max_connections == expected


@pytest.mark.parametrize(
    ("files", "expected"), [(None, None), (1024, 896), (256, 128), (100, 50), (2, 1)]
)
def test_some_files_are_left_for_others(
    monkeypatch: pytest.MonkeyPatch, files: int | None, expected: int | None
) -> None:
    monkeypatch.setattr("cyclone.httpserver._accept.open_files_limit", lambda: files)
    assert AcceptGate(HTTPServer(lambda request: None)).max_connections == expected


def test_default_is_what_the_system_allows() -> None:
    limit = open_files_limit()
    gate = AcceptGate(HTTPServer(lambda request: None))
    assert gate.max_connections is None or (limit and 0 < gate.max_connections < limit)


SERVER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
import logging
logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
from twisted.internet import reactor
from cyclone.httpserver import HTTPServer
def callback(request):
    request.connection.write_response(request, 200, None, b"", b"hello")
server = HTTPServer(callback, max_connections=int(sys.argv[1]) or None)
port = reactor.listenTCP(0, server, interface="127.0.0.1", backlog=500)
print(port.getHost().port, flush=True)
reactor.run()
"""


def cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc")
@pytest.mark.parametrize("bound", [0, 100_000], ids=["automatic", "descriptors run out"])
def test_few_descriptors_F17(bound: int) -> None:
    """200 clients, 64 descriptors: nobody is hurt, nothing spins, and it recovers."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(bound)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    clients: list[socket.socket] = []
    try:
        assert process.stdout is not None
        address = ("127.0.0.1", int(process.stdout.readline()))
        first = socket.create_connection(address)
        clients.append(first)
        for _ in range(200):
            clients.append(socket.create_connection(address))
        before = cpu(process.pid)
        started = time.monotonic()
        while time.monotonic() - started < 1.5:
            # Who is connected is served
            first.sendall(GET)
            first.settimeout(5)
            assert statuses(first.recv(1000)) == [200]
            time.sleep(0.1)
        assert cpu(process.pid) - before < 0.5
        for client in clients[1:]:
            client.close()
        last = socket.create_connection(address)
        clients.append(last)
        last.settimeout(5)
        last.sendall(LAST)
        assert statuses(last.recv(1000)) == [200]
    finally:
        for client in clients:
            client.close()
        process.kill()
        _, errors = process.communicate()
    lines = [line for line in errors.splitlines() if "paused" in line]
    assert len(lines) == 1, errors
    assert "Traceback" not in errors


class BoundTests(ServerCase):
    async def test_clients_wait_in_the_backlog(self) -> None:
        server = self.server(max_connections=2)
        address = self.address(server)
        clients = [socket.create_connection(address) for _ in range(2)]
        await until(lambda: len(server.connections) == 2)
        waiting: Any = deferToThread(self._exchange, address)
        await until(lambda: server.gate.paused)
        for client in clients:
            client.close()
        self.assertEqual(statuses(await waiting), [200])

    async def test_refuse_when_full(self) -> None:
        server = self.server(max_connections=1, refuse_when_full=True)
        address = self.address(server)
        first = socket.create_connection(address)
        await until(lambda: len(server.connections) == 1)
        self.assertEqual(statuses(await self.talk(address, LAST)), [503])
        first.close()
        await until(lambda: not server.connections)
        self.assertEqual(statuses(await self.talk(address, LAST)), [200])

    async def test_the_backlog_is_long_enough(self) -> None:
        server = self.server()
        port: Any = reactor.listenTCP(0, server, interface="127.0.0.1")
        own: Any = reactor.listenTCP(0, server, interface="127.0.0.1", backlog=5)
        await until(lambda: len(server.gate.ports) == 2)
        for each in (port, own):
            each.stopReading()
        address = ("127.0.0.1", port.getHost().port)
        clients = [socket.create_connection(address, 0.5) for _ in range(100)]
        address = ("127.0.0.1", own.getHost().port)
        with self.assertRaises(TimeoutError):
            while len(clients) < 200:
                clients.append(socket.create_connection(address, 0.2))
        for client in clients:
            client.close()
        for each in (port, own):
            each.startReading()

    @staticmethod
    def _exchange(address: Any) -> bytes:
        from server_support import exchange

        return exchange(address, LAST)
