"""Stopping a server gracefully."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import Deferred, DeferredList

if TYPE_CHECKING:
    from ._server import HTTPServer


class Stop:
    """Waits until the connections of a server are gone, and sees to it that they go."""

    def __init__(self, server: HTTPServer, deadline: float, idle_grace: float) -> None:
        self._server = server
        self._cut = 0
        self._over = False
        self._ports_open = True
        self._waiters: list[Deferred[int]] = []
        self._calls: list[Any] = []
        ports = [stopped for port in server.take_ports() if (stopped := port.stopListening())]
        for connection in server.open_connections:
            connection.keep_alive = False
        if server.open_connections:
            # A client may be about to reuse an idle connection: its request is still answered
            self._calls = [
                server.reactor.callLater(idle_grace, self._close_idle),
                server.reactor.callLater(deadline, self._cut_all),
            ]
        DeferredList(ports, consumeErrors=True).addCallback(self._ports_closed)

    def wait(self) -> Deferred[int]:
        """A Deferred for the end: how many connections were cut."""
        waiter: Deferred[int] = Deferred()
        if self._over:
            waiter.callback(self._cut)
        else:
            self._waiters.append(waiter)
        return waiter

    def _ports_closed(self, results: object) -> None:
        self._ports_open = False
        self.connection_gone()

    def connection_gone(self) -> None:
        """One connection less; was it the last?"""
        if self._server.open_connections or self._ports_open or self._over:
            return
        for call in self._calls:
            if call.active():
                call.cancel()
        self._over = True
        for waiter in self._waiters:
            waiter.callback(self._cut)

    def _close_idle(self) -> None:
        for connection in list(self._server.open_connections):
            connection.close_if_idle()

    def _cut_all(self) -> None:
        left = list(self._server.open_connections)
        self._cut = len(left)
        for connection in left:
            connection._kill()
