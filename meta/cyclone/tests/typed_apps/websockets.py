"""WebSocket handlers under Tornado's names."""

from __future__ import annotations

from typing import Any, assert_type

from twisted.internet.defer import Deferred

from cyclone.web import HubMixin
from cyclone.websocket import WebSocketClosedError, WebSocketHandler, broadcast


class Echo(WebSocketHandler):
    clients: set[Echo] = set()  # noqa: RUF012

    def open(self) -> None:
        self.clients.add(self)
        self.set_nodelay(True)

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)
        self.write_message({"a": 1})
        self.write_message(b"x", binary=True)
        broadcast(self.clients, "new")

    def on_close(self) -> None:
        self.clients.discard(self)
        assert_type(self.close_code, int | None)
        assert_type(self.close_reason, str | None)

    def check_origin(self, origin: str) -> bool:
        return origin.endswith(".example.com")

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return subprotocols[0] if subprotocols else None

    def get_compression_options(self) -> dict[str, Any] | None:
        return {}

    def on_ping(self, data: bytes) -> None:
        print(data)

    def on_pong(self, data: bytes) -> None:
        print(data)


class Room(HubMixin, WebSocketHandler):
    async def prepare(self) -> None:
        self.current_user = "anna"

    async def open(self, name: str) -> None:
        self.join(name)

    async def on_message(self, message: str | bytes) -> None:
        await self.hub.publish("room", message)
        try:
            await self.write_message("sent")
        except WebSocketClosedError:
            return
        self.ping(b"x")
        self.close(1000, "bye")


class AnyArguments(WebSocketHandler):
    def open(self, *args: str, **kwargs: str) -> None:
        self.close()

    def on_message(self, message: str | bytes) -> Deferred[None]:
        return self.write_message(message)
