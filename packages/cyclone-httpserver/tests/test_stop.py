"""Stopping."""

# mypy: allow-untyped-calls, no-warn-unreachable

from __future__ import annotations

import socket
from typing import Any

from http_support import HEADERS, Client, G, H, statuses
from server_support import GET, LAST, ServerCase, until
from twisted.internet.threads import deferToThread

from cyclone.httpserver import HTTPRequest

ONE = G + H + b"\r\n"


def test_nothing_to_wait_for() -> None:
    client = Client()
    client.hang_up()
    results: list[int] = []
    client.server.stop().addCallback(results.append)
    assert results == [0]


def test_idle_ones_have_a_moment_F03() -> None:
    client = Client()
    client.send(ONE)
    results: list[int] = []
    client.server.stop().addCallback(results.append)
    # The request that was under way is answered, and the answer says goodbye
    client.send(ONE)
    assert client.statuses == [200, 200]
    assert client.received.endswith(b"/ 0")
    assert client.received.count(b"Connection: close") == 1
    other = Client(server=client.server)
    client.advance(1.5)
    assert other.wire.disconnecting
    client.hang_up()
    assert results == []
    other.hang_up()
    assert results == [0]


def test_running_ones_are_finished() -> None:
    waiting: list[HTTPRequest] = []
    client = Client(waiting.append)
    client.send(ONE + ONE)
    results: list[int] = []
    client.server.stop().addCallback(results.append)
    client.advance(10)
    assert not client.wire.closing
    client.echo(waiting[0])
    assert b"Connection: close" in client.received
    assert client.wire.closing
    client.hang_up()
    assert results == [0]
    assert not client.clock.getDelayedCalls()


def test_the_deadline_cuts() -> None:
    clients = [Client(lambda request: None)]
    clients.append(Client(server=clients[0].server))
    for client in clients:
        client.send(ONE)
    results: list[int] = []
    server = clients[0].server
    server.stop(deadline=5).addCallback(results.append)
    server.stop().addCallback(results.append)
    clients[0].advance(6)
    for client in clients:
        assert client.wire.aborted
        client.hang_up()
    assert results == [2, 2]


class StopTests(ServerCase):
    async def test_stop(self) -> None:
        waiting: list[HTTPRequest] = []

        def callback(request: HTTPRequest) -> None:
            if request.path == "/last":
                waiting.append(request)
            else:
                request.connection.write_response(request, 200, None, HEADERS, b"")

        server = self.server(callback)
        address = self.address(server)
        idle = socket.create_connection(address)
        idle.sendall(GET)
        await deferToThread(idle.recv, 1000)
        running: Any = deferToThread(self._exchange, address)
        await until(lambda: waiting)
        stopped = server.stop(deadline=10, idle_grace=0.1)
        self.assertEqual(await deferToThread(idle.recv, 1000), b"")
        idle.close()
        with self.assertRaises(ConnectionRefusedError):
            await self.talk(address, LAST)
        waiting[0].connection.write_response(waiting[0], 200, None, HEADERS, b"done")
        self.assertEqual(statuses(await running), [200])
        self.assertEqual(await stopped, 0)

    @staticmethod
    def _exchange(address: Any) -> bytes:
        from server_support import exchange

        return exchange(address, LAST)
