"""WebSocket handlers under the names of Cyclone 1.3."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.python.failure import Failure

import cyclone.websocket


class Chat(cyclone.websocket.WebSocketHandler):
    def headersReceived(self) -> None:
        if self.get_argument("token", None) is None:
            self.forbidConnection("no token")

    def connectionMade(self, *args: Any, **kwargs: Any) -> None:
        self.transport.setTcpNoDelay(True)
        self.transport.write(b"")
        print(self.transport.getPeer().host)

    def messageReceived(self, message: str | bytes) -> None:
        self.sendMessage(message)

    def connectionLost(self, reason: Failure) -> None:
        print(reason)


class Later(cyclone.websocket.WebSocketHandler):
    def connectionMade(self) -> None:
        self.transport.loseConnection()

    @inlineCallbacks
    def messageReceived(self, message: str | bytes) -> Generator[Deferred[Any], Any, None]:
        yield self.sendMessage(message)
