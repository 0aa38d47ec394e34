"""The client's end of a WebSocket."""

from __future__ import annotations

from typing import assert_type

from twisted.internet.defer import Deferred

from cyclone.httpclient import HTTPRequest
from cyclone.websocket import WebSocketClientConnection, websocket_connect


def received(message: str | bytes | None) -> None:
    print(message)


async def received_later(message: str | bytes | None) -> None:
    print(message)


async def talk() -> None:
    connection = await websocket_connect("ws://localhost/")
    assert_type(connection, WebSocketClientConnection)
    await connection.write_message("x")
    assert_type(await connection.read_message(), str | bytes | None)
    async for message in connection:
        assert_type(message, str | bytes)
    async with await websocket_connect(HTTPRequest("ws://localhost/")) as other:
        other.ping()
        await other.close(1000)
    await websocket_connect("ws://localhost/", on_message_callback=received)
    await websocket_connect(
        "ws://localhost/",
        on_message_callback=received_later,
        subprotocols=["chat"],
        compression_options={},
        ping_interval=30,
        headers={"Authorization": "x"},
    )


def talk_later() -> Deferred[None]:
    def connected(connection: WebSocketClientConnection) -> None:
        connection.write_message({"a": 1})

    return websocket_connect("ws://localhost/").addCallback(connected)
